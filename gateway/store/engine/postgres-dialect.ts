// A Kysely dialect for PostgreSQL over pg's pool. It replaces Kysely's own driver, which returns a failed connection to the pool;
// here such a connection is thrown away, and its failure reaches callers as `StoreAway`.
// 64-bit numbers and counts become JavaScript numbers; a number beyond 2^53 is refused, never rounded.

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

/** Reads values as tables.ts declares them, the same as SQLite gives them. */
export const columnParsers: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format !== 'binary' && (oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC))
      return wholeNumber;
    if (format !== 'binary' && oid === pg.types.builtins.BOOL) return (text: string) => (text === 't' ? 1 : 0);
    return pg.types.getTypeParser(oid, format);
  },
};

/** Whether an error means that the database is away or gave up, and not that the statement is wrong. */
function isAway(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof NotANumber) return false;
  // Errors without an SQLSTATE come from the connection.
  if (!(error instanceof pg.DatabaseError)) return true;
  const code = error.code ?? '';
  return awayClasses.has(code.slice(0, 2)) || awayCodes.has(code);
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
/** Classes: connection, authorization, no such database, resources, intervention (and timeouts), system, damage. */
const awayClasses = new Set(['08', '28', '3D', '53', '57', '58', 'XX']);
/** Codes: lock not available, serialisation failure, deadlock, idle in transaction, transaction timeout, read only (a standby). */
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
    // A database or a role can have another default isolation level; units rely on this one.
    const level = settings.isolationLevel ?? 'read committed';
    const access = settings.accessMode ?? '';
    if (connection instanceof PostgresConnection) connection.sendAhead(`begin isolation level ${level} ${access}`);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    // PostgreSQL answers the COMMIT of a failed transaction with the tag ROLLBACK and no error.
    const command = await execute(connection, 'commit');
    if (command === 'ROLLBACK') throw new Error('the transaction had failed, so nothing was committed');
  }

  /** Never fails: a connection that cannot roll back is thrown away, and the server rolls back when it closes. */
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
 * Statements whose answer nobody needs (savepoints) are not waited for: they travel together with the next statement, so that a
 * small unit costs one round trip to the server and not three.
 */
class PostgresConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  #isBroken = false;
  /** Whether a statement failed; then the transaction takes no other statement until it goes back to a savepoint. */
  #hasFailed = false;
  /** The error of a statement that was not waited for; null while there is none. */
  #failedAhead: unknown = null;
  readonly #onError = (): void => {
    this.#isBroken = true;
  };

  constructor(client: pg.PoolClient) {
    this.#client = client;
    // Without this listener, a connection that breaks between two statements would end the process.
    client.on('error', this.#onError);
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // After a failure the answer is waited for: it says whether the unit can still be released.
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

  /** @returns the command's tag, as PostgreSQL answers it */
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
    // After a statement that ran into a limit the connection stays usable; after any other failure it is thrown away.
    if (!(error instanceof pg.DatabaseError) || !keepsConnection.has(error.code ?? '')) this.#isBroken = true;
    return new StoreAway(error);
  }
}

/**
 * Statements of group-commit.ts that are not waited for. Needs a connection with `pipeline`, which sends before the last answer
 * came.
 */
const sentAhead = new Set(['savepoint unit', 'release savepoint unit']);
const goBack = 'rollback to savepoint unit';
const countingCommands = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);
/** Codes: lock not available, query cancelled, serialisation failure, deadlock. */
const keepsConnection = new Set(['55P03', '57014', '40001', '40P01']);

async function execute(connection: DatabaseConnection, text: string): Promise<string> {
  return connection instanceof PostgresConnection ? connection.run(text) : '';
}
