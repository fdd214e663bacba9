// Opens the SQLite file of the store: WAL, one connection that writes, a few that read, file mode 0600.
// Only the process that holds the data folder may do this while `serve` runs.

import { chmodSync, closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, sql } from 'kysely';
import { type Engine, type RefusedStore, refuseStore } from '../port/engine.ts';
import { describeFailure } from '../port/failure-cause.ts';
import type { Tables } from '../port/tables.ts';
import { makeSqliteDialect } from './sqlite-dialect.ts';

/** SQLite's application id, `ltck`: the `file` command and latchkey can tell by it that the database is latchkey's. */
const applicationId = 0x6c74636b;
const readConnections = 3;
const waitMs = 3_000;

/** Opens the file. @param file  absolute path; made when missing, in a folder that exists */
export async function openSqlite(file: string): Promise<Engine | RefusedStore> {
  try {
    // The file is made here and not by SQLite, so that other accounts can never read it; the -wal and -shm files take its mode.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    const folder = openSync(dirname(file), 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    const { cause, words, hint } = describeFailure(error);
    return refuseStore(
      `the store ${file} cannot be opened: ${words}`,
      cause === 'missing' ? 'make its folder, and let latchkey own it' : hint,
    );
  }
  const writer = new Kysely<Tables>({
    dialect: makeSqliteDialect({ file, access: 'write', connections: 1, waitMs }),
  });
  const reader = new Kysely<Tables>({
    dialect: makeSqliteDialect({ file, access: 'read', connections: readConnections, waitMs }),
  });
  const close = async (): Promise<void> => {
    await reader.destroy();
    await writer.destroy();
  };
  const foreign = await takeOwnership(writer, file);
  if (foreign !== null) {
    await close();
    return foreign;
  }
  // A read ends before another begins, so the feed's reads never wait behind a page's.
  return { kind: 'sqlite', reader, feedReader: reader, writer, listen: () => async () => {}, close };
}

/** Marks a new file as latchkey's. Refuses a file with another program's tables, and a file that is no database. */
async function takeOwnership(writer: Kysely<Tables>, file: string): Promise<RefusedStore | null> {
  try {
    const { rows } = await sql<{ application_id: number }>`pragma application_id`.execute(writer);
    if (rows[0]?.application_id === applicationId) return null;
    const tables = await sql<{ name: string }>`select name from sqlite_schema limit 1`.execute(writer);
    if (tables.rows.length > 0) {
      return refuseStore(`${file} is the database of another program`, 'name another file, or move that one away');
    }
    await sql`pragma application_id = ${sql.lit(applicationId)}`.execute(writer);
    return null;
  } catch (error) {
    const { cause, words, hint } = describeFailure(error);
    return refuseStore(
      `the store ${file} cannot be read: ${words}`,
      cause === 'damaged' ? 'see whether it is a database of latchkey; otherwise restore a backup' : hint,
    );
  }
}
