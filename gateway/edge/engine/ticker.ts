// The edge's coarse clock, and one sweep over everything that has a deadline.
// A timer per connection would cost a timer operation per request; a number that a sweep compares costs a store.

import { epochSeconds, monotonicMs } from '../../telemetry/clock.ts';

/** Something that has a deadline. */
export interface Deadlined {
  /** Monotonic milliseconds; `Number.POSITIVE_INFINITY` when nothing is due. */
  deadlineMs: number;
  /** Called once the deadline has passed, up to a quarter of a second late, or as late as the process itself is. */
  onDeadline(): void;
}

const tickMs = 250;

/** `nowMs` and `epochSeconds` are refreshed four times a second: enough for deadlines and for `exp`. */
export class Ticker {
  nowMs: number = monotonicMs();
  epochSeconds: number = epochSeconds();
  /** Called at the end of each tick; `lateMs` is how much later than planned it came. */
  onTick: ((nowMs: number, lateMs: number) => void) | null = null;
  readonly #watched = new Set<Deadlined>();
  #timer: NodeJS.Timeout | null = null;

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), tickMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  watch(item: Deadlined): void {
    this.#watched.add(item);
  }

  unwatch(item: Deadlined): void {
    this.#watched.delete(item);
  }

  tick(): void {
    const lastMs = this.nowMs;
    this.nowMs = monotonicMs();
    this.epochSeconds = epochSeconds();
    // only after the sockets were read once more: bytes that came while the process was busy elsewhere came in time
    setImmediate(() => this.#sweep(Math.max(0, this.nowMs - lastMs - tickMs)));
  }

  #sweep(lateMs: number): void {
    if (this.#timer === null) return;
    // a deadline that was set while the process was late was set by a clock that stood still
    const dueMs = this.nowMs - lateMs;
    for (const item of this.#watched) {
      if (item.deadlineMs <= dueMs) {
        item.deadlineMs = Number.POSITIVE_INFINITY;
        item.onDeadline();
      }
    }
    this.onTick?.(this.nowMs, lateMs);
  }
}
