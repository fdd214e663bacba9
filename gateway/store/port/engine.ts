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
  /** Statements may take minutes and not seconds: for backup, restore and checks by command. Default false. */
  readonly patient?: boolean;
  /** For tests: lose every notification of PostgreSQL, so that only polls find changes. Default false. */
  readonly dropNotifications?: boolean;
}

export interface Engine {
  readonly kind: 'sqlite' | 'postgres';
  /** Reads only; a write through it fails. Several at a time. */
  readonly reader: Kysely<Tables>;
  /** Reads the log for the feed of the edges, and waits behind no other read: while it waits, what edges know grows too old. */
  readonly feedReader: Kysely<Tables>;
  /** One connection. Its transactions take the writer's lock when they begin (SQLite) or with the log's row (PostgreSQL). */
  readonly writer: Kysely<Tables>;
  /** Begins to hear of commits of other nodes. `wake` may come for nothing, and may fail to come. @returns the end of it */
  readonly listen: (wake: () => void) => () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface RefusedStore {
  readonly kind: 'refused';
  readonly problem: string;
  readonly hint: string;
  /** The database did not answer, so trying again later may help; otherwise somebody has to change something. */
  readonly away: boolean;
}

export function refuseStore(problem: string, hint: string, away: 'away' | 'for good' = 'for good'): RefusedStore {
  return { kind: 'refused', problem, hint, away: away === 'away' };
}
