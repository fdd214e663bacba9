// Runs units of work one after the other and makes many of them durable with one commit.
// The log's row stays locked, for all nodes, from before the first unit of a batch until the commit. So every unit sees everything
// that was committed before it, and the numbers of the log are committed in order. No caller hears of a unit before the commit.

import type { ControlledTransaction, KyselyPlugin } from 'kysely';
import { sql } from 'kysely';
import type { Change, LogPosition, NewChange } from '../../core/model/change.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { Engine } from '../port/engine.ts';
import { GaveUp } from '../port/failure-cause.ts';
import { fixedStatement, type Places } from '../port/fixed-statement.ts';
import { StoreAway, type Unit, type Written } from '../port/store.ts';
import type { CommitHealth } from '../port/store-health.ts';
import type { Tables } from '../port/tables.ts';
import {
  columnsOf,
  type LogClock,
  type LogState,
  lockLogState,
  type OpenLog,
  openLog,
  readLogState,
  type StoreClock,
} from '../rows/log-time.ts';

export interface GroupCommitOptions {
  readonly engine: Engine;
  readonly clock: Pick<StoreClock, 'epochSeconds'>;
  /** Is told of each commit and each failure. */
  readonly health: CommitHealth;
  /** Log time between commits. */
  readonly logClock: LogClock;
  /** Called after each commit. */
  readonly onCommitted: () => void;
  /** Units in one commit. Default 256. */
  readonly maxBatchUnits?: number;
  /** A batch that has run for this long takes no further unit, so that another node gets its turn. Default 100. */
  readonly maxBatchMs?: number;
  /** Units that may wait; further units are refused with `StoreAway`. Default 4096. */
  readonly maxQueuedUnits?: number;
  /** Longest life of one unit; a unit that takes longer is undone and refused with `StoreAway`. Default 4000. */
  readonly unitDeadlineMs?: number;
}

interface GroupCommit {
  /** See `Store.write`. A unit must not call `write`: the unit would wait for itself until its deadline. */
  readonly write: <T>(work: (unit: Unit) => Promise<T>) => Promise<Written<T>>;
  /** Waits for the batch that runs now and refuses every unit that still waits or comes later. */
  readonly close: () => Promise<void>;
}

/** Longest node of a change, in characters. */
const maxNodeLength = 300;
/** The channel of PostgreSQL's LISTEN and NOTIFY that wakes other nodes. */
export const wakeChannel = 'latchkey_changes';

/** A unit that waits; `run` returns the function to call once the unit is durable. */
interface Waiting {
  readonly run: (unit: Unit) => Promise<(position: LogPosition, changes: number) => void>;
  readonly reject: (error: unknown) => void;
}

/** A unit that has run and is not durable yet. */
interface Ran {
  readonly settle: (position: LogPosition, changes: number) => void;
  readonly seq: number;
  readonly changes: number;
}

