// Kysely's dialect for PostgreSQL over pg's pool. In place of Kysely's own driver, because a connection that failed must be
// thrown away and not go back to the pool, and a connection's failure must reach callers as `StoreAway`.
// 64-bit numbers and counts become JavaScript numbers, and a number that does not fit is refused, never rounded.

import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import pg from 'pg';
import { StoreAway } from '../port/store.ts';

export function makePostgresDialect(pool: pg.Pool): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresDriver(pool),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

/** How values are read: as tables.ts says, the same as SQLite gives them. */
export const columnParsers: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format !== 'binary' && (oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC))
      return wholeNumber;
    if (format !== 'binary' && oid === pg.types.builtins.BOOL) return (text: string) => (text === 't' ? 1 : 0);
    return pg.types.getTypeParser(oid, format);
  },
};

/** Whether an error says that the database is away or gave up, in place of: that what was asked is wrong. */
function isAway(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof NotANumber) return false;
  // Errors without an SQLSTATE are the connection's.
  if (!(error instanceof pg.DatabaseError)) return true;
  const code = error.code ?? '';
  return awayClasses.has(code.slice(0, 2)) || awayCodes.has(code);
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
/** connection, authorization, no such database, resources, intervention (and timeouts), system, damage. */
const awayClasses = new Set(['08', '28', '3D', '53', '57', '58', 'XX']);
/** lock not available, serialisation failure, deadlock, idle in transaction, transaction timeout, read only (a standby). */
const awayCodes = new Set(['55P03', '40001', '40P01', '25P03', '25P04', '25006']);

class NotANumber extends Error {}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new NotANumber('a number of the store is not whole or is beyond 2^53');
  return value;
}

class PostgresDriver implements Driver {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    try {
      return new PostgresConnection(await this.#pool.connect());
    } catch (error) {
      throw new StoreAway(error);
    }
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    // PostgreSQL's own default can be another one per database or role; units count on this one.
    const level = settings.isolationLevel ?? 'read committed';
    const access = settings.accessMode ?? '';
    if (connection instanceof PostgresConnection) connection.sendAhead(`begin isolation level ${level} ${access}`);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    // A transaction that failed answers COMMIT with ROLLBACK, and no error.
    const command = await execute(connection, 'commit');
    if (command === 'ROLLBACK') throw new Error('the transaction had failed, so nothing was committed');
  }

  /** Never fails: a connection that cannot roll back is thrown away, which does it. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (!(connection instanceof PostgresConnection) || connection.isBroken) return;
    await connection.run('rollback').catch(() => connection.discard());
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    if (connection instanceof PostgresConnection) connection.release();
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}

/**
 * Statements without an answer worth waiting for are sent ahead: they travel with the next one, so that a small unit costs one
 * journey to the server and not three.
 */
class PostgresConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  #isBroken = false;
  /** A statement failed, so that the transaction takes no other before it goes back to a savepoint. */
  #hasFailed = false;
  /** What became of a statement that was sent ahead, when it failed. */
  #failedAhead: unknown = null;
  readonly #onError = (): void => {
    this.#isBroken = true;
  };

  constructor(client: pg.PoolClient) {
    this.#client = client;
    // Without a listener, a server that goes away between two statements would end the process.
    client.on('error', this.#onError);
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // After a failure the answer matters: it tells that the unit was not what it seemed.
    if (sentAhead.has(query.sql) && !this.#hasFailed) {
      this.sendAhead(query.sql);
      return { rows: [] };
    }
    const { command, rowCount, rows } = await this.#query<R>(query.sql, [...query.parameters]);
    return countingCommands.has(command)
      ? { numAffectedRows: BigInt(rowCount ?? 0), rows: rows ?? [] }
      : { rows: rows ?? [] };
  }

  // biome-ignore lint/correctness/useYield: the interface asks for it, and nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('this store does not stream: read in pages');
  }

  /** @returns the command's tag */
  async run(text: string): Promise<string> {
    return (await this.#query(text, [])).command;
  }

  sendAhead(text: string): void {
    this.#client.query(text).catch((error: unknown) => {
      this.#failedAhead ??= this.#judge(error);
    });
  }

  discard(): void {
    this.#isBroken = true;
  }

  release(): void {
    this.#client.off('error', this.#onError);
    this.#client.release(this.#isBroken);
  }

  async #query<R>(text: string, values: unknown[]): Promise<pg.QueryResult<R & pg.QueryResultRow>> {
    try {
      const result = await this.#client.query<R & pg.QueryResultRow>(text, values);
      if (this.#failedAhead !== null) throw this.#failedAhead;
      if (text === goBack) this.#hasFailed = false;
      return result;
    } catch (error) {
      this.#hasFailed = true;
      throw this.#failedAhead ?? this.#judge(error);
    }
  }

  #judge(error: unknown): unknown {
    if (error instanceof StoreAway || !isAway(error)) return error;
    // A statement that ran into a limit leaves the connection whole; everything else does not.
    if (!(error instanceof pg.DatabaseError) || !keepsConnection.has(error.code ?? '')) this.#isBroken = true;
    return new StoreAway(error);
  }
}

/** Only right on a connection that sends before the last answer is there: `pipeline`. Texts of group-commit.ts. */
const sentAhead = new Set(['savepoint unit', 'release savepoint unit']);
const goBack = 'rollback to savepoint unit';
const countingCommands = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);
/** lock not available, query cancelled, serialisation failure, deadlock. */
const keepsConnection = new Set(['55P03', '57014', '40001', '40P01']);

async function execute(connection: DatabaseConnection, text: string): Promise<string> {
  return connection instanceof PostgresConnection ? connection.run(text) : '';
}
