// A Kysely dialect for node:sqlite: a few connections to one file, each used by one caller at a time.
// A statement runs synchronously to its end, so a query never waits for another query, only for a whole transaction. A lock that
// another process holds is tried again after a pause; SQLite's own wait would block the whole process.
// Errors of the file system become `StoreAway`; errors in a statement stay what they are.

import { type BigIntStats, statSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { monotonicMs } from '../../telemetry/clock.ts';
import { GaveUp } from '../port/failure-cause.ts';
import { StoreAway } from '../port/store.ts';

interface SqliteDialectOptions {
  readonly file: string;
  /** `write`: transactions take the write lock at once. `read`: writes are refused. */
  readonly access: 'read' | 'write';
  readonly connections: number;
  /** Longest wait for a free connection, and for a lock that another process holds; in milliseconds. */
  readonly waitMs: number;
}

/** Prepared statements kept per connection. */
const maxPrepared = 256;
/** Pause between two tries to get a lock that another process holds. */
const retryMs = 20;

export function makeSqliteDialect(options: SqliteDialectOptions): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(options),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class SqliteDriver implements Driver {
  readonly #options: SqliteDialectOptions;
  readonly #all: SqliteConnection[] = [];
  readonly #free: SqliteConnection[] = [];
  readonly #waiting: ((connection: SqliteConnection) => void)[] = [];
  #ended = false;

  constructor(options: SqliteDialectOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    for (let at = 0; at < this.#options.connections; at++) {
      const connection = new SqliteConnection(this.#options);
      this.#all.push(connection);
      this.#free.push(connection);
    }
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#ended) throw new StoreAway(new GaveUp('closed', 'the store is closed'));
    const free = this.#free.pop();
    if (free !== undefined) return free;
    return new Promise((resolve, reject) => {
      const take = (connection: SqliteConnection): void => {
        clearTimeout(timer);
        resolve(connection);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(new StoreAway(new GaveUp('timeout', `no connection was free within ${this.#options.waitMs} ms`)));
      }, this.#options.waitMs);
      this.#waiting.push(take);
    });
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    if (!(connection instanceof SqliteConnection)) return;
    await connection.runPatiently(this.#options.access === 'write' ? 'begin immediate' : 'begin');
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    if (connection instanceof SqliteConnection) await connection.commit();
  }

  /** Never fails: after the worst errors SQLite has rolled back by itself, and ROLLBACK finds no transaction. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (connection instanceof SqliteConnection) connection.rollback();
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    if (!(connection instanceof SqliteConnection)) return;
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(connection);
    else next(connection);
  }

  async destroy(): Promise<void> {
    this.#ended = true;
    for (const connection of this.#all.splice(0)) connection.close();
    this.#free.length = 0;
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #access: 'read' | 'write';
  readonly #waitMs: number;
  readonly #file: string;
  /** Device and inode of the file when it was opened. */
  readonly #opened: BigIntStats;
  readonly #prepared = new Map<string, { readonly statement: StatementSync; readonly givesRows: boolean }>();
  /**
   * Whether a statement of the unit failed. As on PostgreSQL, the unit then takes no other statement until it goes back to its
   * savepoint.
   */
  #hasFailed = false;

  constructor({ file, access, waitMs }: SqliteDialectOptions) {
    this.#access = access;
    this.#waitMs = waitMs;
    this.#file = file;
    this.#database = new DatabaseSync(file, { timeout: waitMs, allowExtension: false });
    // FULL: a commit that returned survives a power cut. On macOS that takes fullfsync.
    // https://www.sqlite.org/pragma.html#pragma_synchronous
    // A checkpoint writes scattered pages and waits for the disk inside somebody's commit. With 32 MiB of log instead of 4 it
    // comes once in some 600 claims, not in 70, and most pages were written several times by then; see bench/links.ts.
    // Pages that a commit touches are random in a large table: 64 MiB of them stay with the writer, 16 with each reader.
    try {
      this.#database.exec(`
      PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA fullfsync=ON; PRAGMA checkpoint_fullfsync=ON;
      PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;
      PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=8000;
      PRAGMA cache_size=${access === 'read' ? -16_384 : -65_536}; PRAGMA query_only=${access === 'read' ? 'ON' : 'OFF'};
      PRAGMA busy_timeout=0`);
      this.#opened = statSync(file, { bigint: true });
    } catch (error) {
      // on a full disk the file can be opened, and a pragma fails
      this.#database.close();
      throw this.#asAway(error);
    }
  }

  async commit(): Promise<void> {
    if (this.#hasFailed) throw new Error('the transaction had failed, so nothing was committed');
    if (this.#access === 'write') this.#seeThatItIsThere();
    await this.runPatiently('commit');
  }

  /**
   * Throws when the file was removed or moved away: SQLite would write on without an error, and the rows would be lost with this
   * process.
   */
  #seeThatItIsThere(): void {
    let now: BigIntStats;
    try {
      now = statSync(this.#file, { bigint: true });
    } catch (error) {
      throw new StoreAway(error);
    }
    if (now.ino !== this.#opened.ino || now.dev !== this.#opened.dev)
      throw new StoreAway(new GaveUp('missing', 'another file stands where the database was'));
  }

  rollback(): void {
    this.#hasFailed = false;
    if (this.#database.isTransaction) this.run('rollback');
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#hasFailed && query.sql !== goBack)
      throw new Error('a statement of this unit failed before: it cannot go on');
    try {
      const values = query.parameters.map(toSqlite);
      const run = (): QueryResult<R> => this.#run(query.sql, values);
      // the connection that holds the write lock meets no other lock
      return this.#access === 'write' && this.#database.isTransaction ? run() : await this.#patiently(run);
    } catch (error) {
      this.#hasFailed = this.#access === 'write' && this.#database.isTransaction;
      throw this.#asAway(error);
    }
  }

  #run<R>(text: string, values: SQLInputValue[]): QueryResult<R> {
    const { statement, givesRows } = this.#prepare(text);
    if (givesRows) return { rows: statement.all(...values) as R[] };
    const { changes } = statement.run(...values);
    if (text === goBack) this.#hasFailed = false;
    return { numAffectedRows: BigInt(changes), rows: [] };
  }

  // biome-ignore lint/correctness/useYield: the interface asks for it, and nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('this store does not stream: read in pages');
  }

  run(text: string): void {
    try {
      this.#database.exec(text);
      this.#hasFailed = false;
    } catch (error) {
      throw this.#asAway(error);
    }
  }

  /** Runs a statement, with a wait for a lock that another process holds. */
  async runPatiently(text: string): Promise<void> {
    try {
      await this.#patiently(() => this.#database.exec(text));
      this.#hasFailed = false;
    } catch (error) {
      throw this.#asAway(error);
    }
  }

  /** Tries a statement again while it meets a lock: a statement that was refused by a lock has done nothing. */
  async #patiently<T>(run: () => T): Promise<T> {
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (;;) {
      try {
        return run();
      } catch (error) {
        const now = monotonicMs();
        if (deadlineMs === Number.POSITIVE_INFINITY) deadlineMs = now + this.#waitMs;
        if (resultCode(error) !== busyCode || now >= deadlineMs || !this.#database.isOpen) throw error;
      }
      await pause(retryMs);
    }
  }

  close(): void {
    this.#prepared.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepare(text: string): { readonly statement: StatementSync; readonly givesRows: boolean } {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    const made = { statement, givesRows: statement.columns().length > 0 };
    if (this.#prepared.size >= maxPrepared) this.#prepared.clear();
    this.#prepared.set(text, made);
    return made;
  }

  #asAway(error: unknown): unknown {
    const code = resultCode(error);
    const isRefusedWrite = code === 8 && this.#access === 'read';
    return awayCodes.has(code) && !isRefusedWrite ? new StoreAway(error) : error;
  }
}

/** The statement by which group-commit.ts undoes a unit. */
const goBack = 'rollback to savepoint unit';

/** Primary codes perm, busy, locked, nomem, readonly, ioerr, corrupt, full, cantopen, protocol, notadb. */
const awayCodes = new Set([3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26]);

/** SQLITE_BUSY: another process holds a lock. */
const busyCode = 5;

/** The primary result code (https://www.sqlite.org/rescode.html); 0 for an error that is not SQLite's. */
function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
}

/** Refuses values that not both engines take. Both take texts without NUL, whole numbers up to 2^53, null. */
function toSqlite(value: unknown): SQLInputValue {
  if (value === null) return null;
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new Error('a text of the store cannot hold the character NUL');
    return value;
  }
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value);
  throw new Error(`the store takes texts, whole numbers up to 2^53 and null, not ${typeof value}`);
}
