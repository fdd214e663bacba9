// The clocks of a test's own process, which a test may stop: then time passes when the test says so, and only then. For ends
// that must come after seconds, and must not come before a slow machine got there. A gateway in another process does not notice.

import { onTestFinished, vi } from 'vitest';

export class StoppableClock {
  readonly #monotonicMs = performance.now.bind(performance);
  readonly #wallMs = Date.now() - performance.now();
  #aheadMs = 0;
  /** null while it runs. */
  #stoppedMs: number | null = null;

  /** Once for each file: what this clock says never goes back, so it stays ahead when it goes on. */
  constructor() {
    vi.spyOn(performance, 'now').mockImplementation(() => this.#nowMs());
    vi.spyOn(Date, 'now').mockImplementation(() => this.#wallMs + this.#nowMs());
  }

  /** Stops it until the test is over. */
  stop(): void {
    this.#stoppedMs = this.#nowMs();
    onTestFinished(() => {
      this.#aheadMs = this.#nowMs() - this.#monotonicMs();
      this.#stoppedMs = null;
    });
  }

  /** What waits for this time hears of it within two ticks of an edge, half a second. */
  pass(milliseconds: number): void {
    if (this.#stoppedMs === null) throw new Error('the clock is running');
    this.#stoppedMs += milliseconds;
  }

  #nowMs(): number {
    return this.#stoppedMs ?? this.#monotonicMs() + this.#aheadMs;
  }
}
