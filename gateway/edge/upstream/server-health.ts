// Whether a server may be picked, by what its requests and its health checks say. It opens nothing and picks nothing.
// The last server in use is never ejected; when all are out, all are used (group.ts).

import type { Ejection } from '../../config/compiled/upstream-config.ts';
import type { Deadlined, Ticker } from '../engine/ticker.ts';

/** The lower, the better: of a group the servers with the lowest rank are used. */
export const inUseRank = 0;
const ejectedRank = 1;
const unhealthyRank = 2;

// The time of an ejection doubles up to this, unless the configuration's own time is longer.
const maxEjectionMs = 5 * 60_000;

/** A change of a server's health, for the log and the counters. */
export type HealthChange = 'ejected' | 'back' | 'unhealthy' | 'healthy';

/** The health of one server, as one edge sees it. */
export class ServerHealth implements Deadlined {
  /** `inUseRank`, `ejectedRank` or `unhealthyRank`. */
  rank = inUseRank;
  deadlineMs = Number.POSITIVE_INFINITY;
  /** All servers of the group, this one included. */
  peers: readonly ServerHealth[] = [this];
  readonly #ejection: Ejection | null;
  readonly #ticker: Ticker;
  readonly #onChange: (change: HealthChange, detail: string) => void;
  #failures = 0;
  #isEjected = false;
  #isUnhealthy = false;
  #ejectionMs = 0;
  #endedMs = Number.NEGATIVE_INFINITY;

  constructor(ejection: Ejection | null, ticker: Ticker, onChange: (change: HealthChange, detail: string) => void) {
    this.#ejection = ejection;
    this.#ticker = ticker;
    this.#onChange = onChange;
  }

  /** The server gave a complete answer. To be called for each answer. */
  answered(): void {
    this.#failures = 0;
  }

  /** A connection failed, or an answer was broken. @param detail  what happened, for the log */
  failed(detail: string): void {
    const ejection = this.#ejection;
    if (ejection === null || this.#isEjected) return;
    this.#failures++;
    if (this.#failures < ejection.failures || this.#isLast()) return;
    const { nowMs } = this.#ticker;
    // soon after the last ejection it is still the same trouble
    const isRelapse = nowMs - this.#endedMs < 2 * this.#ejectionMs;
    this.#ejectionMs = isRelapse
      ? Math.max(ejection.forMs, Math.min(2 * this.#ejectionMs, maxEjectionMs))
      : ejection.forMs;
    this.#isEjected = true;
    this.deadlineMs = nowMs + this.#ejectionMs;
    this.#ticker.watch(this);
    this.#rerank();
    this.#onChange(
      'ejected',
      `${this.#failures} failures in a row, the last one ${detail}; for ${this.#ejectionMs} ms`,
    );
  }

  /** The verdict of the health checks. */
  setHealthy(isHealthy: boolean, detail: string): void {
    if (this.#isUnhealthy !== isHealthy) return;
    this.#isUnhealthy = !isHealthy;
    this.#rerank();
    this.#onChange(isHealthy ? 'healthy' : 'unhealthy', detail);
  }

  /** The time of an ejection is over. */
  onDeadline(): void {
    this.#ticker.unwatch(this);
    this.#isEjected = false;
    this.#endedMs = this.#ticker.nowMs;
    // one more failure is enough: a server that is still broken costs one request, not as many as the first time
    this.#failures = Math.max(0, (this.#ejection?.failures ?? 1) - 1);
    this.#rerank();
    this.#onChange('back', 'the time is over');
  }

  close(): void {
    this.#ticker.unwatch(this);
  }

  #isLast(): boolean {
    return !this.peers.some((peer) => peer !== this && peer.rank === inUseRank);
  }

  #rerank(): void {
    this.rank = this.#isUnhealthy ? unhealthyRank : this.#isEjected ? ejectedRank : inUseRank;
  }
}
