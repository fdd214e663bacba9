// Stores to test: the same suite on SQLite in a temporary folder and on a real PostgreSQL.
// `openNode` opens one more store on the same database, as another node of a fleet does.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { beforeEach, describe, onTestFinished } from 'vitest';
import { type OpenStoreOptions, openStore } from '../../../gateway/store/engine/open-store.ts';
import type { StoreSettings } from '../../../gateway/store/port/engine.ts';
import type { Store } from '../../../gateway/store/port/store.ts';
import { postgresMissing } from './postgres.ts';
import { copySharedDatabase, makeSharedDatabase } from './shared-postgres.ts';

export type EngineName = StoreSettings['kind'];

/** A clock that stands until it is set. */
export interface TestClock {
  /** Set forward: time passes. */
  now: number;
  /** What the wall clock shows beside that: it was set wrong by so many seconds, and no time passed. */
  wrongBy: number;
  epochSeconds(): number;
  monotonicMs(): number;
}

/** Defines the suite for each engine; `skipped: …` where there is no PostgreSQL for this machine. */
export function describeEngines(name: string, define: (engine: EngineName) => void): void {
  describe.each<EngineName>(['sqlite', 'postgres'])(`${name} (%s)`, (engine) => {
    beforeEach((context) => {
      const missing = engine === 'postgres' ? postgresMissing() : null;
      if (missing !== null) context.skip(missing);
    });
    define(engine);
  });
}

/** An empty database, gone after the test. */
export async function makeDatabase(engine: EngineName): Promise<StoreSettings> {
  if (engine === 'postgres') return { kind: 'postgres', url: await makeSharedDatabase() };
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { kind: 'sqlite', file: join(folder, 'latchkey.db') };
}

/** Another clock of the same machine room: it shows `wrongBy` seconds more than `of`, and the same time passes by it. */
export function makeWrongClock(of: TestClock, wrongBy: number): TestClock {
  return {
    get now() {
      return of.now;
    },
    set now(now) {
      of.now = now;
    },
    wrongBy,
    epochSeconds() {
      return of.now + this.wrongBy;
    },
    monotonicMs: () => of.monotonicMs(),
  };
}

export function makeClock(now = 1_800_000_000): TestClock {
  return {
    now,
    wrongBy: 0,
    epochSeconds() {
      return this.now + this.wrongBy;
    },
    monotonicMs() {
      return this.now * 1000;
    },
  };
}

/** Opens a store that is closed after the test. */
export async function openNode(
  settings: StoreSettings,
  options: Partial<Omit<OpenStoreOptions, 'settings'>> = {},
): Promise<Store> {
  const opened = await openStore({ settings, clock: makeClock(), logger: silent, ...options });
  if ('kind' in opened) throw new Error(`${opened.problem} (hint: ${opened.hint})`);
  onTestFinished(() => opened.close());
  return opened;
}

/** A database with the tables and nothing in them; on PostgreSQL a copy, for making them takes a quarter of a second. */
async function makeTables(engine: EngineName): Promise<StoreSettings> {
  if (engine === 'sqlite') return makeDatabase('sqlite');
  const url = await copySharedDatabase('with_tables', async (empty) => {
    const opened = await openStore({
      settings: { kind: 'postgres', url: empty },
      clock: makeClock(),
      logger: silent,
    });
    if ('kind' in opened) throw new Error(opened.problem);
    await opened.close();
  });
  return { kind: 'postgres', url };
}

/** A store without rows. */
export async function openEmpty(
  engine: EngineName,
  options: Partial<Omit<OpenStoreOptions, 'settings'>> = {},
): Promise<{ readonly store: Store; readonly settings: StoreSettings; readonly clock: TestClock }> {
  const settings = await makeTables(engine);
  const clock = makeClock();
  return { store: await openNode(settings, { clock, ...options }), settings, clock };
}

export const silent = pino({ level: 'silent' });
