// The metrics about mails: how many wait and since when, and the outcomes of attempts.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Store } from '../../store/port/store.ts';
import { measureOutbox } from '../../store/rows/outbox.ts';
import type { AttemptResult } from './deliver-outbox.ts';

interface OutboxMetricsOptions {
  readonly registry: Registry;
  readonly store: Pick<Store, 'sql'>;
  readonly clock: { readonly epochSeconds: () => EpochSeconds };
}

/** Registers the metrics. @returns the function for `OutboxOptions.onAttempt` */
export function registerOutboxMetrics({
  registry,
  store,
  clock,
}: OutboxMetricsOptions): (result: AttemptResult) => void {
  const registers = [registry];
  const attempts = new Counter({
    name: 'latchkey_outbox_attempts_total',
    help: 'Attempts to deliver a mail by result; given-up is the last one of a mail.',
    labelNames: ['result'],
    registers,
  });
  for (const result of ['delivered', 'failed', 'given-up'] satisfies AttemptResult[]) attempts.inc({ result }, 0);
  // While the store is away the number is unknown; an earlier number would be a guess.
  const measure = () => measureOutbox(store.sql).catch(() => null);
  new Gauge({
    name: 'latchkey_outbox_waiting',
    help: 'Mails that wait to be delivered, on all nodes of the store; NaN when the store is away.',
    registers,
    async collect() {
      this.set((await measure())?.waiting ?? Number.NaN);
    },
  });
  new Gauge({
    name: 'latchkey_outbox_oldest_seconds',
    help: 'Age of the oldest mail that waits and may go out, 0 when none does; NaN when the store is away.',
    registers,
    async collect() {
      const depth = await measure();
      if (depth === null) this.set(Number.NaN);
      else this.set(depth.oldestAt === null ? 0 : Math.max(0, clock.epochSeconds() - depth.oldestAt));
    },
  });
  return (result) => attempts.inc({ result });
}
