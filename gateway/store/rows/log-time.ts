// The log's own time. Wall clocks are set, jump and differ between nodes; what is forgotten must not follow them, or one start with
// a clock 40 days ahead forgets every revocation. Log time counts the seconds in which some node had the store open, by monotonic
// clocks: it never jumps, never goes back, and never runs faster than real time. Downtime does not count, so rows are kept longer.
// The log's row carries log time from commit to commit. A mark each hour records how far the log had come and the lowest wall clock
// since the mark before, so that "written longer ago than this" is a number of the log, and a time that all later clocks passed.

import { sql as raw } from 'kysely';
import type { LogPosition } from '../../core/model/change.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { fixedStatement } from '../port/fixed-statement.ts';
import { type Sql, StoreAway, type Unit } from '../port/store.ts';

export interface StoreClock {
  /** The wall clock. */
  epochSeconds(): EpochSeconds;
  /** A clock that never goes back; only its differences mean something. */
  monotonicMs(): number;
}

/** The log's row as a batch reads it, and as the batch writes it. */
export interface LogState extends LogPosition {
  /** Log time of the last commit that wrote the row; 0 before the first commit. Only differences mean something. */
  readonly logTime: number;
  /** The newest `at` of a change. */
  readonly newestAt: EpochSeconds;
  /** The most by which the clock of a node that appended was ahead of log time in this hour; null when no node appended. */
  readonly hourAhead: number | null;
  /** The same for the last week. */
  readonly ahead: number | null;
  /** Log time of the last mark. */
  readonly markedAt: number;
  /** The lowest reading of a wall clock since the last mark. */
  readonly lowestClock: EpochSeconds;
}

/** This process's estimate of log time between commits. */
export class LogClock {
  readonly #clock: StoreClock;
  #knownMs: number | null = null;
  #readAtMs = 0;

  constructor(clock: StoreClock) {
    this.#clock = clock;
  }

