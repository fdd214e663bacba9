// Writes to the store from time to time, so that a full disk or a database that became read-only is known before a revocation
// fails by it; while writing fails the probe comes more often, so that the recovery is known soon. The probe writes the log's own time, which
// has to be written anyway. The metrics of the probe are in this file too.

import { Counter, Gauge, type Registry } from 'prom-client';
import { failureCauses } from '../../store/port/failure-cause.ts';
import type { Store } from '../../store/port/store.ts';
import type { StoreHealth } from '../../store/port/store-health.ts';

/** Interval while the store fails. The log's time is written once a second at most, so an earlier probe might write nothing. */
const tickMs = 2000;
/** While the store works, a probe runs at every 15th tick. */
const ticksBetween = 15;

/** @returns a function that ends the probe; it resolves once nothing of the probe runs any more */
export function startStoreProbe(store: Pick<Store, 'write' | 'health'>): { readonly close: () => Promise<void> } {
  let ticks = 0;
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    ticks += 1;
    if (running !== null || (store.health.cause === null && ticks % ticksBetween !== 0)) return;
    // The store itself logs, once, that it failed and why.
    running = store.write(async () => undefined).then(done, done);
  }, tickMs);
  timer.unref();
  const done = (): void => {
    running = null;
  };
  return {
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

/** Labels are the closed list of causes. @param health  null for a control without a store: nothing is known then */
export function registerStoreMetrics(registry: Registry, health: StoreHealth | null): void {
  const registers = [registry];
  new Gauge({
    name: 'latchkey_store_writable',
    help: '1 while commits succeed, 0 since the last one failed.',
    registers,
    collect() {
      if (health === null) this.set(Number.NaN);
      else this.set(health.cause === null ? 1 : 0);
    },
  });
  new Counter({
    name: 'latchkey_store_failures_total',
    help: 'Commits that failed, by cause.',
    labelNames: ['cause'],
    registers,
    collect() {
      this.reset();
      for (const cause of failureCauses) this.inc({ cause }, health?.failures.get(cause) ?? 0);
    },
  });
}