export function startGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { engine, clock, health, onCommitted } = options;
  const { maxBatchUnits = 256, maxBatchMs = 100, maxQueuedUnits = 4096, unitDeadlineMs = 4000 } = options;
  const queue: Waiting[] = [];
  let working: Promise<void> | null = null;
  let isClosed = false;

  function write<T>(work: (unit: Unit) => Promise<T>): Promise<Written<T>> {
    if (isClosed) return Promise.reject(new StoreAway(new GaveUp('closed', 'the store is closed')));
    if (queue.length >= maxQueuedUnits) {
      const away = new StoreAway(new GaveUp('busy', `more than ${maxQueuedUnits} units wait`));
      health.failed(away);
      return Promise.reject(away);
    }
    return new Promise<Written<T>>((resolve, reject) => {
      queue.push({
        run: async (unit) => {
          const value = await work(unit);
          return (position, changes) => resolve({ value, position, changes });
        },
        reject,
      });
      working ??= drain();
    });
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // Units that arrive in this turn of the event loop join the batch.
      await new Promise((resolve) => setImmediate(resolve));
      await commitBatch();
    }
    // No await since the queue was found empty: a unit that comes later starts a new drain.
    working = null;
  }

  async function commitBatch(): Promise<void> {
    const begun = await beginTwice();
    if (begun instanceof Error) {
      // Every unit in the queue would wait only to fail in the same way.
      const away = begun instanceof StoreAway ? begun : new StoreAway(begun);
      health.failed(away);
      for (const waiting of queue.splice(0)) waiting.reject(away);
      return;
    }
    const { transaction, log } = begun;
    const { epoch } = log;
    const started = monotonicMs();
    const unsettled: Waiting[] = [];
    const ran: Ran[] = [];
    let { startSeq: seq } = log;
    try {
      for (let units = 0; units < maxBatchUnits && (units === 0 || monotonicMs() - started < maxBatchMs); units++) {
        const waiting = queue.shift();
        if (waiting === undefined) break;
        unsettled.push(waiting);
        const unit = await runUnit(transaction, log, seq, waiting);
        if (unit === null) {
          unsettled.pop();
        } else {
          ran.push(unit);
          seq = unit.seq;
        }
      }
      const end = log.end(seq);
      if (end !== null && ran.length > 0) await moveLog(engine, transaction, end, seq !== log.startSeq);
      if (ran.length > 0) await transaction.commit().execute();
      else await transaction.rollback().execute();
    } catch (error) {
      // Whether a failed commit took place is unknown, and before the commit nothing was durable: all units are refused either way.
      await transaction.rollback().execute();
      const away = error instanceof StoreAway ? error : new StoreAway(error);
      health.failed(away);
      for (const waiting of unsettled) waiting.reject(away);
      return;
    }
    if (ran.length > 0) health.committed();
    for (const unit of ran) unit.settle({ epoch, seq: unit.seq }, unit.changes);
    if (ran.length > 0) onCommitted();
  }

  /**
   * Begins a batch. A connection may have broken while it was idle; no statement has run yet, so a second try on a new one is
   * safe.
   */
  async function beginTwice(): Promise<Begun | Error> {
    try {
      return await begin(options);
    } catch (first) {
      // a file has no connection that breaks, and the wait for another process's lock is over already
      if (engine.kind === 'sqlite') return first instanceof Error ? first : new Error(String(first));
      try {
        return await begin(options);
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    }
  }

  /** @returns null when the unit threw: the unit is undone, and its caller has the error. @throws when the whole batch is lost */
  async function runUnit(
    transaction: ControlledTransaction<Tables>,
    log: OpenLog,
    startSeq: number,
    waiting: Waiting,
  ): Promise<Ran | null> {
    const gate: Gate = { isOpen: true };
    const guarded = transaction.withPlugin(makeGatePlugin(gate));
    const now = clock.epochSeconds();
    const { epoch, logTime } = log;
    const changedAt = log.timeOf(now);
    let seq = startSeq;
    const append = async (change: NewChange): Promise<number> => {
      if (change.node.length > maxNodeLength) throw new Error(`a node of a change is longer than ${maxNodeLength}`);
      seq += 1;
      const place = seq;
      await insertChange(guarded, { epoch, seq: place, kind: change.kind, node: change.node, at: changedAt });
      return place;
    };
    await sql`savepoint unit`.execute(transaction);
    try {
      const settle = await withDeadline(waiting.run({ sql: guarded, now, logTime, changedAt, append }), unitDeadlineMs);
      gate.isOpen = false;
      // PostgreSQL fails here when one of the unit's statements failed and the unit ignored that.
      await sql`release savepoint unit`.execute(transaction);
      if (seq > startSeq) log.appended(now);
      return { settle, seq, changes: seq - startSeq };
    } catch (error) {
      gate.isOpen = false;
      try {
        await sql`rollback to savepoint unit`.execute(transaction);
        await sql`release savepoint unit`.execute(transaction);
      } catch (second) {
        // a full disk ends SQLite's whole transaction; the cause is the first error, and the missing savepoint only a consequence
        throw error instanceof StoreAway ? error : second;
      }
      if (error instanceof StoreAway) health.failed(error);
      waiting.reject(error);
      return null;
    }
  }

  return {
    write,
    async close() {
      isClosed = true;
      for (const waiting of queue.splice(0)) waiting.reject(new StoreAway(new GaveUp('closed', 'the store is closed')));
      await working;
    },
  };
}

interface Begun {
  readonly transaction: ControlledTransaction<Tables>;
  readonly log: OpenLog;
}

async function begin({ engine, clock, logClock }: GroupCommitOptions): Promise<Begun> {
  const transaction = await engine.writer.startTransaction().execute();
  try {
    const state =
      // SQLite's transaction began with the write lock. On PostgreSQL each statement after this lock sees what the lock's former
      // holder committed.
      engine.kind === 'postgres' ? await lockLogState(transaction) : await readLogState(transaction);
    logClock.take(state.logTime);
    return { transaction, log: await openLog(transaction, state, logClock.now(), clock.epochSeconds()) };
  } catch (error) {
    await transaction.rollback().execute();
    throw error;
  }
}

const insertChange = fixedStatement((on, at: Places<Change & { readonly epoch: string }>) =>
  on.insertInto('changes').values({
    epoch: at.value('epoch'),
    seq: at.value('seq'),
    kind: at.value('kind'),
    node: at.value('node'),
    at: at.value('at'),
  }),
);

/** Writes the log's row. On PostgreSQL the same statement notifies the other nodes; the server sends that after the commit. */
async function moveLog(
  engine: Engine,
  transaction: ControlledTransaction<Tables>,
  state: LogState,
  hasChanges: boolean,
): Promise<void> {
  const move = transaction.updateTable('log_position').set(columnsOf(state)).where('id', '=', 1);
  if (engine.kind === 'sqlite' || !hasChanges) await move.execute();
  else await sql`with moved as (${move}) select pg_notify(${wakeChannel}, '')`.execute(transaction);
}

interface Gate {
  isOpen: boolean;
}

/** Refuses statements of a unit that has ended: they would run inside another unit. */
function makeGatePlugin(gate: Gate): KyselyPlugin {
  return {
    transformQuery({ node }) {
      if (!gate.isOpen) throw new Error('a unit of work was used after its end');
      return node;
    },
    async transformResult({ result }) {
      return result;
    },
  };
}

async function withDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new StoreAway(new GaveUp('timeout', `a unit of work took longer than ${deadlineMs} ms`))),
      deadlineMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
