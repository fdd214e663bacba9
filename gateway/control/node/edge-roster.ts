// The edges as control knows them: which are connected, which are ready, and what each edge reported last.
// A successor and a draining predecessor in one slot may be there together; their names: wire/names.ts.
// No I/O here: the edge server tells the roster what happened, the operations server asks it.

import type { MetricSet } from '../../telemetry/metrics-aggregate.ts';
import { MetricsAggregate } from '../../telemetry/metrics-aggregate.ts';
import { slotOf } from '../../wire/names.ts';
import type { ControlClock } from '../context/control-clock.ts';
import { AssertionKeys } from './assertion-keys.ts';

interface EdgeState {
  connected: boolean;
  ready: boolean;
}

/** Readiness of one expected edge, as `/readyz` reports it. */
interface EdgeReadiness {
  readonly slot: string;
  readonly edge: string | null;
  readonly connected: boolean;
  readonly ready: boolean;
}

/** The edges of one gateway. */
export class EdgeRoster {
  readonly keys = new AssertionKeys();
  readonly metrics = new MetricsAggregate();
  readonly #edges = new Map<string, EdgeState>();
  readonly #expected: number;
  readonly #clock: ControlClock;

  /** @param expected  edges that must be ready; they are `e1` to `e<expected>` */
  constructor(expected: number, clock: ControlClock) {
    this.#expected = expected;
    this.#clock = clock;
  }

  /** The edge opened its feed. A predecessor whose feed ended will not come back; a predecessor that still reads its feed may drain. */
  connect(edge: string): void {
    for (const [other, state] of this.#othersOf(edge)) if (!state.connected) this.#end(other);
    this.#edges.set(edge, { connected: true, ready: false });
  }

  /** The edge's feed ended. The edge may come back, or a successor may. */
  disconnect(edge: string): void {
    const state = this.#edges.get(edge);
    if (state === undefined) return;
    if (this.#othersOf(edge).length > 0) {
      this.#end(edge);
      return;
    }
    state.connected = false;
    state.ready = false;
    this.metrics.pause(edge);
    this.keys.endEdge(edge, this.#clock.monotonicMs());
  }

  /** Whether the edge opened its feed and was not replaced since. */
  knows(edge: string): boolean {
    return this.#edges.has(edge);
  }

  markReady(edge: string): void {
    const state = this.#edges.get(edge);
    if (state?.connected === true) state.ready = true;
  }

  updateMetrics(edge: string, metrics: MetricSet): void {
    this.metrics.update(edge, metrics);
    if (this.#edges.get(edge)?.connected !== true) this.metrics.pause(edge);
  }

  connectedEdges(): string[] {
    return [...this.#edges].filter(([, state]) => state.connected).map(([edge]) => edge);
  }

  /** One entry per expected edge, in order. */
  readiness(): EdgeReadiness[] {
    // While one edge replaces another, the slot is as ready as the edge that is further along.
    const inOrder = [...this.#edges].sort(([, one], [, other]) => Number(one.ready) - Number(other.ready));
    const bySlot = new Map(inOrder.map(([edge, state]) => [slotOf(edge), { edge, ...state }]));
    return Array.from({ length: this.#expected }, (_, index) => {
      const slot = `e${index + 1}`;
      const found = bySlot.get(slot);
      return {
        slot,
        edge: found?.edge ?? null,
        connected: found?.connected ?? false,
        ready: found?.ready ?? false,
      };
    });
  }

  #othersOf(edge: string): (readonly [string, EdgeState])[] {
    const slot = slotOf(edge);
    return [...this.#edges].filter(([other]) => other !== edge && slotOf(other) === slot);
  }

  #end(edge: string): void {
    this.#edges.delete(edge);
    this.keys.endEdge(edge, this.#clock.monotonicMs());
    this.metrics.end(edge);
  }
}
