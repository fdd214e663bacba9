// Whether the store can be written, judged by its own commits. Nothing is tried here: control/node/probe-store.ts writes now and
// then, so that a full disk is noticed before a revocation fails on it, and its end is noticed as well.

import { monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { describeFailure, type FailureCause, failureCauses } from './failure-cause.ts';

/** The health of the store, for readers. */
export interface StoreHealth {
  /** Why the last commit failed; null when it succeeded. */
  readonly cause: FailureCause | null;
  /** For how long no commit succeeded, in milliseconds; 0 while commits succeed. */
  readonly failingMs: number;
  /** Failures since the process started, for every cause of the list. */
  readonly failures: ReadonlyMap<FailureCause, number>;
}

/** The health as the store's single writer (group-commit.ts) reports it. */
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

  /** A commit succeeded. */
  committed(): void {
    if (this.#cause === null) return;
    this.#cause = null;
    this.#logger.info('the store can be written again');
  }

  /** A commit failed, or a unit was refused; none of the units concerned is called done. */
  failed(error: unknown): void {
    const { cause, words, hint } = describeFailure(error);
    this.#failures.set(cause, (this.#failures.get(cause) ?? 0) + 1);
    // these two causes say nothing about the storage
    if (cause === 'busy' || cause === 'closed') return;
    if (this.#cause === null) this.#sinceMs = monotonicMs();
    if (this.#cause !== cause) this.#logger.error({ cause, problem: words, hint }, 'the store cannot be written');
    this.#cause = cause;
  }
}
