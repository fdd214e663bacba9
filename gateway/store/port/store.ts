// The store's port: what control may ask of SQLite and of PostgreSQL alike. Contract: test/store/contract.
// Written once: a unit of work is a function; units that come together are committed together (one fsync for many), each
// undone alone when it throws. A unit holds the log's row from its start to its end, on all nodes, so units never run beside
// each other: what one reads stays true until it is durable, and the order of commits is the order of the log.
// The verdict on one-time things is still the row count of one conditional statement.

import type { Kysely, Transaction } from 'kysely';
import type { Change, LogPosition, NewChange } from '../../core/model/change.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { describeFailure, type Failure } from './failure-cause.ts';
import type { StoreHealth } from './store-health.ts';
import type { Tables } from './tables.ts';

/** What queries run on: the store's own connections for reads, or the transaction of a unit. Both throw `StoreAway`. */
export type Sql = Kysely<Tables>;

/** One unit of work in progress. Nothing of it may be used after the function returned. */
export interface Unit {
  readonly sql: Transaction<Tables>;
  /** The clock's reading when the unit began; the same all through it. */
  readonly now: EpochSeconds;
  /**
   * The log's own time: what is forgotten and what is counted goes by it, since it never jumps and never goes back, whatever a
   * clock says. Only differences mean something. See log-time.ts.
   */
  readonly logTime: number;
  /** What changes of this unit say as their `at`: `now`, or later when the log has heard of a later time. */
  readonly changedAt: EpochSeconds;
  /** Appends to the change log; part of the unit. @returns the change's place */
  readonly append: (change: NewChange) => Promise<number>;
}

/** What a durable unit gave, and where the log stood when it was committed. */
export interface Written<T> {
  readonly value: T;
  readonly position: LogPosition;
  /** Changes this unit appended. 0: nobody has to hear of it. */
  readonly changes: number;
}

/** What happened after a place, oldest first; `restart`: another epoch, or older than what is kept, so read the whole index. */
export type ChangesRead =
  | { readonly kind: 'changes'; readonly position: LogPosition; readonly changes: readonly Change[] }
  | { readonly kind: 'restart' };

/** Everything that is revoked and still matters: what an index starts from. */
export interface RevocationList {
  readonly position: LogPosition;
  /** Only `revoke` and `outside`, the last one of each node. */
  readonly revocations: readonly Change[];
}

export interface Store {
  readonly engine: 'sqlite' | 'postgres';
  /** For reads. They see what is committed, never half a unit. Throws `StoreAway`. */
  readonly sql: Sql;
  /**
   * Runs a unit and resolves once it is durable.
   *
   * @throws StoreAway  the store cannot be reached, or it is not known whether the unit is durable; nothing may be called done
   * @throws whatever `work` throws; nothing of the unit is kept
   */
  readonly write: <T>(work: (unit: Unit) => Promise<T>) => Promise<Written<T>>;
  /** Throws `StoreAway`. */
  readonly readChanges: (after: LogPosition) => Promise<ChangesRead>;
  readonly readRevocations: () => Promise<RevocationList>;
  /** Where the log ends now: proof that the store was read at this moment. */
  readonly readPosition: () => Promise<LogPosition>;
  /**
   * The place of the log up to which all was appended longer ago than so many seconds of its own time; 0 for none.
   * Throws `StoreAway`.
   */
  readonly readAgedSeq: (seconds: number) => Promise<number>;
  /** The log's own time now, as this process reckons it: see `Unit.logTime`. */
  readonly logTime: () => number;
  /** Whether commits succeed. */
  readonly health: StoreHealth;
  /** Called when something may have been committed, here or on another node. Wakes only: a poll is the guarantee. @returns the end of it */
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
