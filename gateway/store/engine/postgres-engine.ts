// Opens PostgreSQL for the store: a pool of one connection that writes, a pool of a few that read, one connection that listens.
// Client and server both limit every wait, so a node that stops in the middle of a batch loses the log's row to the other nodes.

import { Kysely, sql } from 'kysely';
import pg from 'pg';
import { type Engine, type EngineOptions, type RefusedStore, refuseStore } from '../port/engine.ts';
import { describeFailure } from '../port/failure-cause.ts';
import type { Tables } from '../port/tables.ts';
import { columnParsers, makePostgresDialect } from './postgres-dialect.ts';
import { listenForWakes } from './postgres-wakes.ts';

/** Connections of the pool that reads. */
const readConnections = 6;

/**
 * Each limit is longer than the one before. First the server ends a transaction whose client is silent. Waiting for that
 * transaction's lock may take longer than this. A statement may take the wait for its lock and a little more. The client gives up
 * last, when the server does not answer at all.
 */
const serving = { idleMs: 4_000, lockMs: 6_000, statementMs: 7_000, answerMs: 8_000 };
const patient = { idleMs: 120_000, lockMs: 60_000, statementMs: 600_000, answerMs: 610_000 };
const connectMs = 3_000;

/** @param url  `postgres://user:password@host:port/database?sslmode=…` */
export async function openPostgres(url: string, options: EngineOptions): Promise<Engine | RefusedStore> {
  const limits = options.patient === true ? patient : serving;
  const connection: pg.ClientConfig = {
    connectionString: url,
    application_name: 'latchkey',
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idle_in_transaction_session_timeout: limits.idleMs,
    lock_timeout: limits.lockMs,
    statement_timeout: limits.statementMs,
    query_timeout: limits.answerMs,
    types: columnParsers,
    // Lets a statement be sent before the answer to the one before it has come; see postgres-dialect.ts.
    pipeline: true,
  };
  const makePool = (max: number, startOptions: string): pg.Pool => {
    const pool = new pg.Pool({ ...connection, max, options: startOptions, idleTimeoutMillis: 60_000 });
    // The pool replaces an idle connection that breaks; no caller waits for it, so its error is dropped.
    pool.on('error', () => {});
    return pool;
  };
  let writer: Kysely<Tables>;
  let reader: Kysely<Tables>;
  let feedReader: Kysely<Tables>;
  try {
    writer = new Kysely<Tables>({ dialect: makePostgresDialect(makePool(1, '')) });
    const readOnly = '-c default_transaction_read_only=on';
    reader = new Kysely<Tables>({ dialect: makePostgresDialect(makePool(readConnections, readOnly)) });
    feedReader = new Kysely<Tables>({ dialect: makePostgresDialect(makePool(1, readOnly)) });
  } catch {
    return refuseStore('store: the URL is none', 'write it as postgres://user:password@host/database');
  }
  const close = async (): Promise<void> => {
    await reader.destroy();
    await feedReader.destroy();
    await writer.destroy();
  };
  const refused = await checkServer(writer, url, options);
  if (refused !== null) {
    await close();
    return refused;
  }
  return {
    kind: 'postgres',
    reader,
    feedReader,
    writer,
    listen: (wake) =>
      listenForWakes({
        connection,
        logger: options.logger,
        wake: options.dropNotifications === true ? () => {} : wake,
      }),
    close,
  };
}

/** Checks the server's settings that durability and ordering rely on. */
async function checkServer(
  writer: Kysely<Tables>,
  url: string,
  { logger }: EngineOptions,
): Promise<RefusedStore | null> {
  try {
    const { rows } = await sql<{ version: number; encoding: string; sync: string; fsync: string }>`
      select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
        current_setting('synchronous_commit') as sync, current_setting('fsync') as fsync`.execute(writer);
    const server = rows[0];
    if (server === undefined) return refuseStore('the database gave no settings', 'is it PostgreSQL?');
    if (server.version < 130000) return refuseStore('the PostgreSQL is older than 13', 'use 13 or newer');
    if (server.encoding !== 'UTF8') {
      return refuseStore(`the database has the encoding ${server.encoding}`, 'make it with ENCODING UTF8');
    }
    if (server.sync === 'off') {
      return refuseStore(
        'the database has synchronous_commit = off: what it calls committed can be lost',
        'set synchronous_commit = on for this database or role',
      );
    }
    if (server.fsync === 'off') logger.warn('the database has fsync = off: a power cut can lose what was acknowledged');
    return null;
  } catch (error) {
    return refuseServer(error, url);
  }
}

function refuseServer(error: unknown, url: string): RefusedStore {
  const { cause, words, hint } = describeFailure(error);
  const isForGood = cause === 'login-refused' || cause === 'no-database';
  return refuseStore(
    `PostgreSQL ${describePlace(url)} cannot be used: ${words}`,
    hint,
    isForGood ? 'for good' : 'away',
  );
}

/** Host and database of a URL, without user and password. */
function describePlace(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return 'of store';
  }
}
