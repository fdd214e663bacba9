// The two deadlines of a client connection: what it has to send next, and what it has to take. The earlier one is the
// ticker's. Setting one is a store and a comparison, which is all that the path of a request can afford.

import type { Deadlined, Ticker } from './ticker.ts';

/** A connection with deadlines in both directions. */
export abstract class ClientDeadlines implements Deadlined {
  /** The earlier of the two. */
  deadlineMs: number;
  protected readonly ticker: Ticker;
  /** When the next head, or more of a body, is due. */
  #readDeadlineMs: number;
  /** When the client has to have taken what is unsent. */
  #writeDeadlineMs = Number.POSITIVE_INFINITY;

  /** @param firstMs  until something has to come */
  constructor(ticker: Ticker, firstMs: number) {
    this.ticker = ticker;
    this.#readDeadlineMs = ticker.nowMs + firstMs;
    this.deadlineMs = this.#readDeadlineMs;
  }

  abstract onDeadline(): void;

  /** Whether it is the client's taking that is overdue. */
  protected get isWriteOverdue(): boolean {
    return this.#writeDeadlineMs <= this.ticker.nowMs;
  }

  /** Something has to come within this time; `Number.POSITIVE_INFINITY` when nothing is due. */
  protected expectWithin(ms: number): void {
    this.#readDeadlineMs = this.ticker.nowMs + ms;
    this.deadlineMs = Math.min(this.#readDeadlineMs, this.#writeDeadlineMs);
  }

  /** What is unsent has to be taken within this time; `Number.POSITIVE_INFINITY` when nothing is. */
  protected sendWithin(ms: number): void {
    this.#writeDeadlineMs = this.ticker.nowMs + ms;
    this.deadlineMs = Math.min(this.#writeDeadlineMs, this.#readDeadlineMs);
  }
}
