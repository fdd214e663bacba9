// Runs expensive checks few at a time and few per second; what would have to wait too long is turned away.
// Knows nothing about passwords. Times come from the injected clock.

import type { ControlClock } from './control-clock.ts';

export interface CheckQueueOptions {
  /** Checks at once. */
  readonly concurrency: number;
  /** Checks started in any one second, asked at each start because a reload may change it. */
  readonly perSecond: () => number;
  readonly maxWaiting: number;
  /** A check that could not start within this is turned away. */
  readonly deadlineMs: number;
  readonly clock: ControlClock;
}

/** `busy` means that the check was never started. */
export type QueueOutcome<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'busy' };

interface Waiting {
  readonly start: () => void;
  readonly turnAway: () => void;
  readonly deadline: number;
}

/** A queue with a bounded length, rate and wait. */
export class CheckQueue {
  readonly #options: CheckQueueOptions;
  readonly #waiting: Waiting[] = [];
  /** Start times within the last second, oldest first. */
  #starts: number[] = [];
  #running = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: CheckQueueOptions) {
    this.#options = options;
  }

  /** Runs `check` when its turn comes. Rejects when `check` does. */
  run<T>(check: () => Promise<T>): Promise<QueueOutcome<T>> {
    if (this.#waiting.length >= this.#options.maxWaiting) return Promise.resolve({ kind: 'busy' });
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        start: () => {
          check()
            .then((value) => resolve({ kind: 'done', value }), reject)
            .finally(() => {
              this.#running -= 1;
              this.#advance();
            });
        },
        turnAway: () => resolve({ kind: 'busy' }),
        deadline: this.#options.clock.monotonicMs() + this.#options.deadlineMs,
      });
      this.#advance();
    });
  }

  /** Turns all waiting away. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const waiting of this.#waiting.splice(0)) waiting.turnAway();
  }

  #advance(): void {
    const { clock, concurrency, perSecond } = this.#options;
    const now = clock.monotonicMs();
    while (this.#waiting[0] !== undefined && this.#waiting[0].deadline <= now) this.#waiting.shift()?.turnAway();
    this.#starts = this.#starts.filter((start) => start > now - 1000);
    while (this.#running < concurrency && this.#starts.length < Math.max(1, perSecond())) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#running += 1;
      this.#starts.push(now);
      next.start();
    }
    this.#wakeLater(now);
  }

  /** Sets the timer for whichever comes first: a start that the rate allows again, or the end of a wait. */
  #wakeLater(now: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const first = this.#waiting[0];
    if (first === undefined) return;
    const oldest = this.#starts[0];
    const rateFree = oldest === undefined ? first.deadline : oldest + 1000;
    this.#timer = setTimeout(() => this.#advance(), Math.max(1, Math.min(first.deadline, rateFree) - now + 1));
  }
}
