// Searches the store for damage: a broken file, references to rows that do not exist, counts that do not add up, holes in the log,
// and sealed texts that do not open. Reads only, in one snapshot, and repairs nothing.

import { sql, type Transaction } from 'kysely';
import type { Sql, Store } from '../port/store.ts';
import type { Tables } from '../port/tables.ts';
import { readPosition } from '../rows/change-log.ts';
import { listSealed, sealedColumns } from '../rows/sealed-columns.ts';
import { SealBroken, type Sealer } from '../seal/sealing.ts';
import { type RowCheck, shareChecks } from './check-shares.ts';

interface StoreProblem {
  /** Which rule was broken, in one word or two. */
  readonly check: string;
  /** The damage in words, with up to five ids. */
  readonly problem: string;
}

/**
 * Runs all checks.
 *
 * @param sealer  null: sealed texts are not tried
 * @returns an empty list when all is well
 * @throws StoreAway
 */
export async function checkStore(
  store: Pick<Store, 'engine' | 'sql'>,
  sealer: Sealer | null,
): Promise<readonly StoreProblem[]> {
  return store.sql
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (snapshot) => [
      ...(store.engine === 'sqlite' ? await checkFile(snapshot) : []),
      ...(await checkLog(snapshot)),
      ...(await checkRows(snapshot)),
      ...(sealer === null ? [] : await checkSeals(snapshot, sealer)),
    ]);
}

async function checkFile(snapshot: Transaction<Tables>): Promise<StoreProblem[]> {
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(5)`.execute(snapshot);
  return rows
    .filter(({ integrity_check }) => integrity_check !== 'ok')
    .map(({ integrity_check }) => ({ check: 'file', problem: `the database file is damaged: ${integrity_check}` }));
}

async function checkLog(snapshot: Transaction<Tables>): Promise<StoreProblem[]> {
  const { epoch, seq } = await readPosition(snapshot);
  const row = await snapshot
    .selectFrom('changes')
    .select((column) => [
      column.fn.countAll<number>().as('count'),
      column.fn.min('seq').as('first'),
      column.fn.max('seq').as('last'),
    ])
    .where('epoch', '=', epoch)
    .executeTakeFirst();
  if (row === undefined || row.count === 0) return [];
  const problems: StoreProblem[] = [];
  if (row.last !== seq)
    problems.push({ check: 'log', problem: `the log ends at ${seq}, its last change is ${row.last}` });
  if (row.last - row.first + 1 !== row.count) {
    problems.push({ check: 'log', problem: `the log has holes between ${row.first} and ${row.last}` });
  }
  return problems;
}

const rowChecks: readonly RowCheck[] = [
  {
    check: 'members',
    what: 'members whose link does not exist',
    ids: 'select m.id from members m left join links l on l.id = m.link_id where l.id is null',
  },
  {
    check: 'members',
    what: 'members of another access key or collection than their link',
    ids: `select m.id from members m join links l on l.id = m.link_id
      where m.access_key_id <> l.access_key_id or m.collection <> l.collection`,
  },
  {
    check: 'members',
    what: 'members whose account does not exist',
    ids: 'select m.id from members m left join accounts a on a.id = m.account_id where a.id is null',
  },
  {
    check: 'links',
    what: 'links whose access key does not exist',
    ids: 'select l.id from links l left join access_keys k on k.id = l.access_key_id where k.id is null',
  },
  {
    check: 'claims',
    what: 'links whose count of claims is not that of their members',
    ids: `select l.id from links l left join (select link_id, count(*) as bound from members group by link_id) m
      on m.link_id = l.id where l.claims_used <> coalesce(m.bound, 0)`,
  },
  {
    check: 'claims',
    what: 'links claimed more often than allowed',
    ids: 'select id from links where claims_used > claims_allowed',
  },
  {
    check: 'sessions',
    what: 'sessions whose account or device does not exist',
    ids: `select s.id from sessions s left join accounts a on a.id = s.account_id left join devices d on d.id = s.device_id
      where a.id is null or d.id is null`,
  },
  {
    check: 'sessions',
    what: 'sessions on a device of another account',
    ids: 'select s.id from sessions s join devices d on d.id = s.device_id where d.account_id <> s.account_id',
  },
  ...shareChecks,
];

async function checkRows(snapshot: Transaction<Tables>): Promise<StoreProblem[]> {
  const problems: StoreProblem[] = [];
  for (const { check, what, ids } of rowChecks) {
    const { rows } = await sql<{ id: string }>`select id from (${sql.raw(ids)}) found order by id limit 6`.execute(
      snapshot,
    );
    if (rows.length === 0) continue;
    const named = rows
      .slice(0, 5)
      .map(({ id }) => id)
      .join(', ');
    problems.push({ check, problem: `${what}: ${named}${rows.length > 5 ? ' and more' : ''}` });
  }
  return problems;
}

const pageRows = 500;

async function checkSeals(snapshot: Sql, sealer: Sealer): Promise<StoreProblem[]> {
  const problems: StoreProblem[] = [];
  for (const sealedColumn of sealedColumns) {
    let last = '';
    for (;;) {
      const rows = await listSealed(snapshot, sealedColumn, last, pageRows);
      for (const { id, sealed } of rows) {
        try {
          sealer.open({ ...sealedColumn, row: id }, sealed);
        } catch (error) {
          if (!(error instanceof SealBroken)) throw error;
          problems.push({ check: 'seals', problem: error.message });
        }
      }
      last = rows.at(-1)?.id ?? last;
      if (rows.length < pageRows || problems.length > 20) break;
    }
  }
  return problems;
}
