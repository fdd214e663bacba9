// The rule by which everything that can be guessed is slowed: a few tries are free, then each further one waits longer.
// Pure: what was counted and the time come in, what is to be kept goes out. Where it is kept is the caller's: in the store, or in
// memory while the store is away. The store's own time is meant (store/rows/log-time.ts), which no clock sets.
// Time makes the wait shorter and gives no free tries back: a count that used up its free tries falls to the place just before the
// first wait and stays there until it is forgotten, or until a right guess forgives it.

import type { EpochSeconds } from './time.ts';

/** How often something may be tried. */
export interface WaitPolicy {
  /** Tries before the first wait. */
  readonly freeTries: number;
  /** The first wait, in seconds; it doubles with each further try. */
  readonly firstWaitSeconds: number;
  /** No wait is longer. A block that lasts longer was set by a clock that was ahead, and is none. */
  readonly longestWaitSeconds: number;
  /** One counted try is forgotten in so many seconds. A whole number. */
  readonly leakSeconds: number;
  /** Whether free tries that were used up come back with time. For counters that many people share, which nobody may fill for long. */
  readonly givesFreeTriesBack: boolean;
  /** A count is forgotten when nothing was counted for so many seconds. */
  readonly rememberSeconds: number;
}

/** What was counted of one thing. */
export interface TryCount {
  readonly tries: number;
  /** Up to when tries have leaked away. */
  readonly leakedAt: EpochSeconds;
  readonly lastAt: EpochSeconds;
  /** Nothing is looked at before this moment. */
  readonly blockedUntilAt: EpochSeconds;
}

/** When the next try may be looked at; `now` for at once. @param count  null when nothing was counted */
export function freeAt(count: TryCount | null, policy: WaitPolicy, now: EpochSeconds): EpochSeconds {
  if (count === null) return now;
  const until = count.blockedUntilAt;
  return until > now && until <= now + policy.longestWaitSeconds ? until : now;
}

/** Tries that still count at a moment. */
export function triesAt(count: TryCount | null, policy: WaitPolicy, now: EpochSeconds): number {
  return leak(count, policy, now).tries;
}

/** The count with one more try, and the wait that follows it. */
export function countTry(count: TryCount | null, policy: WaitPolicy, now: EpochSeconds): TryCount {
  const left = leak(count, policy, now);
  const tries = left.tries + 1;
  const beyond = tries - policy.freeTries;
  // 2 ** 30 is beyond every longest wait, and exponents stay small whatever the count.
  const wait =
    beyond < 0 ? 0 : Math.min(policy.longestWaitSeconds, policy.firstWaitSeconds * 2 ** Math.min(beyond, 30));
  return { tries, leakedAt: left.leakedAt, lastAt: now, blockedUntilAt: now + Math.ceil(wait) };
}

function leak(
  count: TryCount | null,
  policy: WaitPolicy,
  now: EpochSeconds,
): { readonly tries: number; readonly leakedAt: EpochSeconds } {
  if (count === null || count.lastAt + policy.rememberSeconds <= now) return { tries: 0, leakedAt: now };
  // A clock that was ahead leaks nothing, and takes nothing away for it later.
  const leaked = Math.max(0, Math.floor((now - count.leakedAt) / policy.leakSeconds));
  const keeps = !policy.givesFreeTriesBack && count.tries >= policy.freeTries;
  const least = Math.min(count.tries, keeps ? Math.max(0, policy.freeTries - 1) : 0);
  const tries = Math.max(least, count.tries - leaked);
  return { tries, leakedAt: tries === least ? now : Math.min(now, count.leakedAt + leaked * policy.leakSeconds) };
}
