// The buffer that one upstream connection reads into. It starts small, is a large lent one while bodies come, and is left behind
// when a client's write still needs it: bytes are lent to clients, never copied for them. No two sockets ever have the same buffer.

import { keepBuffer, type ReadBuffers, smallBufferBytes } from '../engine/read-buffers.ts';

/** The client that was given spans of the buffer. */
interface Borrower {
  readonly hasUnsent: boolean;
  whenSent(callback: () => void): void;
}

/** One per connection. */
export class AnswerBuffer {
  /** What the last read went into. */
  current: Buffer = Buffer.allocUnsafeSlow(smallBufferBytes);
  /** What the next read goes into; null when that is `current`. */
  #next: Buffer | null = null;
  /** The large buffer lent to this connection, in use or about to be. */
  #large: Buffer | null = null;
  readonly #lender: ReadBuffers;

  constructor(lender: ReadBuffers) {
    this.#lender = lender;
  }

  /** The `buffer` of Node's `onread`. @param isConnected  false for the first call, which wants the buffer to begin with */
  swap(isConnected: boolean): Uint8Array {
    const next = this.#next;
    if (next === null) return isConnected ? keepBuffer : this.current;
    this.#next = null;
    this.current = next;
    return next;
  }

  /**
   * More of a body is to come: a large buffer from the next read on. The small one may be part of a write that the kernel did not
   * take yet; from here on it is that write's alone.
   */
  enlarge(): void {
    if (this.#large !== null) return;
    this.#large = this.#lender.take();
    this.#next = this.#large;
  }

  /** For a tunnel, whose reads say how much comes: a large buffer only while reads are full ones. @param length  of the last read */
  fit(length: number, client: Borrower): void {
    if (this.#large === null && length === this.current.length) this.enlarge();
    else if (this.#large !== null && length < smallBufferBytes) this.retire(client, false);
  }

  /** The buffer is left to the write that needs it, and the next read goes into another one, however soon that read comes. */
  leave(): void {
    if (this.#next !== null) return;
    this.#large = this.#lender.replace(this.#large);
    this.#next = this.#large;
  }

  /**
   * Back to a small buffer when the answer is complete. A buffer that the client's write still needs is that write's; a large one
   * is lent again once the write is done, unless more answers may have been read into it.
   *
   * @param hasNext  another answer is due on the connection
   */
  retire(client: Borrower, hasNext: boolean): void {
    const isUnsent = client.hasUnsent;
    const large = this.#large;
    if (hasNext && !isUnsent) return;
    this.#large = null;
    if (large !== null || isUnsent) this.#next = Buffer.allocUnsafeSlow(smallBufferBytes);
    if (large === null) return;
    if (!isUnsent) this.#lender.give(large);
    else if (hasNext) this.#lender.forget(large);
    else client.whenSent(() => this.#lender.give(large));
  }

  /** The connection is gone. A client's write may still hold the buffer: then it is not lent to anybody again. */
  close(): void {
    if (this.#large !== null) this.#lender.forget(this.#large);
    this.#large = null;
  }
}
