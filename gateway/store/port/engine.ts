// What a database engine gives to the store: one Kysely for reads, one for the single writer, and wakes from other nodes.
// Knows nothing of units, changes or tables' meaning. The two engines: sqlite-engine.ts, postgres-engine.ts.

import type { Kysely } from 'kysely';
import type { Logger } from '../../telemetry/logger.ts';
import type { Tables } from './tables.ts';

/** Where the store is. `file` is an absolute path; `url` is `postgres://user:password@host/database`. */
export type StoreSettings =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string };

export interface EngineOptions {
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Lets statements take minutes in place of seconds: for backup, restore and checks by command. Default false. */
  readonly patient?: boolean;
  /** For tests: lose every notification of PostgreSQL, so that only polls find changes. Default false. */
  readonly dropNotifications?: boolean;
}

export interface Engine {
  readonly kind: 'sqlite' | 'postgres';
  /** For reads, several at a time. A write through it fails. */
  readonly reader: Kysely<Tables>;
  /** For reads of the log by the edges' feed. It never waits behind other reads: meanwhile the edges' index would grow too old. */
  readonly feedReader: Kysely<Tables>;
  /** One connection. Its transactions take the writer's lock when they begin (SQLite) or with the log's row (PostgreSQL). */
  readonly writer: Kysely<Tables>;
  /**
   * Listens for commits of other nodes. `wake` may be called without a commit, and a commit may not call it.
   *
   * @returns a function that stops listening
   */
  readonly listen: (wake: () => void) => () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Why a store cannot be used, for people to read. It never holds the URL's password. */
export interface RefusedStore {
  readonly kind: 'refused';
  readonly problem: string;
  readonly hint: string;
  /** true: the database did not answer, and a later try may succeed. false: an operator has to change something first. */
  readonly away: boolean;
}

export function refuseStore(problem: string, hint: string, away: 'away' | 'for good' = 'for good'): RefusedStore {
  return { kind: 'refused', problem, hint, away: away === 'away' };
}
