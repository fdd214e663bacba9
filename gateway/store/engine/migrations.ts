// Brings the database's tables to the version this program knows, and refuses a database that is newer than the program.
// Migrations are numbered and only ever appended. All missing migrations run in one transaction under one lock, so two nodes that
// start at once make the tables once.

import { randomBytes } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { type Engine, type RefusedStore, refuseStore } from '../port/engine.ts';
import type { Tables } from '../port/tables.ts';
import { type ColumnTypes, columnTypes } from './column-types.ts';
import { firstTables } from './migration-001.ts';
import { linkLists } from './migration-002.ts';
import { logTimes } from './migration-003.ts';
import { firstHour } from './migration-004.ts';
import { sharedKeys } from './migration-005.ts';

/** `migrations[n - 1]` makes version n out of version n - 1. */
const migrations: readonly ((types: ColumnTypes) => readonly string[])[] = [
  firstTables,
  linkLists,
  logTimes,
  firstHour,
  sharedKeys,
];

/** The version of the tables that this program works with. */
export const knownMigration = migrations.length;

/**
 * The oldest version whose rows fit into the present tables unchanged, since no later migration changed their columns. For
 * backups.
 */
export const oldestFittingMigration = 1;

/** `latchkey` in bytes, read as a 64-bit number: the key of the advisory lock. */
const migrationLock = '7809651199139603833';

/**
 * Applies the missing migrations.
 *
 * @param mode  `check`: apply nothing, and refuse a database that is older than the program as well
 * @returns the versions before and after; refused when the database is newer than the program
 * @throws StoreAway
 */
export async function migrate(
  engine: Engine,
  mode: 'apply' | 'check',
): Promise<{ readonly kind: 'migrated'; readonly from: number; readonly to: number } | RefusedStore> {
  const found = await readMigration(engine);
  if (found > knownMigration) return newer(found);
  if (found === knownMigration) return { kind: 'migrated', from: found, to: found };
  if (mode === 'check') {
    return refuseStore(
      `the store has migration ${found}, and this program needs ${knownMigration}`,
      'run latchkey store migrate, or start latchkey serve',
    );
  }
  const from = await engine.writer.transaction().execute(async (transaction) => {
    if (engine.kind === 'postgres') {
      // Another node may be migrating: wait for it without the limits of ordinary queries.
      await sql`set local lock_timeout = 0`.execute(transaction);
      await sql`set local statement_timeout = 0`.execute(transaction);
      await sql`select pg_advisory_xact_lock(${sql.raw(migrationLock)})`.execute(transaction);
    }
    const now = (await tableExists(engine, transaction)) ? await highest(transaction) : 0;
    if (now < knownMigration) await applyFrom(engine, transaction, now);
    return now;
  });
  return from > knownMigration ? newer(from) : { kind: 'migrated', from, to: knownMigration };
}

/** The version of the tables in the database; 0 for none. */
async function readMigration(engine: Engine): Promise<number> {
  return (await tableExists(engine, engine.writer)) ? highest(engine.writer) : 0;
}

async function applyFrom(engine: Engine, transaction: Transaction<Tables>, from: number): Promise<void> {
  const types = columnTypes[engine.kind];
  const bookkeeping = `create table if not exists schema_migrations (number ${types.integer} not null primary key) ${types.suffix}`;
  await sql.raw(bookkeeping).execute(transaction);
  for (const [at, statements] of migrations.entries()) {
    if (at < from) continue;
    for (const statement of statements(types)) await sql.raw(statement).execute(transaction);
    await sql`insert into schema_migrations (number) values (${at + 1})`.execute(transaction);
  }
  if (from === 0) {
    const begun = { log_time: 0, newest_at: 0, hour_ahead: null, ahead: null, marked_at: 0, lowest_clock: 0 };
    await transaction
      .insertInto('log_position')
      .values({ id: 1, epoch: makeEpoch(), seq: 0, ...begun })
      .execute();
  }
}

/** Makes the name of a new epoch; see `LogPosition`. */
export function makeEpoch(): string {
  return randomBytes(8).toString('base64url');
}

async function tableExists(engine: Engine, database: Engine['writer']): Promise<boolean> {
  const { rows } =
    engine.kind === 'postgres'
      ? // Not to_regclass: in a transaction that waited for another transaction, it answers from before that other one.
        await sql`select 1 from pg_catalog.pg_class
          where relname = 'schema_migrations' and pg_catalog.pg_table_is_visible(oid)`.execute(database)
      : await sql`select 1 from sqlite_schema where name = 'schema_migrations'`.execute(database);
  return rows.length > 0;
}

async function highest(database: Engine['writer']): Promise<number> {
  const { rows } = await sql<{ number: number | null }>`select max(number) as number from schema_migrations`.execute(
    database,
  );
  return rows[0]?.number ?? 0;
}

function newer(found: number): RefusedStore {
  return refuseStore(
    `the store has migration ${found}, and this program knows only ${knownMigration}`,
    'start the newer latchkey that made it, or restore a backup of the older one',
  );
}
