// Copies the whole store, while it is in use, into one file: one snapshot of all tables. backup-file.ts has the form of the file.
// Sealed texts stay sealed, and the master key is not in the backup: the operator keeps that key elsewhere.

import { sql, type Transaction } from 'kysely';
import type { LogPosition } from '../../core/model/change.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { replaceFileInPieces } from '../disk/atomic-file.ts';
import { knownMigration } from '../engine/migrations.ts';
import { describeFailure } from '../port/failure-cause.ts';
import type { Store } from '../port/store.ts';
import type { Tables } from '../port/tables.ts';
import { readPosition } from '../rows/change-log.ts';
import { type BackupRow, writeBackupLines } from './backup-file.ts';

export interface BackupOptions {
  /** Should be opened with `patient`, so that a large store on a slow disk runs into no limit. */
  readonly store: Pick<Store, 'engine' | 'sql'>;
  /** Absolute path of the backup. An existing file is replaced; mode 0600. */
  readonly file: string;
  readonly clock: { epochSeconds(): EpochSeconds };
}

type BackupResult =
  | { readonly kind: 'written'; readonly file: string; readonly rows: number; readonly position: LogPosition }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/**
 * Every table whose rows a backup holds. The head has the log's place in place of `log_position`. Requests for shares and
 * representations of keys last an hour at most and end with a restore, so they are not in it.
 */
export const backedUpTables = [
  'store_marks',
  'keys',
  'accounts',
  'devices',
  'sessions',
  'one_time_codes',
  'throttles',
  'access_keys',
  'links',
  'members',
  'outbox',
  'credentials',
  'credential_keys',
  'shares',
  'share_blocks',
  'audit',
  'changes',
] as const satisfies readonly (keyof Tables)[];

const pageRows = 500;

/** Writes the backup. @throws StoreAway  an old file of the same name stays */
export async function backupStore({ store, file, clock }: BackupOptions): Promise<BackupResult> {
  const count = { rows: 0 };
  try {
    // one snapshot for all tables, so that rows that refer to each other are all there
    const position = await store.sql
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (snapshot) => {
        const { epoch, seq } = await readPosition(snapshot);
        const head = {
          format: 'latchkey-backup',
          version: 1,
          migration: knownMigration,
          engine: store.engine,
          at: clock.epochSeconds(),
          epoch,
          seq,
        } as const;
        await replaceFileInPieces(file, writeBackupLines(head, readTables(store.engine, snapshot), count));
        return { epoch, seq };
      });
    return { kind: 'written', file, rows: count.rows, position };
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) {
      const problem = `${file} cannot be written: ${describeFailure(error).words}`;
      return {
        kind: 'refused',
        problem,
        hint: 'name a file in a folder that is there, with room, where this user may write',
      };
    }
    throw error;
  }
}

async function* readTables(
  engine: Store['engine'],
  snapshot: Transaction<Tables>,
): AsyncIterable<{ readonly table: string; readonly rows: readonly BackupRow[] }> {
  for (const table of backedUpTables) {
    yield { table, rows: [] };
    const pages = engine === 'postgres' ? readByCursor(snapshot, table) : readByRowid(snapshot, table);
    for await (const rows of pages) yield { table, rows };
  }
}

async function* readByCursor(snapshot: Transaction<Tables>, table: string): AsyncIterable<BackupRow[]> {
  await sql`declare backup no scroll cursor for select * from ${sql.table(table)}`.execute(snapshot);
  for (;;) {
    const { rows } = await sql<BackupRow>`fetch ${sql.lit(pageRows)} from backup`.execute(snapshot);
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) break;
  }
  await sql`close backup`.execute(snapshot);
}

async function* readByRowid(snapshot: Transaction<Tables>, table: string): AsyncIterable<BackupRow[]> {
  let last = 0;
  for (;;) {
    const { rows } = await sql<BackupRow>`select rowid as backup_rowid, * from ${sql.table(table)}
      where rowid > ${last} order by rowid limit ${pageRows}`.execute(snapshot);
    if (rows.length > 0) yield rows.map(({ backup_rowid, ...row }) => row);
    if (rows.length < pageRows) return;
    last = Number(rows.at(-1)?.backup_rowid);
  }
}
