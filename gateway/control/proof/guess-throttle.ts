// Slows guessing of account passwords by the one rule for guesses (guesses/count-guess.ts): by address of the account and client.
// Unknown addresses are counted like known ones. Known devices have a count of their own, which nobody else can fill.

import type { Unit } from '../../store/port/store.ts';
import type { ControlContext } from '../context/control-context.ts';
import { countGuessAt, forgiveGuess, forgiveName, type Guess, guessWait } from './count-guess.ts';

/** Who guesses at what. */
export interface Guesser {
  /** Normalised address of the account, whether there is one or not; what was typed when it is no address. */
  readonly email: string;
  /** Address the guess came from. */
  readonly clientAddress: string;
  /** Id of the account's device that the browser proved to be; null for none. */
  readonly knownDevice: string | null;
}

/** Seconds until the next guess is looked at; 0: now. Counts nothing. */
export async function passwordWait(context: ControlContext, guesser: Guesser): Promise<number> {
  return await guessWait(context.store.sql, guessOf(guesser), context.store.logTime());
}

/** Counts one guess. @returns null when it may be looked at, else the seconds to wait; then nothing was counted */
export async function takeGuess(context: ControlContext, guesser: Guesser): Promise<number | null> {
  return (await context.write((unit) => countGuessAt(unit, guessOf(guesser)))).value;
}

/** After a right password. */
export async function forgiveGuesses(unit: Unit, guesser: Guesser): Promise<void> {
  await forgiveGuess(unit, guessOf(guesser));
}

/** After the owner of the mailbox chose a new password: guesses from all over the world at the old one are forgotten. */
export async function forgiveAccount(unit: Unit, email: string): Promise<void> {
  await forgiveName(unit, 'account-password', email);
}

function guessOf({ email, clientAddress, knownDevice }: Guesser): Guess {
  // What is no address is folded as addresses are, so that it is one name however it is written.
  const name = email.normalize('NFC').toLowerCase().normalize('NFC');
  return { secret: 'account-password', name, clientAddress, known: knownDevice };
}
