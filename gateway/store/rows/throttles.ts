// Rows of what is counted: guesses at secrets, requests of strangers, mails. Kept in the store, so a restart gives nothing back and
// all nodes count together. What is counted and how hard is the caller's; the rule for guesses is core/model/try-count.ts.
// Whoever counts does so before looking, in the same unit, so that many at once are still counted one by one.
// All times here are log time (log-time.ts): no clock that is set gives guesses back, or keeps somebody out.

import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { TryCount } from '../../core/model/try-count.ts';
import { fixedStatement, type Places } from '../port/fixed-statement.ts';
import type { Sql, Unit } from '../port/store.ts';
import type { ThrottlesTable } from '../port/tables.ts';
import { makeThrottleRoom } from './throttle-room.ts';

/** What is counted. */
export interface ThrottleKey {
  readonly kind: string;
  /** Digest of it, base64url: addresses of people do not stand in this table. */
  readonly keyDigest: string;
}

/** How long somebody waits for whom there is no room in the table. */
export const noRoomSeconds = 60;

/** Every guess asks this, also each that is refused. A digest is of its kind alone, so no more is found than was asked for. */
const findCounts = fixedStatement(
  (sql, at: Places<{ readonly kinds: readonly string[]; readonly digests: readonly string[] }>) =>
    sql
      .selectFrom('throttles')
      .selectAll()
      .where('kind', 'in', [...at.list('kinds')])
      .where('key_digest', 'in', [...at.list('digests')]),
);

/** What was counted of each; null for nothing. In the order of the keys. */
export async function readCounts(sql: Sql, keys: readonly ThrottleKey[]): Promise<readonly (TryCount | null)[]> {
  if (keys.length === 0) return [];
  const kinds = [...new Set(keys.map(({ kind }) => kind))];
  const digests = keys.map(({ keyDigest }) => keyDigest);
  // few lengths are few texts; one digest twice finds nothing more
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
 * @param counts  at least one; `isNew`: there was no row when it was read in this unit
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

/** After a right guess. */
export async function forgetGuesses(unit: Unit, ...keys: readonly ThrottleKey[]): Promise<void> {
  if (keys.length === 0) return;
  await unit.sql
    .deleteFrom('throttles')
    .where((on) => isOneOf(on, keys))
    .execute();
}

/** Takes one guess back, because it was right; the others of the same key stay counted, and so does a block that stands. */
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
 * Drops what was not counted since a moment and blocks nobody.
 *
 * @param kinds  only of these; default all
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
