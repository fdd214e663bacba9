// The client connections of one edge, for what concerns all of them: whether one more may open, which of them linger, which clients
// are too slow, and the drain. It reads no request and decides nothing about access.

import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import type { Engine } from '../engine/engine.ts';
import { Admission, type AdmissionScope } from '../listen/admission.ts';
import type { Downstream } from './downstream.ts';
import { Lingering } from './lingering.ts';
import { OpenTunnels } from './open-tunnels.ts';
import { SlowClients } from './slow-clients.ts';

/** What the connections of an edge are measured by. A reload changes the values. */
interface ConnectionScope extends AdmissionScope {
  readonly engine: Engine;
}

/** One per edge. */
export class OpenConnections {
  readonly tunnels = new OpenTunnels();
  readonly lingering = new Lingering();
  readonly #scope: ConnectionScope;
  readonly #open = new Set<Downstream>();
  readonly #admission: Admission;
  readonly #slowClients: SlowClients;

  constructor(scope: ConnectionScope) {
    this.#scope = scope;
    this.#admission = new Admission(scope, this.#open);
    this.#slowClients = new SlowClients(this.#open, scope.engine.ticker.nowMs);
  }

  /** Those that are open now, tunnels included. */
  all(): Downstream[] {
    return [...this.#open];
  }

  /** Takes a connection in, or drops it without a word. */
  opened(downstream: Downstream): void {
    const { metrics, engine } = this.#scope;
    if (!this.#admission.admit(downstream)) {
      metrics.connectionsDropped++;
      downstream.socket.destroy();
      return;
    }
    this.#open.add(downstream);
    engine.ticker.watch(downstream);
    metrics.connectionsAccepted++;
  }

  closed(downstream: Downstream): void {
    if (!this.#open.delete(downstream)) return;
    this.#scope.engine.ticker.unwatch(downstream);
    this.lingering.leave(downstream);
    this.#admission.leave(downstream);
    this.endTunnelsWhenAlone();
  }

  /** Makes room, and ends those whose clients are too slow. To be called once a tick. */
  tick(nowMs: number): void {
    this.#slowClients.sweep(nowMs, this.#scope.engine.limits.rateWindowMs);
    this.#admission.tick();
  }

  /** In a drain tunnels end last: they would go on for as long as both sides like. */
  endTunnelsWhenAlone(): void {
    if (this.#scope.engine.isDraining && this.tunnels.count === this.#open.size) this.tunnels.drain();
  }

  /** Each ends once nothing runs on it. `Engine.isDraining` says so to all that still answer. */
  drain(): void {
    for (const connection of this.all()) connection.drain();
    this.endTunnelsWhenAlone();
  }

  /** Ends those that are left. */
  depart(): void {
    for (const connection of this.all()) connection.depart();
  }

  /** Sets the gauges. */
  measure(metrics: EdgeMetrics): void {
    let idle = 0;
    for (const connection of this.#open) if (connection.isIdle && !connection.isClosing) idle++;
    metrics.connectionsIdle = idle;
    metrics.connectionsLingering = this.lingering.count;
    metrics.connectionsActive = this.#open.size - idle - this.lingering.count;
    metrics.tunnels.open = this.tunnels.count;
  }
}