  /**
   * Takes log time from the row. Another node may have written a later time than this process estimates; an earlier time is
   * ignored.
   */
  take(logTime: number): void {
    const own = this.#reckonMs();
    this.#readAtMs = this.#clock.monotonicMs();
    // log time starts with the wall clock of the first commit, so that people can read it
    const stored = (logTime === 0 ? this.#clock.epochSeconds() : logTime) * 1000;
    this.#knownMs = own === null ? stored : Math.max(own, stored);
  }

  /** Log time now, in whole seconds. */
  now(): number {
    return Math.floor((this.#reckonMs() ?? this.#clock.epochSeconds() * 1000) / 1000);
  }

  #reckonMs(): number | null {
    if (this.#knownMs === null) return null;
    return this.#knownMs + Math.max(0, this.#clock.monotonicMs() - this.#readAtMs);
  }
}

const hour = 3600;
/** For how long a clock that was ahead keeps the `at` of later changes ahead. */
const aheadSeconds = 7 * 24 * hour;
/**
 * Shortest step of log time that is written when nothing was appended. It is short, since another node may read at once what this
 * node counted.
 */
const stepSeconds = 1;

/** A batch's own copy of the log's row. Nothing of it is durable before the commit. */
export interface OpenLog {
  readonly epoch: string;
  readonly startSeq: number;
  /** See `Unit.logTime`. The same for all units of a batch. */
  readonly logTime: number;
  /** The `at` of a change that is appended at a reading of the wall clock: never earlier than that of any change before. */
  readonly timeOf: (now: EpochSeconds) => EpochSeconds;
  /** To be called for each change whose unit is kept, with the reading of the wall clock. */
  readonly appended: (now: EpochSeconds) => void;
  /** The row to write at the end of the batch; null when nothing that matters changed. */
  readonly end: (seq: number) => LogState | null;
}

/** Begins a batch: the row is locked, and `state` was read since. */
export async function openLog(sql: Sql, state: LogState, logTime: number, clock: EpochSeconds): Promise<OpenLog> {
  let { newestAt, hourAhead, ahead, markedAt, lowestClock } = state;
  let hasNews = logTime - state.logTime >= stepSeconds;
  const isFirst = state.logTime === 0;
  if (isFirst) newestAt = await readNewestAt(sql, state.epoch);
  if (isFirst || logTime - markedAt >= hour) {
    // nothing was committed since the row was written, so the log had come this far at that moment
    const at = isFirst ? logTime : state.logTime;
    await writeMark(sql, { ...state, logTime: at, lowestClock: isFirst ? clock : lowestClock, hourAhead });
    ahead = await readAhead(sql, state.epoch, logTime - aheadSeconds);
    [hourAhead, markedAt, lowestClock] = [null, logTime, clock];
    // `findHorizon` in this batch must see the clock of the hour that begins, not of the hour that was just marked
    if (!isFirst) await sql.updateTable('log_position').set({ lowest_clock: clock }).execute();
    hasNews = true;
  }
  if (clock < lowestClock) {
    lowestClock = clock;
    hasNews = true;
  }
  const timeOf = (now: EpochSeconds): EpochSeconds => Math.max(now, newestAt, ahead === null ? now : logTime + ahead);
  return {
    epoch: state.epoch,
    startSeq: state.seq,
    logTime,
    timeOf,
    appended: (now) => {
      newestAt = timeOf(now);
      hourAhead = Math.max(hourAhead ?? now - logTime, now - logTime);
      ahead = Math.max(ahead ?? hourAhead, hourAhead);
    },
    end: (seq) => {
      if (seq === state.seq && !hasNews) return null;
      return { epoch: state.epoch, seq, logTime, newestAt, hourAhead, ahead, markedAt, lowestClock };
    },
  };
}

/** The border before which everything was written longer ago than some seconds of log time. */
interface Horizon {
  /** Changes up to this number were. */
  readonly seq: number;
  /** Rows with a time earlier than this were too: no wall clock has read less since. */
  readonly before: EpochSeconds;
}

/**
 * Finds the border for `seconds` of log time. Marks are an hour apart, so it may lie up to an hour further back.
 *
 * @returns null while the log was not open for so long: then nothing may be forgotten
 */
export async function findHorizon(unit: Unit, seconds: number): Promise<Horizon | null> {
  const mark = await findMark(unit.sql, unit.logTime - seconds);
  if (mark === null) return null;
  const since = await unit.sql
    .selectFrom('log_marks')
    .select((column) => column.fn.min('lowest_clock').as('lowest'))
    .where('epoch', '=', mark.epoch)
    .where('log_time', '>', mark.log_time)
    .executeTakeFirst();
  const lowest = Math.min(mark.hour_lowest, since?.lowest ?? unit.now, unit.now - seconds);
  return { seq: mark.seq, before: lowest };
}

/** The number up to which every change was appended longer ago than `seconds` of log time; 0 for none. */
export async function readAgedSeq(sql: Sql, logTime: number, seconds: number): Promise<number> {
  return (await findMark(sql, logTime - seconds))?.seq ?? 0;
}

/** Drops marks older than `keepSeconds` of log time, and marks of former epochs. @returns how many */
export async function pruneMarks(unit: Unit, keepSeconds: number): Promise<number> {
  const { epoch } = await readLogState(unit.sql);
  const old = await unit.sql
    .deleteFrom('log_marks')
    .where(({ or, eb }) => or([eb('epoch', '<>', epoch), eb('log_time', '<', unit.logTime - keepSeconds)]))
    .executeTakeFirst();
  return Number(old.numDeletedRows);
}

/** The log's row. @throws StoreAway when there is none */
export async function readLogState(sql: Sql): Promise<LogState> {
  return toState((await findState(sql, {})).rows[0]);
}

/** Reads the log's row and locks it until the transaction ends; for PostgreSQL. */
export async function lockLogState(sql: Sql): Promise<LogState> {
  return toState((await lockState(sql, {})).rows[0]);
}

/** A state as columns of the log's row. */
export function columnsOf(state: LogState) {
  return {
    epoch: state.epoch,
    seq: state.seq,
    log_time: state.logTime,
    newest_at: state.newestAt,
    hour_ahead: state.hourAhead,
    ahead: state.ahead,
    marked_at: state.markedAt,
    lowest_clock: state.lowestClock,
  };
}

const stateColumns = [
  'epoch',
  'seq',
  'log_time',
  'newest_at',
  'hour_ahead',
  'ahead',
  'marked_at',
  'lowest_clock',
] as const;

const findState = fixedStatement((on) => on.selectFrom('log_position').select(stateColumns).where('id', '=', 1));
const lockState = fixedStatement((on) =>
  on.selectFrom('log_position').select(stateColumns).where('id', '=', 1).forUpdate(),
);

function toState(row: ReturnType<typeof columnsOf> | undefined): LogState {
  if (row === undefined) throw new StoreAway(new Error('the store has no log'));
  return {
    epoch: row.epoch,
    seq: row.seq,
    logTime: row.log_time,
    newestAt: row.newest_at,
    hourAhead: row.hour_ahead,
    ahead: row.ahead,
    markedAt: row.marked_at,
    lowestClock: row.lowest_clock,
  };
}

/** The newest `at` of changes from before log time was kept; the next change must not be earlier. */
async function readNewestAt(sql: Sql, epoch: string): Promise<EpochSeconds> {
  const row = await sql
    .selectFrom('changes')
    .select((column) => column.fn.max('at').as('at'))
    .where('epoch', '=', epoch)
    .executeTakeFirst();
  return row?.at ?? 0;
}

/** Writes a mark. Marks of the same moment become one mark: with the furthest number, the lowest clock, the greatest lead. */
async function writeMark(sql: Sql, state: LogState): Promise<void> {
  const { epoch, logTime, seq, lowestClock, hourAhead } = state;
  await sql
    .insertInto('log_marks')
    .values({ epoch, log_time: logTime, seq, lowest_clock: lowestClock, ahead: hourAhead })
    .onConflict((conflict) =>
      conflict.columns(['epoch', 'log_time']).doUpdateSet({
        seq,
        lowest_clock: raw<number>`case when log_marks.lowest_clock < ${lowestClock} then log_marks.lowest_clock else ${lowestClock} end`,
        ahead:
          hourAhead === null
            ? raw<number | null>`log_marks.ahead`
            : raw<number>`case when log_marks.ahead > ${hourAhead} then log_marks.ahead else ${hourAhead} end`,
      }),
    )
    .execute();
}

async function readAhead(sql: Sql, epoch: string, since: number): Promise<number | null> {
  const row = await sql
    .selectFrom('log_marks')
    .select((column) => column.fn.max('ahead').as('ahead'))
    .where('epoch', '=', epoch)
    .where('log_time', '>=', since)
    .executeTakeFirst();
  return row?.ahead ?? null;
}

/** The newest mark before a moment of log time, with the lowest wall clock since the last mark. */
async function findMark(sql: Sql, before: number) {
  return (
    (await sql
      .selectFrom('log_marks')
      .innerJoin('log_position', 'log_position.epoch', 'log_marks.epoch')
      .select(['log_marks.epoch', 'log_marks.log_time', 'log_marks.seq', 'log_position.lowest_clock as hour_lowest'])
      .where('log_marks.log_time', '<', before)
      .orderBy('log_marks.log_time', 'desc')
      .limit(1)
      .executeTakeFirst()) ?? null
  );
}
