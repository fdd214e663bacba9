// The log's own time. Wall clocks are set, jump and differ between nodes; what is forgotten must not follow them, or one start with
// a clock 40 days ahead forgets every revocation. Log time counts the seconds in which some node had the store open, by monotonic
// clocks: it never jumps, never goes back, and never runs faster than time does. Downtime does not count, so things are kept
// longer. The log's row carries it from commit to commit. Each hour a mark says how far the log had come, so that "written longer
// ago than this" is a place of the log, and a reading that no clock came below since.

import { sql as raw } from 'kysely';
import type { LogPosition } from '../../core/model/change.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { fixedStatement } from '../port/fixed-statement.ts';
import { type Sql, StoreAway, type Unit } from '../port/store.ts';

export interface StoreClock {
  /** Wall-clock time. */
  epochSeconds(): EpochSeconds;
  /** Never goes back; only differences mean something. */
  monotonicMs(): number;
}

/** The log's row, as a batch finds it and leaves it. */
export interface LogState extends LogPosition {
  /** Log time of the last commit that wrote the row; 0 before the first. Its beginning means nothing, only differences do. */
  readonly logTime: number;
  /** The newest `at` of a change. */
  readonly newestAt: EpochSeconds;
  /** By how much the clock of a node that appended was ahead of log time, at most: in this hour, and in the last week. */
  readonly hourAhead: number | null;
  readonly ahead: number | null;
  /** Log time of the last mark. */
  readonly markedAt: number;
  /** The lowest reading of a wall clock since the last mark. */
  readonly lowestClock: EpochSeconds;
}

/** What this process knows of log time between commits. */
export class LogClock {
  readonly #clock: StoreClock;
  #knownMs: number | null = null;
  #readAtMs = 0;

  constructor(clock: StoreClock) {
    this.#clock = clock;
  }

  /** Takes what the row says. Another node may have come further than this one's own reckoning, and never less far. */
  take(logTime: number): void {
    const own = this.#reckonMs();
    this.#readAtMs = this.#clock.monotonicMs();
    // before the first commit there is no log time: it begins with the clock, so that people can read it
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
/** How long a clock that was ahead carries the time of changes with it. */
const aheadSeconds = 7 * 24 * hour;
/**
 * Log time is written this often at most where nothing was appended: what is counted by it may be asked for by another node at
 * once.
 */
const stepSeconds = 1;

/** A batch's own copy of the row. Nothing is durable before `write` and the commit. */
export interface OpenLog {
  readonly epoch: string;
  readonly startSeq: number;
  /** See `Unit.logTime`. The same for all units of a batch. */
  readonly logTime: number;
  /** What a change appended at a reading of the clock says as its `at`: never earlier than any change before. */
  readonly timeOf: (now: EpochSeconds) => EpochSeconds;
  /** A change was appended at this reading of the clock; only changes that are kept are told. */
  readonly appended: (now: EpochSeconds) => void;
  /** What the row has to say after the batch; null when nothing that matters changed. */
  readonly end: (seq: number) => LogState | null;
}

/** Begins a batch: the row is locked, and `state` was read since. */
export async function openLog(sql: Sql, state: LogState, logTime: number, clock: EpochSeconds): Promise<OpenLog> {
  let { newestAt, hourAhead, ahead, markedAt, lowestClock } = state;
  let hasNews = logTime - state.logTime >= stepSeconds;
  const isFirst = state.logTime === 0;
  if (isFirst) newestAt = await readNewestAt(sql, state.epoch);
  if (isFirst || logTime - markedAt >= hour) {
    // nothing was committed since the row was written, so this is how far the log had come at that moment
    const at = isFirst ? logTime : state.logTime;
    await writeMark(sql, { ...state, logTime: at, lowestClock: isFirst ? clock : lowestClock, hourAhead });
    ahead = await readAhead(sql, state.epoch, logTime - aheadSeconds);
    [hourAhead, markedAt, lowestClock] = [null, logTime, clock];
    // what asks in this very batch sees the hour that begins and not the one that is marked
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

/** What was written longer ago than some seconds of log time. */
interface Horizon {
  /** Changes up to this place were. */
  readonly seq: number;
  /** So was whatever carries an earlier reading of a clock: since then no clock came below this one. */
  readonly before: EpochSeconds;
}

/**
 * Finds what was written longer ago than `seconds` of log time; up to an hour longer.
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

/** The place of the log up to which every change was appended longer ago than `seconds` of log time; 0 for none. */
export async function readAgedSeq(sql: Sql, logTime: number, seconds: number): Promise<number> {
  return (await findMark(sql, logTime - seconds))?.seq ?? 0;
}

/** Drops marks that nobody asks for any more, and those of former epochs. @param keepSeconds  of log time */
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

/** The same, locked until the transaction ends; for PostgreSQL. */
export async function lockLogState(sql: Sql): Promise<LogState> {
  return toState((await lockState(sql, {})).rows[0]);
}

/** The columns of the log's row that say a state. */
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

/** Changes of before log time was kept: what is appended next is not earlier than they. */
async function readNewestAt(sql: Sql, epoch: string): Promise<EpochSeconds> {
  const row = await sql
    .selectFrom('changes')
    .select((column) => column.fn.max('at').as('at'))
    .where('epoch', '=', epoch)
    .executeTakeFirst();
  return row?.at ?? 0;
}

/** Several marks of one moment are one: the furthest place, and the lowest clock. */
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

/** The newest mark of before a moment of log time, and the lowest clock since the log's row was last marked. */
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
