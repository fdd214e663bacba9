// The two deadlines of a client connection: when its client has to send something, and when it has to take something. The ticker
// watches the earlier one. Setting a deadline is a store and a comparison, which is all that the path of a request can afford.

import type { Socket } from 'node:net';
import type { Deadlined, Ticker } from '../engine/ticker.ts';

const nothing = Buffer.alloc(0);

// A closing connection takes what its client still sends, so that a reset does not overtake the answer (RFC 9112 §9.6): until
// nothing came for the first time, and at most for the second. Both are nginx's defaults, against which clients were written.
const lingerIdleMs = 5000;
const lingerMs = 30_000;
/** How long the kernel has to deliver the last bytes in front of a reset, which throws away what it still holds. */
const cutOffMs = 2000;

/** A connection with deadlines in both directions. */
export abstract class ClientDeadlines implements Deadlined {
  /** The earlier of the two. */
  deadlineMs: number;
  readonly socket: Socket;
  protected readonly ticker: Ticker;
  /** How long the client may take nothing of what is unsent. */
  protected writeIdleMs: number;
  /** When the next head, or more of a body, is due. */
  #readDeadlineMs: number;
  /** When a closing connection ends, whatever still comes. */
  #lingerEndMs = Number.POSITIVE_INFINITY;
  /** When the client has to have taken what is unsent. */
  #writeDeadlineMs = Number.POSITIVE_INFINITY;

  /** @param firstMs  until something has to come */
  constructor(socket: Socket, ticker: Ticker, firstMs: number) {
    this.socket = socket;
    this.ticker = ticker;
    this.writeIdleMs = firstMs;
    this.#readDeadlineMs = ticker.nowMs + firstMs;
    this.deadlineMs = this.#readDeadlineMs;
  }

  abstract onDeadline(): void;

  /** Bytes that were given to the socket and that the kernel did not take yet. */
  get hasUnsent(): boolean {
    return this.socket.writableLength > 0;
  }

  /** Bytes that the kernel took for this client so far. */
  get takenBytes(): number {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  /** Calls back once nothing is unsent, or the connection is gone. */
  whenSent(callback: () => void): void {
    if (!this.hasUnsent) {
      callback();
      return;
    }
    this.sendWithin(this.writeIdleMs);
    this.socket.write(nothing, () => {
      this.sendWithin(this.hasUnsent ? this.writeIdleMs : Number.POSITIVE_INFINITY);
      callback();
    });
  }

  /** Whether the client should have taken what is unsent by now. */
  protected get isWriteOverdue(): boolean {
    return this.#writeDeadlineMs <= this.ticker.nowMs;
  }

  /** Something has to come within this time; `Number.POSITIVE_INFINITY` when nothing is due. */
  protected expectWithin(ms: number): void {
    this.#readDeadlineMs = this.ticker.nowMs + ms;
    this.deadlineMs = Math.min(this.#readDeadlineMs, this.#writeDeadlineMs);
  }

  /** The answer is with the kernel: what the client still sends is taken for a while. */
  protected linger(): void {
    this.#lingerEndMs = this.ticker.nowMs + lingerMs;
    this.expectWithin(lingerIdleMs);
  }

  /** A lingering connection got more bytes. */
  protected lingerOn(): void {
    this.expectWithin(Math.min(lingerIdleMs, this.#lingerEndMs - this.ticker.nowMs));
  }

  /** All that came of a broken answer is with the kernel, which gets the time to deliver it. */
  protected awaitReset(): void {
    this.expectWithin(cutOffMs);
  }

  /** What is unsent has to be taken within this time; `Number.POSITIVE_INFINITY` when nothing is. */
  protected sendWithin(ms: number): void {
    this.#writeDeadlineMs = this.ticker.nowMs + ms;
    this.deadlineMs = Math.min(this.#writeDeadlineMs, this.#readDeadlineMs);
  }
}
