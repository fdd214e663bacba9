// Long streams of known bytes: made without end, compared as they come, kept nowhere.
// Comparing is one native call per read, so a gigabyte is a matter of seconds.

import type { Socket } from 'node:net';

/** Bytes that repeat with a period that no buffer size divides, so that a lost or doubled read shows. */
export class Pattern {
  readonly #period: number;
  // twice the period, so that a period from any offset is one slice
  readonly #bytes: Buffer;

  /** @param once  one period */
  constructor(once: Buffer) {
    this.#period = once.length;
    this.#bytes = Buffer.concat([once, once]);
  }

  /**
   * Streams of two seeds differ in every few bytes.
   *
   * @param count  32-bit words in a period, a prime number; about a megabyte unless told
   */
  static seeded(seed: number, count = 262_147): Pattern {
    const words = new Uint32Array(count);
    let state = (seed * 2_654_435_761 + 1) >>> 0;
    for (let index = 0; index < words.length; index++) {
      // xorshift32
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[index] = state;
    }
    return new Pattern(Buffer.from(words.buffer).subarray(1));
  }

  /** Up to `length` bytes that stand at `offset`; at least a period's worth of them. */
  at(offset: number, length: number): Buffer {
    const start = offset % this.#period;
    return this.#bytes.subarray(start, start + length);
  }

  /** Whether `bytes` are what stands at `offset`. */
  matches(offset: number, bytes: Uint8Array): boolean {
    for (let done = 0; done < bytes.length; done += this.#period) {
      const part = bytes.subarray(done, done + this.#period);
      if (this.at(offset + done, part.length).compare(part) !== 0) return false;
    }
    return true;
  }
}

/**
 * Writes `total` bytes of a pattern as fast as the socket takes them; `total` may be infinite.
 *
 * @returns bytes given to the socket when all was written or the socket was destroyed
 */
export function sendPattern(socket: Socket, pattern: Pattern, total: number): Promise<number> {
  return new Promise((resolve) => {
    let sent = 0;
    const write = (): void => {
      while (sent < total && !socket.destroyed) {
        const part = pattern.at(sent, Math.min(256 * 1024, total - sent));
        const more = socket.write(part);
        sent += part.length;
        if (!more) return;
      }
      finish();
    };
    const finish = (): void => {
      socket.off('drain', write);
      socket.off('close', finish);
      resolve(sent);
    };
    socket.on('drain', write);
    socket.on('close', finish);
    write();
  });
}
