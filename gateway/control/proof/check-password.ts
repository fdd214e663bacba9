// Checks the password of an account, or does the same work for an address without an account: slowed, bounded, equal in work and answer.
// Order: first the throttle is asked for the wait, which counts nothing; then the turn in the queue is awaited; then the guess is counted; then the
// hash is computed. So a refused guess costs no hash, and every hashed guess was counted.

import { accountStanding } from '../../core/model/account.ts';
import { clientNetworks } from '../../core/token/client-network.ts';
import { type AccountRecord, readAccount } from '../../store/rows/accounts.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import type { CheckSource } from '../context/password-work.ts';
import { countGuess, forgiveGuess, type Guess, guessWait } from './throttle.ts';

/** The account that is guessed at, and where the guess comes from. */
export interface Guesser {
  /** The typed address, normalised, whether it has an account or not; the typed text as it is when it is no address. */
  readonly email: string;
  /** Address the guess came from. */
  readonly clientAddress: string;
  /** Id of the account's device that the browser proved to be; null for none. */
  readonly knownDevice: string | null;
}

type CheckedPassword =
  /** `rehashed`: what to store in place of `account.passwordHash`, or null. */
  | { readonly kind: 'right'; readonly account: AccountRecord; readonly rehashed: string | null }
  /** Wrong password, no account, no password set, or an account that may not sign in: the answer does not say which. */
  | { readonly kind: 'wrong' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

/** @param account  null when no account has the address */
export async function checkPassword(
  context: ControlContext,
  account: AccountRecord | null,
  password: string,
  guesser: Guesser,
): Promise<CheckedPassword> {
  const guess = passwordGuess(guesser);
  const wait = await guessWait(context.store.sql, guess, context.store.logTime());
  if (wait > 0) return { kind: 'busy', retryAfterSeconds: wait };
  const usable = account !== null && accountStanding(account) === 'usable' ? account : null;
  const outcome = await context.passwords.check(sourceOf(guesser), usable?.passwordHash ?? null, password, async () => {
    const { value } = await context.write((unit) => countGuess(unit, guess));
    return value;
  });
  if (outcome.kind === 'busy') return outcome;
  switch (outcome.value.kind) {
    case 'not-admitted':
      return { kind: 'busy', retryAfterSeconds: outcome.value.refused };
    case 'wrong':
      return { kind: 'wrong' };
    case 'right':
      return usable === null ? { kind: 'wrong' } : { kind: 'right', account: usable, rehashed: outcome.value.rehashed };
    default:
      return outcome.value satisfies never;
  }
}

/**
 * Asks somebody who is signed in for the password of their account again, before a step that a stolen session must not take. An
 * account without a password has nothing to ask for.
 *
 * @returns null when the password is right, else why the step is refused
 */
export async function askPasswordAgain(
  context: ControlContext,
  actor: Extract<Actor, { kind: 'account' }>,
  password: string,
  clientAddress: string,
): Promise<
  | { readonly kind: 'refused'; readonly reason: 'wrong-password' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number }
  | null
> {
  const account = await readAccount(context.store.sql, actor.accountId);
  if (account !== null && account.passwordHash === null) return null;
  const guesser = { email: actor.email, clientAddress, knownDevice: actor.deviceId };
  const checked = await checkPassword(context, account, password, guesser);
  if (checked.kind === 'busy') return checked;
  if (checked.kind === 'wrong') return { kind: 'refused', reason: 'wrong-password' };
  await context.write((unit) => forgiveGuess(unit, passwordGuess(guesser)));
  return null;
}

/**
 * A guess at the password of an account as the throttle counts it: unknown addresses like known ones, and known devices by a count of
 * their own, which nobody else can fill.
 */
export function passwordGuess({ email, clientAddress, knownDevice }: Guesser): Guess {
  // A text that is no address is case-folded like addresses, so that all its spellings count as one name.
  const name = email.normalize('NFC').toLowerCase().normalize('NFC');
  return { secret: 'account-password', name, clientAddress, known: knownDevice };
}

/** A device that signed in before waits behind no stranger; among strangers each network has its turn. */
function sourceOf({ knownDevice, clientAddress }: Guesser): CheckSource {
  return knownDevice === null
    ? { name: clientNetworks(clientAddress).source, isKnown: false }
    : { name: knownDevice, isKnown: true };
}
