// How many tunnels are open, and why the others ended. Counts per route are EdgeMetrics' own, beside the other tables.
// Labels are the closed list below.

import { Counter, Gauge, type Registry } from 'prom-client';

/** What ended a tunnel. `revoked`: its route or its permit went; `stalled`: the upstream took nothing. */
export type TunnelEnd =
  | 'closed'
  | 'client-gone'
  | 'upstream-gone'
  | 'idle'
  | 'half-open'
  | 'stalled'
  | 'expired'
  | 'revoked'
  | 'drain';

const tunnelEnds: readonly TunnelEnd[] = [
  'closed',
  'client-gone',
  'upstream-gone',
  'idle',
  'half-open',
  'stalled',
  'expired',
  'revoked',
  'drain',
];

export class TunnelMetrics {
  open = 0;
  readonly #ended = new Map<TunnelEnd, number>(tunnelEnds.map((why) => [why, 0]));

  ended(why: TunnelEnd): void {
    this.#ended.set(why, (this.#ended.get(why) ?? 0) + 1);
  }

  register(registry: Registry): void {
    const registers = [registry];
    const metrics = this;
    new Gauge({
      name: 'latchkey_tunnels_open',
      help: 'WebSockets and other tunnels that are open.',
      registers,
      collect() {
        this.set(metrics.open);
      },
    });
    new Counter({
      name: 'latchkey_tunnels_ended_total',
      help: 'Tunnels that ended, by what ended them.',
      labelNames: ['reason'],
      registers,
      collect() {
        this.reset();
        for (const [reason, count] of metrics.#ended) this.inc({ reason }, count);
      },
    });
  }
}
