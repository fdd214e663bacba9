// Slows guessing of passwords: who has to wait, and what a right guess forgets. Counts are in the store, so a restart gives no
// fresh guesses, and all nodes count together. A guess is counted before it is looked at: parallel ones do not slip through.
// Unknown addresses are counted like known ones. Known devices have a count of their own, which nobody else can fill.

import type { Kysely } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Unit } from '../../store/store.ts';
import type { Tables } from '../../store/tables.ts';
import {
  countGuess,
  forgetGuesses,
  isBlocked,
  readThrottle,
  type ThrottleKey,
  type ThrottlePolicy,
  takeGuessBack,
} from '../../store/throttles.ts';
import type { ControlContext } from '../control-context.ts';
import { type GuessKind, type GuessLimit, guessLimits } from './account-limits.ts';
import { addressBlock } from './address-block.ts';
import { digestOf } from './one-time-code.ts';

/** Who guesses at what. */
export interface Guesser {
  /** Normalised address of the account, whether there is one or not. */
  readonly email: string;
  /** Address the guess came from. */
  readonly clientAddress: string;
  /** Id of the account's device that the browser proved to be; null for none. */
  readonly knownDevice: string | null;
}

/** Seconds until the next guess is looked at; 0: now. Counts nothing. */
export async function guessWait(context: ControlContext, guesser: Guesser): Promise<number> {
  const now = context.clock.epochSeconds();
  return (await latestBlock(context.store.sql, countersOf(guesser), now)) - now;
}

/** Counts one guess. @returns null when it may be looked at, else the seconds to wait; then nothing was counted */
export async function takeGuess(context: ControlContext, guesser: Guesser): Promise<number | null> {
  const written = await context.write(async (unit) => {
    const counters = countersOf(guesser);
    // Every counter is asked before one is raised: a guess that is not looked at costs nothing.
    const until = await latestBlock(unit.sql, counters, unit.now);
    if (until > unit.now) return until - unit.now;
    for (const { kind, key } of counters) await countGuess(unit, key, policyOf(guessLimits[kind]));
    return null;
  });
  return written.value;
}

/**
 * After a right password: the counts of this guesser are forgotten. Of the address only this one guess is: one's own account must
 * not clear what was guessed at others, and a school that signs in at nine o'clock must not slow itself.
 */
export async function forgiveGuesses(unit: Unit, guesser: Guesser): Promise<void> {
  for (const { kind, key } of countersOf(guesser)) {
    if (kind === 'address') await takeGuessBack(unit, key);
    else await forgetGuesses(unit, key);
  }
}

/** After the owner of the mailbox chose a new password: guesses from all over the world at the old one are forgotten. */
export async function forgiveAccount(unit: Unit, email: string): Promise<void> {
  await forgetGuesses(unit, counter('account', email).key);
}

interface Counter {
  readonly kind: GuessKind;
  readonly key: ThrottleKey;
}

function countersOf({ email, clientAddress, knownDevice }: Guesser): readonly Counter[] {
  if (knownDevice !== null) return [counter('account-device', email, knownDevice)];
  const block = addressBlock(clientAddress);
  return [counter('account-address', email, block), counter('account', email), counter('address', block)];
}

function counter(kind: GuessKind, ...parts: readonly string[]): Counter {
  return { kind, key: { kind: `guess-${kind}`, keyDigest: digestOf(JSON.stringify([kind, ...parts])) } };
}

/** The end of the longest block that holds; `now` for none. */
async function latestBlock(
  sql: Kysely<Tables>,
  counters: readonly Counter[],
  now: EpochSeconds,
): Promise<EpochSeconds> {
  let latest = now;
  for (const { kind, key } of counters) {
    const until = (await readThrottle(sql, key))?.blockedUntil ?? 0;
    if (isBlocked(until, guessLimits[kind].longestWaitSeconds, now)) latest = Math.max(latest, until);
  }
  return latest;
}

function policyOf(limit: GuessLimit): ThrottlePolicy {
  return {
    forgetAfterSeconds: limit.forgetSeconds,
    longestBlockSeconds: limit.longestWaitSeconds,
    blockSeconds: (guesses) => {
      const beyond = guesses - limit.freeFailures;
      // 2 ** 30 is beyond every longest wait, and exponents stay small whatever the count.
      return beyond < 0 ? 0 : Math.min(limit.longestWaitSeconds, limit.firstWaitSeconds * 2 ** Math.min(beyond, 30));
    },
  };
}
