// Opens the store: engine by the settings, tables brought up to date, units committed in groups, changes read in order.
// A refusal is for people to read; it never holds the URL's password.

import type { EpochSeconds } from '../core/model/time.ts';
import { defaultChangesPerRead, readChanges, readPosition, readRevocations } from './change-log.ts';
import { type Engine, type EngineOptions, type RefusedStore, refuseStore, type StoreSettings } from './engine.ts';
import { type GroupCommitOptions, startGroupCommit } from './group-commit.ts';
import { migrate } from './migrations.ts';
import { openSqlite } from './sqlite-engine.ts';
import { type Store, StoreAway } from './store.ts';

export interface OpenStoreOptions extends EngineOptions {
  readonly settings: StoreSettings;
  readonly clock: { epochSeconds(): EpochSeconds };
  /** `check`: refuse a database that is older than the program. Default `apply`: bring it up to date. */
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

  const listeners = new Set<() => void>();
  const wake = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const commit = startGroupCommit({
    engine,
    clock: options.clock,
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

/** The bare engine, for commands that replace or look at everything: backup.ts. */
export async function openEngine(settings: StoreSettings, options: EngineOptions): Promise<Engine | RefusedStore> {
  switch (settings.kind) {
    case 'sqlite':
      return openSqlite(settings.file);
    case 'postgres': {
      // loaded where there is one: its driver is nothing for the others to wait for
      const { openPostgres } = await import('./postgres-engine.ts');
      return openPostgres(settings.url, options);
    }
    default:
      return settings satisfies never;
  }
}

async function bringUpToDate(engine: Engine, options: OpenStoreOptions): ReturnType<typeof migrate> {
  try {
    return await migrate(engine, options.migrations ?? 'apply');
  } catch (error) {
    const cause = error instanceof StoreAway ? error.cause : error;
    return refuseStore(
      `the store's tables cannot be read or made: ${cause instanceof Error ? cause.message : String(cause)}`,
      'see whether the database is up, and whether latchkey may make tables in it',
      error instanceof StoreAway ? 'away' : 'for good',
    );
  }
}
