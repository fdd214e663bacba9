// The rule that slows down guesses: a few tries are free, then each further try has to wait longer than the one before.
// Pure: the count and the time come in, the new count goes out. The caller keeps the count, in the store, or in memory while the
// store is away. Times are the store's own time (store/rows/log-time.ts), which no clock can set back.
// Time shortens the wait but gives no free tries back: a count with no free tries left falls to the place just before the first wait,
// and stays there until it is forgotten or until a right guess forgives it.

import type { EpochSeconds } from './time.ts';

/** How often something may be tried. */
export interface WaitPolicy {
  /** Tries before the first wait. */
  readonly freeTries: number;
  /** The first wait, in seconds; the wait doubles with each further try. */
  readonly firstWaitSeconds: number;
  /** The longest wait. A block that lasts longer was set while a clock was ahead, and does not count. */
  readonly longestWaitSeconds: number;
  /** After this many seconds one counted try is forgotten. A whole number. */
  readonly leakSeconds: number;
  /** Whether used free tries come back with time. True for counters that many people share, so that no one of them can block it for long. */
  readonly givesFreeTriesBack: boolean;
  /** A count is forgotten when no try was counted for this many seconds. */
  readonly rememberSeconds: number;
}

/** The count of one subject: a name, an address, a network. */
export interface TryCount {
  readonly tries: number;
  /** Until when tries have been forgotten one by one. */
  readonly leakedAt: EpochSeconds;
  readonly lastAt: EpochSeconds;
  /** No try is looked at before this moment. */
  readonly blockedUntilAt: EpochSeconds;
}

/** When the next try may be looked at; `now` for at once. @param count  null when no try was counted */
export function freeAt(count: TryCount | null, policy: WaitPolicy, now: EpochSeconds): EpochSeconds {
  if (count === null) return now;
  const until = count.blockedUntilAt;
  return until > now && until <= now + policy.longestWaitSeconds ? until : now;
}

/** How many tries still count at a moment. */
export function triesAt(count: TryCount | null, policy: WaitPolicy, now: EpochSeconds): number {
  return leak(count, policy, now).tries;
}

/** The count with one more try, and the wait that follows it. */
export function countTry(count: TryCount | null, policy: WaitPolicy, now: EpochSeconds): TryCount {
  const left = leak(count, policy, now);
  const tries = left.tries + 1;
  const beyond = tries - policy.freeTries;
  // 2 ** 30 is longer than every longest wait, so the exponent stays small for any count
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
  // where `leakedAt` lies ahead, because a clock was ahead, no try is forgotten now, and forgetting goes on from `now`
  const leaked = Math.max(0, Math.floor((now - count.leakedAt) / policy.leakSeconds));
  const keeps = !policy.givesFreeTriesBack && count.tries >= policy.freeTries;
  const least = Math.min(count.tries, keeps ? Math.max(0, policy.freeTries - 1) : 0);
  const tries = Math.max(least, count.tries - leaked);
  return { tries, leakedAt: tries === least ? now : Math.min(now, count.leakedAt + leaked * policy.leakSeconds) };
}
