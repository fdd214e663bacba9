// Opens the store: chooses the engine by the settings, brings the tables up to date, starts group commit.
// A refusal is written for people and never holds the URL's password.

import { monotonicMs } from '../../telemetry/clock.ts';
import { type Engine, type EngineOptions, type RefusedStore, refuseStore, type StoreSettings } from '../port/engine.ts';
import { describeFailure } from '../port/failure-cause.ts';
import { type Store, StoreAway } from '../port/store.ts';
import { CommitHealth } from '../port/store-health.ts';
import { defaultChangesPerRead, readChanges, readPosition, readRevocations } from '../rows/change-log.ts';
import { LogClock, readAgedSeq, readLogState, type StoreClock } from '../rows/log-time.ts';
import { type GroupCommitOptions, startGroupCommit } from './group-commit.ts';
import { migrate } from './migrations.ts';
import { openSqlite } from './sqlite-engine.ts';

export interface OpenStoreOptions extends EngineOptions {
  readonly settings: StoreSettings;
  /** Tests give a clock; without `monotonicMs` the process's own monotonic clock is used. */
  readonly clock: Pick<StoreClock, 'epochSeconds'> & Partial<StoreClock>;
  /** `check`: refuse a database whose tables are older than the program. Default `apply`: bring the tables up to date. */
  readonly migrations?: 'apply' | 'check';
  /** Most changes in one answer of `readChanges`. Default 1000. */
  readonly changesPerRead?: number;
  /** Bounds of group commit; defaults are in group-commit.ts. */
  readonly limits?: Pick<GroupCommitOptions, 'maxBatchUnits' | 'maxBatchMs' | 'maxQueuedUnits' | 'unitDeadlineMs'>;
}

/** @returns refused when the database cannot be reached, is newer than the program, or is not latchkey's */
export async function openStore(options: OpenStoreOptions): Promise<Store | RefusedStore> {
  const engine = await openEngine(options.settings, options);
  if ('away' in engine) return engine;
  const ready = await bringUpToDate(engine, options);
  if (ready.kind === 'refused') {
    await engine.close();
    return ready;
  }
  if (ready.from !== ready.to) options.logger.info({ from: ready.from, to: ready.to }, 'the store was migrated');

  const { clock } = options;
  const logClock = new LogClock({
    epochSeconds: () => clock.epochSeconds(),
    monotonicMs: () => clock.monotonicMs?.() ?? monotonicMs(),
  });
  logClock.take(ready.logTime);
  const listeners = new Set<() => void>();
  const wake = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const health = new CommitHealth(options.logger);
  const commit = startGroupCommit({
    engine,
    health,
    clock,
    logClock,
    onCommitted: wake,
    ...(options.patient === true ? { unitDeadlineMs: 600_000 } : {}),
    ...options.limits,
  });
  const stopListening = engine.listen(wake);
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    await commit.close();
    listeners.clear();
    await stopListening();
    await engine.close();
  };
  return {
    engine: engine.kind,
    sql: engine.reader,
    write: commit.write,
    readChanges: (after) => readChanges(engine.feedReader, after, options.changesPerRead ?? defaultChangesPerRead),
    readRevocations: () => readRevocations(engine.feedReader),
    readPosition: () => readPosition(engine.reader),
    readAgedSeq: (seconds) => readAgedSeq(engine.feedReader, logClock.now(), seconds),
    logTime: () => logClock.now(),
    health,
    onWake(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Opens the bare engine, without units and migrations, for commands that replace the whole store: restore.ts. */
export async function openEngine(settings: StoreSettings, options: EngineOptions): Promise<Engine | RefusedStore> {
  switch (settings.kind) {
    case 'sqlite':
      return openSqlite(settings.file);
    case 'postgres': {
      // loaded only when needed: a process that uses SQLite should not spend time on loading PostgreSQL's driver
      const { openPostgres } = await import('./postgres-engine.ts');
      return openPostgres(settings.url, options);
    }
    default:
      return settings satisfies never;
  }
}

type Ready = Exclude<Awaited<ReturnType<typeof migrate>>, RefusedStore> & { readonly logTime: number };

async function bringUpToDate(engine: Engine, options: OpenStoreOptions): Promise<Ready | RefusedStore> {
  try {
    const migrated = await migrate(engine, options.migrations ?? 'apply');
    if (migrated.kind === 'refused') return migrated;
    return { ...migrated, logTime: (await readLogState(engine.writer)).logTime };
  } catch (error) {
    const { cause, words, hint } = describeFailure(error);
    const text = cause === 'other' && error instanceof Error ? error.message : words;
    return refuseStore(
      `the store's tables cannot be read or made: ${text}`,
      cause === 'other' ? 'see whether the database is up, and whether latchkey may make tables in it' : hint,
      error instanceof StoreAway ? 'away' : 'for good',
    );
  }
}
