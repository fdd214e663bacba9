// Counts of guesses at secrets, requests of strangers, and mails. They are in the store, so a restart gives no guesses back and all
// nodes count together. The caller chooses what is counted and how strictly; the rule for guesses is core/model/try-count.ts.
// A caller counts before it looks at the guess, in the same unit, so that many guesses at once are counted one by one.
// All times here are log time (log-time.ts): setting a clock neither gives guesses back nor locks anyone out.

import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { TryCount } from '../../core/model/try-count.ts';
import { fixedStatement, type Places } from '../port/fixed-statement.ts';
import type { Sql, Unit } from '../port/store.ts';
import type { ThrottlesTable } from '../port/tables.ts';
import { makeThrottleRoom } from './throttle-room.ts';

/** Names one count. */
export interface ThrottleKey {
  readonly kind: string;
  /** Digest, base64url, of what is counted: the table holds no addresses of people. */
  readonly keyDigest: string;
}

/** How long a caller waits for whose count the table has no room. */
export const noRoomSeconds = 60;

/** Runs for every guess, refused ones included. A digest occurs with one kind only, so no row is found that was not asked for. */
const findCounts = fixedStatement(
  (sql, at: Places<{ readonly kinds: readonly string[]; readonly digests: readonly string[] }>) =>
    sql
      .selectFrom('throttles')
      .selectAll()
      .where('kind', 'in', [...at.list('kinds')])
      .where('key_digest', 'in', [...at.list('digests')]),
);

/** The counts of some keys, in the order of the keys; null for a key without a row. */
export async function readCounts(sql: Sql, keys: readonly ThrottleKey[]): Promise<readonly (TryCount | null)[]> {
  if (keys.length === 0) return [];
  const kinds = [...new Set(keys.map(({ kind }) => kind))];
  const digests = keys.map(({ keyDigest }) => keyDigest);
  // lists are padded to a power of two, so that few texts are needed; a digest that is listed twice finds its row once
  const places = 2 ** Math.ceil(Math.log2(digests.length));
  while (digests.length < places) digests.push(digests[0] ?? '');
  const { rows } = await findCounts(sql, { kinds, digests });
  return keys.map(({ kind, keyDigest }) => {
    const row = rows.find((found) => found.kind === kind && found.key_digest === keyDigest);
    return row === undefined
      ? null
      : { tries: row.failures, leakedAt: row.first_at, lastAt: row.last_at, blockedUntilAt: row.blocked_until_at };
  });
}

/**
 * Writes counts.
 *
 * @param counts  at least one; `isNew`: the count had no row when it was read in this unit
 *
 * @returns false when there was no room; nothing was written
 */
export async function writeCounts(
  unit: Unit,
  counts: readonly { readonly key: ThrottleKey; readonly count: TryCount; readonly isNew: boolean }[],
): Promise<boolean> {
  const added = counts.filter(({ isNew }) => isNew).length;
  if (added > 0 && !(await makeThrottleRoom(unit, added))) return false;
  await unit.sql
    .insertInto('throttles')
    .values(
      counts.map(({ key, count }) => ({
        kind: key.kind,
        key_digest: key.keyDigest,
        failures: count.tries,
        first_at: count.leakedAt,
        last_at: count.lastAt,
        blocked_until_at: count.blockedUntilAt,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['kind', 'key_digest']).doUpdateSet((on) => ({
        failures: on.ref('excluded.failures'),
        first_at: on.ref('excluded.first_at'),
        last_at: on.ref('excluded.last_at'),
        blocked_until_at: on.ref('excluded.blocked_until_at'),
      })),
    )
    .execute();
  return true;
}

function isOneOf(
  on: ExpressionBuilder<{ throttles: ThrottlesTable }, 'throttles'>,
  keys: readonly ThrottleKey[],
): Expression<SqlBool> {
  return on.or(keys.map(({ kind, keyDigest }) => on.and([on('kind', '=', kind), on('key_digest', '=', keyDigest)])));
}

/** Removes counts, after a right guess. */
export async function forgetGuesses(unit: Unit, ...keys: readonly ThrottleKey[]): Promise<void> {
  if (keys.length === 0) return;
  await unit.sql
    .deleteFrom('throttles')
    .where((on) => isOneOf(on, keys))
    .execute();
}

/** Takes one guess back, because it was right. Other guesses of the same key stay counted, and a present block stays. */
export async function takeGuessBack(unit: Unit, ...keys: readonly ThrottleKey[]): Promise<void> {
  if (keys.length === 0) return;
  await unit.sql
    .updateTable('throttles')
    .set((is) => ({ failures: is('failures', '-', 1) }))
    .where((on) => isOneOf(on, keys))
    .where('failures', '>', 0)
    .execute();
}

/**
 * Drops counts that did not grow since a moment and block nothing.
 *
 * @param kinds  only counts of these kinds; default all
 * @returns how many; `limit` means: there may be more
 */
export async function pruneThrottles(
  unit: Unit,
  before: EpochSeconds,
  limit = 500,
  kinds: readonly string[] | null = null,
): Promise<number> {
  const old = await unit.sql
    .deleteFrom('throttles')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('kind', 'key_digest'),
        'in',
        selectFrom('throttles')
          .select(['kind', 'key_digest'])
          .where('last_at', '<', before)
          .where('blocked_until_at', '<', unit.logTime)
          .$if(kinds !== null, (query) => query.where('kind', 'in', [...(kinds ?? [])]))
          .limit(limit)
          .$asTuple('kind', 'key_digest'),
      ),
    )
    .executeTakeFirst();
  return Number(old.numDeletedRows);
}
