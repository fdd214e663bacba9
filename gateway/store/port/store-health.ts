// Whether the store can be written, as its own commits tell it. It tries nothing by itself: control writes now and then, so that a
// full disk is known before somebody's revocation finds it, and that it is over as soon as it is (control/node/probe-store.ts).

import { monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { describeFailure, type FailureCause, failureCauses } from './failure-cause.ts';

/** What others may read of it. */
export interface StoreHealth {
  /** Why the last commit failed; null: it did not. */
  readonly cause: FailureCause | null;
  /** For how long nothing could be committed; 0 while things can. */
  readonly failingMs: number;
  /** Failures since the start, by cause; all causes of the list. */
  readonly failures: ReadonlyMap<FailureCause, number>;
}

/** Said by the store's single writer. */
export class CommitHealth implements StoreHealth {
  readonly #logger: Pick<Logger, 'info' | 'error'>;
  readonly #failures = new Map<FailureCause, number>(failureCauses.map((cause) => [cause, 0]));
  #cause: FailureCause | null = null;
  #sinceMs = 0;

  constructor(logger: Pick<Logger, 'info' | 'error'>) {
    this.#logger = logger;
  }

  get cause(): FailureCause | null {
    return this.#cause;
  }

  get failingMs(): number {
    return this.#cause === null ? 0 : Math.max(1, monotonicMs() - this.#sinceMs);
  }

  get failures(): ReadonlyMap<FailureCause, number> {
    return this.#failures;
  }

  /** Something was committed. */
  committed(): void {
    if (this.#cause === null) return;
    this.#cause = null;
    this.#logger.info('the store can be written again');
  }

  /** Nothing could be written, and nothing that waited for it is called done. */
  failed(error: unknown): void {
    const { cause, words, hint } = describeFailure(error);
    this.#failures.set(cause, (this.#failures.get(cause) ?? 0) + 1);
    // these say how much there is to do, and nothing about the storage
    if (cause === 'busy' || cause === 'closed') return;
    if (this.#cause === null) this.#sinceMs = monotonicMs();
    if (this.#cause !== cause) this.#logger.error({ cause, problem: words, hint }, 'the store cannot be written');
    this.#cause = cause;
  }
}
