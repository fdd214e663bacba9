// Counts guesses and says when the next one may be looked at. Kept in the store, so a restart gives no fresh guesses.
// A guess is counted before it is looked at, and forgotten when it was right: so many guesses at once are still counted one
// by one. What is counted (account and address, a short code) and how hard is the caller's.

import type { Kysely } from 'kysely';
import type { EpochSeconds } from '../core/model/time.ts';
import type { Unit } from './store.ts';
import type { Tables } from './tables.ts';

/** What is counted. */
export interface ThrottleKey {
  readonly kind: string;
  /** Digest of it, base64url: addresses of people do not stand in this table. */
  readonly keyDigest: string;
}

export interface ThrottlePolicy {
  /** How long nothing is looked at after this many guesses in a row, in seconds; 0: the next one may come at once. */
  readonly blockSeconds: (guesses: number) => number;
  /** The most that `blockSeconds` ever says. A block that lasts longer was set by a clock that was ahead, and is none. */
  readonly longestBlockSeconds: number;
  /** Guesses are forgotten when none came for so long. */
  readonly forgetAfterSeconds: number;
}

export type CountedGuess =
  /** Look at it. `guesses`: this one included; call `forgetGuesses` when it was right. */
  | { readonly kind: 'allowed'; readonly guesses: number }
  /** Do not look at it; it was not counted. */
  | { readonly kind: 'blocked'; readonly until: EpochSeconds };

/** Takes one guess, if one may be taken now. */
export async function countGuess(unit: Unit, key: ThrottleKey, policy: ThrottlePolicy): Promise<CountedGuess> {
  // Read first, write second: a unit has the store for itself until it is durable.
  const row = await selectThrottle(unit.sql, key);
  if (row !== undefined && isBlocked(row.blocked_until_at, policy.longestBlockSeconds, unit.now)) {
    return { kind: 'blocked', until: row.blocked_until_at };
  }
  const isFresh = row === undefined || row.last_at + policy.forgetAfterSeconds <= unit.now;
  const guesses = isFresh ? 1 : row.failures + 1;
  const values = {
    failures: guesses,
    first_at: isFresh ? unit.now : row.first_at,
    last_at: unit.now,
    blocked_until_at: unit.now + Math.ceil(policy.blockSeconds(guesses)),
  };
  await unit.sql
    .insertInto('throttles')
    .values({ kind: key.kind, key_digest: key.keyDigest, ...values })
    .onConflict((conflict) => conflict.columns(['kind', 'key_digest']).doUpdateSet(values))
    .execute();
  return { kind: 'allowed', guesses };
}

/** Whether a block holds at a moment. @param longestSeconds  see `ThrottlePolicy` */
export function isBlocked(until: EpochSeconds, longestSeconds: number, now: EpochSeconds): boolean {
  return until > now && until <= now + longestSeconds;
}

/** How it stands, without counting. */
export async function readThrottle(
  database: Kysely<Tables>,
  key: ThrottleKey,
): Promise<{ readonly guesses: number; readonly blockedUntil: EpochSeconds; readonly lastAt: EpochSeconds } | null> {
  const row = await selectThrottle(database, key);
  if (row === undefined) return null;
  return { guesses: row.failures, blockedUntil: row.blocked_until_at, lastAt: row.last_at };
}

/** After a right guess. */
export async function forgetGuesses(unit: Unit, key: ThrottleKey): Promise<void> {
  await unit.sql.deleteFrom('throttles').where('kind', '=', key.kind).where('key_digest', '=', key.keyDigest).execute();
}

/** Takes one guess back, because it was right; the others of the same key stay counted, and so does a block that stands. */
export async function takeGuessBack(unit: Unit, key: ThrottleKey): Promise<void> {
  await unit.sql
    .updateTable('throttles')
    .set((is) => ({ failures: is('failures', '-', 1) }))
    .where('kind', '=', key.kind)
    .where('key_digest', '=', key.keyDigest)
    .where('failures', '>', 0)
    .execute();
}

/** Drops what nobody guessed at since a moment and blocks nobody. @returns how many; `limit` means: there may be more */
export async function pruneThrottles(unit: Unit, before: EpochSeconds, limit = 500): Promise<number> {
  const old = await unit.sql
    .deleteFrom('throttles')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('kind', 'key_digest'),
        'in',
        selectFrom('throttles')
          .select(['kind', 'key_digest'])
          .where('last_at', '<', before)
          .where('blocked_until_at', '<', unit.now)
          .limit(limit)
          .$asTuple('kind', 'key_digest'),
      ),
    )
    .executeTakeFirst();
  return Number(old.numDeletedRows);
}

function selectThrottle(database: Kysely<Tables>, { kind, keyDigest }: ThrottleKey) {
  return database
    .selectFrom('throttles')
    .selectAll()
    .where('kind', '=', kind)
    .where('key_digest', '=', keyDigest)
    .executeTakeFirst();
}
