// Runs expensive checks few at a time and few per second; a check that would have to wait too long is turned away at once.
// A check that waits holds a connection of an edge, so few may wait, and each source has a part of the places. Sources that proved
// good before have places of their own, which no stranger can fill.
// The queue knows nothing about passwords. Times come from the injected clock.

import { FairQueue } from '../../core/model/fair-queue.ts';
import type { ControlClock } from '../context/control-clock.ts';
import type { CheckSource, QueueOutcome, WorkQueue } from '../context/password-work.ts';

interface CheckQueueOptions {
  /** Checks that run at the same time. */
  readonly concurrency: number;
  /** Checks started in any one second, asked at each start because a reload may change it. */
  readonly perSecond: () => number;
  /** Checks of strangers that may wait. */
  readonly maxWaiting: number;
  /** Checks of known sources that may wait beside them. Default: as many. */
  readonly maxKnownWaiting?: number;
  /** Checks of one source among the waiting ones. */
  readonly maxWaitingPerSource: number;
  /** Longest wait: a check that could not start in this time is turned away, and a check that is sure not to is turned away before it waits. */
  readonly deadlineMs: number;
  readonly clock: ControlClock;
}

interface Waiting {
  readonly start: () => void;
  readonly turnAway: () => void;
  readonly deadline: number;
}

/** A queue with a bounded length, rate and wait, in which no source keeps another source out. */
export class CheckQueue implements WorkQueue {
  readonly #options: CheckQueueOptions;
  readonly #strangers: FairQueue<Waiting>;
  readonly #known: FairQueue<Waiting>;
  /** Start times within the last second, oldest first. */
  #starts: number[] = [];
  #running = 0;
  /** How long a check took lately; on a busy machine that is many times as long as on an idle one. */
  #meanMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: CheckQueueOptions) {
    this.#options = options;
    const { maxWaiting, maxKnownWaiting = maxWaiting, maxWaitingPerSource: maxPerSource } = options;
    this.#strangers = new FairQueue({ max: maxWaiting, maxPerSource });
    this.#known = new FairQueue({ max: maxKnownWaiting, maxPerSource });
  }

  /** Checks that wait for their turn. */
  get waiting(): number {
    return this.#strangers.size + this.#known.size;
  }

  /** Runs `check` when its turn comes. Rejects when `check` rejects. */
  run<T>(source: CheckSource, check: () => Promise<T>): Promise<QueueOutcome<T>> {
    const { clock, deadlineMs } = this.#options;
    const now = clock.monotonicMs();
    const queue = source.isKnown ? this.#known : this.#strangers;
    const waitMs = this.#waitOf(this.#aheadOf(source), now);
    if (waitMs > deadlineMs) return Promise.resolve(busy(waitMs));
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        start: () => {
          const startedMs = clock.monotonicMs();
          check()
            .then((value) => resolve({ kind: 'done', value }), reject)
            .finally(() => {
              this.#running -= 1;
              this.#meanMs += (clock.monotonicMs() - startedMs - this.#meanMs) / 4;
              this.#advance();
            });
        },
        turnAway: () => resolve(busy(deadlineMs)),
        deadline: now + deadlineMs,
      };
      queue.push(source.name, entry)?.turnAway();
      this.#advance();
    });
  }

  /** Whether a check of a stranger would get its turn in time, if the stranger's source had no other check waiting. */
  isOpenToStrangers(): boolean {
    const { clock, deadlineMs } = this.#options;
    const waitMs = this.#waitOf(this.#aheadOf({ name: '', isKnown: false }), clock.monotonicMs());
    return waitMs <= deadlineMs && this.#strangers.hasRoom('');
  }

  /** Turns all waiting checks away. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#turnAway(() => true);
  }

  #aheadOf({ name, isKnown }: CheckSource): number {
    return isKnown ? this.#known.ahead(name) : this.#strangers.ahead(name) + this.#known.size;
  }

  /** How long a check waits that has this many checks before it: for the rate, and for the running checks. */
  #waitOf(ahead: number, now: number): number {
    const rounds = Math.floor((this.#running + ahead) / this.#options.concurrency);
    return Math.max(rounds * this.#meanMs, this.#waitOfRate(ahead, now));
  }

  #waitOfRate(ahead: number, now: number): number {
    const starts = this.#starts.filter((start) => start > now - 1000);
    const rate = Math.max(1, this.#options.perSecond());
    const place = starts.length + ahead;
    if (place < rate) return 0;
    // A check may start one second after the start of the check that is `rate` places before it.
    const seconds = Math.floor(place / rate);
    const began = starts[place - seconds * rate] ?? now;
    return Math.max(0, began + seconds * 1000 - now);
  }

  #turnAway(test: (entry: Waiting) => boolean): void {
    for (const queue of [this.#known, this.#strangers]) for (const each of queue.removeWhere(test)) each.turnAway();
  }

  #advance(): void {
    const { clock, concurrency, perSecond } = this.#options;
    const now = clock.monotonicMs();
    this.#turnAway(({ deadline }) => deadline <= now);
    this.#starts = this.#starts.filter((start) => start > now - 1000);
    while (this.#running < concurrency && this.#starts.length < Math.max(1, perSecond())) {
      const next = this.#known.shift() ?? this.#strangers.shift();
      if (next === undefined) break;
      this.#running += 1;
      this.#starts.push(now);
      next.start();
    }
    this.#wakeLater(now);
  }

  /** Sets the timer for the first of two moments: a start that the rate allows again, or the end of a wait. */
  #wakeLater(now: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const first = Math.min(
      this.#known.least(({ deadline }) => deadline),
      this.#strangers.least(({ deadline }) => deadline),
    );
    if (first === Number.POSITIVE_INFINITY) return;
    const oldest = this.#starts[0];
    const rateFree = oldest === undefined ? first : oldest + 1000;
    this.#timer = setTimeout(() => this.#advance(), Math.max(1, Math.min(first, rateFree) - now + 1));
  }
}

function busy(waitMs: number): { readonly kind: 'busy'; readonly retryAfterSeconds: number } {
  return { kind: 'busy', retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}
