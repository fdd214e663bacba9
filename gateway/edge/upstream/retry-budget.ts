// How many requests may be tried again: a tenth of all, so that retries never double the load of a sick upstream.
// What cost the upstream nothing, or was no server's fault, is counted and takes none of it.

import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';

const share = 0.1;
/** A few that always may. */
const free = 10;

export class RetryBudget {
  /** Requests answered or forwarded so far. */
  requests = 0;
  readonly #metrics: EdgeMetrics;
  #spent = 0;

  constructor(metrics: EdgeMetrics) {
    this.#metrics = metrics;
  }

  get allowsOne(): boolean {
    return this.#spent < free + this.requests * share;
  }

  /** @param isFree  it takes nothing of the budget */
  count(isFree: boolean): void {
    this.#metrics.retries++;
    if (!isFree) this.#spent++;
  }
}
