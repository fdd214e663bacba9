// Reads and prunes the change log. Changes are numbered without gaps in the order of commits, so a reader that has seen number n
// has seen every change up to n. When the log cannot continue a reader's place, the answer is `restart`, never a list with a
// hole. Rules: gateway/RULES.md "One graph of revocation". Units append: engine/group-commit.ts.

import type { Change, LogPosition } from '../../core/model/change.ts';
import { fixedStatement } from '../port/fixed-statement.ts';
import { type ChangesRead, type RevocationList, type Sql, StoreAway, type Unit } from '../port/store.ts';
import { readAgedSeq } from './log-time.ts';

/** Longer than any token lives that a change can revoke. */
export const defaultChangeLifeSeconds = 35 * 24 * 3600;
/** Changes in one answer; a reader asks again at once when there may be more. */
export const defaultChangesPerRead = 1000;

/** Where the log ends. @throws StoreAway when the store has no log */
export async function readPosition(sql: Sql): Promise<LogPosition> {
  const [row] = (await findPosition(sql, {})).rows;
  if (row === undefined) throw new StoreAway(new Error('the store has no log'));
  return { epoch: row.epoch, seq: row.seq };
}

const findPosition = fixedStatement((sql) =>
  sql.selectFrom('log_position').select(['epoch', 'seq']).where('id', '=', 1),
);

/**
 * The next changes after a place.
 *
 * @returns at most `limit` changes, and the place of the last of them (or the end of the log) from which to ask again. `restart`
 *          for a place of another epoch, ahead of the log, or older than the changes that are kept
 */
export async function readChanges(
  sql: Sql,
  after: LogPosition,
  limit: number = defaultChangesPerRead,
): Promise<ChangesRead> {
  // The end is read before the changes: since numbers are committed in order, all changes up to that end are there.
  const end = await readPosition(sql);
  if (end.epoch !== after.epoch || after.seq > end.seq) return { kind: 'restart' };
  if (after.seq === end.seq) return { kind: 'changes', position: end, changes: [] };
  const changes = await sql
    .selectFrom('changes')
    .select(['seq', 'kind', 'node', 'at'])
    .where('epoch', '=', after.epoch)
    .where('seq', '>', after.seq)
    .where('seq', '<=', end.seq)
    .orderBy('seq')
    .limit(limit)
    .execute();
  const last = changes.at(-1);
  // Changes behind the reader's place were pruned, just now or long ago.
  if (last === undefined || last.seq !== after.seq + changes.length) return { kind: 'restart' };
  return { kind: 'changes', position: { epoch: end.epoch, seq: last.seq }, changes };
}

/**
 * All revocations that are kept: the last change of each node, with the latest `at` of all changes of that node. So a second
 * revocation by a clock that was behind does not weaken the first.
 */
export async function readRevocations(sql: Sql): Promise<RevocationList> {
  const position = await readPosition(sql);
  const revocations: Change[] = await sql
    .selectFrom('changes')
    .innerJoin(
      (nested) =>
        nested
          .selectFrom('changes')
          .select((column) => [column.fn.max('seq').as('seq'), column.fn.max('at').as('at')])
          .where('epoch', '=', position.epoch)
          .where('kind', 'in', ['revoke', 'outside'])
          .where('seq', '<=', position.seq)
          .groupBy('node')
          .as('last'),
      (join) => join.onRef('last.seq', '=', 'changes.seq'),
    )
    .select(['changes.seq', 'changes.kind', 'changes.node', 'last.at'])
    .where('changes.epoch', '=', position.epoch)
    .orderBy('changes.seq')
    .execute();
  return { position, revocations };
}

/** Whether at least one of some nodes was revoked later than a place of the log. Only changes that are kept are seen. */
export async function wasRevokedAfter(
  sql: Sql,
  { epoch, seq }: LogPosition,
  nodes: readonly string[],
): Promise<boolean> {
  const revoked = await sql
    .selectFrom('changes')
    .select('seq')
    .where('epoch', '=', epoch)
    .where('node', 'in', [...nodes])
    .where('seq', '>', seq)
    .where('kind', '=', 'revoke')
    .limit(1)
    .executeTakeFirst();
  return revoked !== undefined;
}

/**
 * Drops changes that were appended longer ago than `lifeSeconds`, oldest first so that no hole appears, and all changes of former
 * epochs. The `at` of a change plays no part, since it is a reading of a wall clock.
 *
 * @param lifeSeconds  of log time. Default 35 days
 * @param limit        most rows dropped by this call. Default 10,000: no unit may hold the log for long
 * @returns how many were dropped; `limit` of them means: there may be more
 */
export async function pruneChanges(
  unit: Unit,
  lifeSeconds: number = defaultChangeLifeSeconds,
  limit = 10_000,
): Promise<number> {
  const { epoch } = await readPosition(unit.sql);
  const former = await unit.sql.deleteFrom('changes').where('epoch', '<>', epoch).executeTakeFirst();
  const aged = await readAgedSeq(unit.sql, unit.logTime, lifeSeconds);
  const oldest = await unit.sql
    .selectFrom('changes')
    .select((column) => column.fn.min('seq').as('seq'))
    .where('epoch', '=', epoch)
    .executeTakeFirst();
  if (oldest === undefined || oldest.seq === null || oldest.seq > aged) return Number(former.numDeletedRows);
  const end = Math.min(aged, oldest.seq + limit - 1);
  const old = await unit.sql
    .deleteFrom('changes')
    .where('epoch', '=', epoch)
    .where('seq', '<=', end)
    .executeTakeFirst();
  return Number(former.numDeletedRows) + Number(old.numDeletedRows);
}
