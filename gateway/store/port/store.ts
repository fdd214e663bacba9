// The store's port: what control may ask of SQLite and of PostgreSQL alike. Contract: test/store/contract.
// A unit of work is a function. Units that come together are committed together (one fsync for many), and a unit that throws is
// undone alone. A unit holds the log's row from its start to its end, on all nodes, so no two units run at the same time: what a
// unit reads stays true until the unit is durable, and the order of commits is the order of the log. Even so, the verdict on
// one-time things is the row count of one conditional statement.

import type { Kysely, Transaction } from 'kysely';
import type { Change, LogPosition, NewChange } from '../../core/model/change.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { describeFailure, type Failure } from './failure-cause.ts';
import type { StoreHealth } from './store-health.ts';
import type { Tables } from './tables.ts';

/** What queries run on: the store's own connections for reads, or the transaction of a unit. Both throw `StoreAway`. */
export type Sql = Kysely<Tables>;

/** A unit of work in progress. Its members may not be used after its function returned. */
export interface Unit {
  readonly sql: Transaction<Tables>;
  /** The wall clock when the unit began; the same for the whole unit. */
  readonly now: EpochSeconds;
  /**
   * The log's own time in seconds. Forgetting and counting go by it, since it never jumps and never goes back, whatever a wall
   * clock says. Only differences mean something. See rows/log-time.ts.
   */
  readonly logTime: number;
  /** The `at` of changes that this unit appends: `now`, or later when an earlier change says a later time. */
  readonly changedAt: EpochSeconds;
  /** Appends a change to the log, as part of the unit. @returns the change's number */
  readonly append: (change: NewChange) => Promise<number>;
}

/** The result of a durable unit. */
export interface Written<T> {
  readonly value: T;
  /** Where the log stood behind this unit's last change. */
  readonly position: LogPosition;
  /** How many changes this unit appended; with 0 there is nothing to enforce. */
  readonly changes: number;
}

/**
 * The changes after a place, oldest first. `restart`: the place is of another epoch or no longer kept, so the whole index is read
 * anew.
 */
export type ChangesRead =
  | { readonly kind: 'changes'; readonly position: LogPosition; readonly changes: readonly Change[] }
  | { readonly kind: 'restart' };

/** All revocations that the log keeps: an edge's index starts from them. */
export interface RevocationList {
  readonly position: LogPosition;
  /** Only changes of kind `revoke` and `outside`, the last of each node. */
  readonly revocations: readonly Change[];
}

export interface Store {
  readonly engine: 'sqlite' | 'postgres';
  /** For reads. A read sees committed units, never half a unit. Throws `StoreAway`. */
  readonly sql: Sql;
  /**
   * Runs a unit and resolves once it is durable.
   *
   * @throws StoreAway  the store cannot be reached, or whether the unit is durable is unknown; the caller may call nothing done
   * @throws whatever `work` throws; nothing of the unit is kept
   */
  readonly write: <T>(work: (unit: Unit) => Promise<T>) => Promise<Written<T>>;
  /** The next changes after a place. Throws `StoreAway`. */
  readonly readChanges: (after: LogPosition) => Promise<ChangesRead>;
  /** All revocations, for an index that starts. Throws `StoreAway`. */
  readonly readRevocations: () => Promise<RevocationList>;
  /** Where the log ends now, which also proves that the store was read at this moment. Throws `StoreAway`. */
  readonly readPosition: () => Promise<LogPosition>;
  /**
   * The number up to which every change was appended longer ago than `seconds` of log time; 0 for none.
   * Throws `StoreAway`.
   */
  readonly readAgedSeq: (seconds: number) => Promise<number>;
  /** The log's own time now, as this process estimates it; see `Unit.logTime`. */
  readonly logTime: () => number;
  /** Whether commits succeed. */
  readonly health: StoreHealth;
  /**
   * Calls the listener when something may have been committed, on this node or another. A wake can be missing, so readers also
   * poll.
   *
   * @returns a function that stops the calls
   */
  readonly onWake: (listener: () => void) => () => void;
  readonly close: () => Promise<void>;
}

/** The store did not answer, or not in time. The caller answers 503 and calls nothing done. */
export class StoreAway extends Error {
  readonly code = 'STORE_AWAY';
  /** Why, in words for operators; visitors are told nothing of it. */
  readonly failure: Failure;

  constructor(cause: unknown) {
    const failure = describeFailure(cause);
    super(`the store cannot be used: ${failure.words}`, { cause });
    this.failure = failure;
  }
}
