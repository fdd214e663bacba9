// The metrics about how many accounts, sessions, links and shares there are, on all nodes of the store.
// Counting reads whole tables, so a count serves every scrape of the next minute.

import { Gauge, type Registry } from 'prom-client';
import { linkStates } from '../../core/model/link.ts';
import { shareStates } from '../../core/model/share.ts';
import type { Store } from '../../store/port/store.ts';
import { type CountedAccountState, countPopulation, type Population } from '../../store/rows/population.ts';
import type { ControlClock } from '../context/control-clock.ts';
import { sessionIdleSeconds } from '../proof/account-limits.ts';

const accountStates: readonly CountedAccountState[] = ['active', 'unverified', 'disabled', 'deleted'];

const keptMs = 60_000;

/** Registers the gauges; each is NaN while the store is away. */
export function registerPopulationMetrics(registry: Registry, store: Pick<Store, 'sql'>, clock: ControlClock): void {
  const registers = [registry];
  let counted: Promise<Population | null> | null = null;
  let countedMs = 0;
  const count = (): Promise<Population | null> => {
    if (counted === null || clock.monotonicMs() - countedMs >= keptMs) {
      countedMs = clock.monotonicMs();
      counted = countPopulation(store.sql, clock.epochSeconds(), sessionIdleSeconds).catch(() => {
        // the next scrape asks again
        counted = null;
        return null;
      });
    }
    return counted;
  };
  new Gauge({
    name: 'latchkey_accounts',
    help: 'Accounts by state, counted once a minute; unverified: nobody confirmed the address yet.',
    labelNames: ['state'],
    registers,
    async collect() {
      const population = await count();
      for (const state of accountStates) {
        this.set({ state }, population === null ? Number.NaN : (population.accounts.get(state) ?? 0));
      }
    },
  });
  new Gauge({
    name: 'latchkey_sessions',
    help: 'Sign-ins that hold, counted once a minute.',
    registers,
    async collect() {
      this.set((await count())?.sessions ?? Number.NaN);
    },
  });
  new Gauge({
    name: 'latchkey_links',
    help: 'Links by state, counted once a minute.',
    labelNames: ['state'],
    registers,
    async collect() {
      const population = await count();
      for (const state of linkStates) {
        this.set({ state }, population === null ? Number.NaN : (population.links.get(state) ?? 0));
      }
    },
  });
  new Gauge({
    name: 'latchkey_shares',
    help: 'Shares of keys by state, counted once a minute; an offer that ran out stays pending here.',
    labelNames: ['state'],
    registers,
    async collect() {
      const population = await count();
      for (const state of shareStates) {
        this.set({ state }, population === null ? Number.NaN : (population.shares.get(state) ?? 0));
      }
    },
  });
}
