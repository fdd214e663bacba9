// Large read buffers, lent to upstream connections while bodies come, and taken back; their sum is bounded.
// No buffer is ever registered with two sockets: it has one owner, a connection or a write that still needs it.

/** What an idle connection and the first read of an answer use. */
export const smallBufferBytes = 8 * 1024;

// Side by side with bodies of 1 MiB on 32 connections: 48 KiB cost 18 % more CPU per MiB than 256 KiB, 120 KiB 13 %,
// 512 KiB 10 %. What is larger than the processor's cache is read and written from memory again.
const largeBufferBytes = 256 * 1024;
const fallbackBufferBytes = 16 * 1024;

const maxKept = 64;

/** Node takes "no new buffer" as undefined, which its types do not say (lib/internal/stream_base_commons.js). */
export const keepBuffer = undefined as unknown as Uint8Array;

/** Lends buffers. Above the cap it lends smaller ones, so that memory stays bounded and nothing stops. One per edge. */
export class ReadBuffers {
  readonly #kept: Buffer[] = [];
  readonly #maxLent: number;
  #lent = 0;

  /** @param maxBytes  cap on the sum of large buffers in use */
  constructor(maxBytes: number) {
    this.#maxLent = Math.floor(maxBytes / largeBufferBytes);
  }

  take(): Buffer {
    if (this.#lent >= this.#maxLent) return Buffer.allocUnsafeSlow(fallbackBufferBytes);
    this.#lent++;
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(largeBufferBytes);
  }

  /** Takes a buffer back that nothing reads or writes any more. */
  give(buffer: Buffer): void {
    if (buffer.length !== largeBufferBytes) return;
    this.#lent--;
    if (this.#kept.length < maxKept) this.#kept.push(buffer);
  }

  /** Lends a buffer, and forgets the one before: a write still reads from it. */
  replace(buffer: Buffer | null): Buffer {
    if (buffer !== null) this.forget(buffer);
    return this.take();
  }

  /** Counts a buffer as lent no more. A write may still read from it; then the garbage collector takes it. */
  forget(buffer: Buffer): void {
    if (buffer.length === largeBufferBytes) this.#lent--;
  }
}
