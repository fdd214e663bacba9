// One connection on which a fault is played, with the moves that a script can make. Timers here set the upstream's pace,
// and end with the connection.

import type { Socket } from 'node:net';

/** What a fault's script may do. */
export class Stage {
  readonly socket: Socket;
  /** Of the request that is being mistreated. */
  readonly id: string;
  #timer: NodeJS.Timeout | null = null;
  #bytesSeen = 0;
  #whole: (() => void) | null = null;
  #isWhole = false;

  constructor(socket: Socket, id: string) {
    this.socket = socket;
    this.id = id;
    socket.once('close', () => {
      if (this.#timer !== null) clearInterval(this.#timer);
    });
    socket.on('data', (chunk: Buffer) => {
      this.#bytesSeen += chunk.length;
    });
  }

  /** Text as latin1; `$ID` becomes the request's id. */
  write(text: string, written?: () => void): void {
    if (this.socket.writable) this.socket.write(text.replaceAll('$ID', this.id), 'latin1', written);
  }

  /** What follows `says`; a reset waits until the kernel has the bytes, since it would overtake them otherwise. */
  finish(how: 'stay' | 'fin' | 'reset', says: string): void {
    if (how === 'fin') this.socket.end(says.replaceAll('$ID', this.id), 'latin1');
    else if (how === 'stay') this.write(says);
    else if (says === '') this.socket.resetAndDestroy();
    else this.write(says, () => this.soon(() => this.socket.resetAndDestroy()));
  }

  /** Runs after a few turns of the event loop: long enough that the gateway has what was written before. */
  soon(run: () => void): void {
    this.#timer = setTimeout(() => {
      if (!this.socket.destroyed) run();
    }, 30);
  }

  /** One byte at a time. @param everyMs  0: one each turn of the event loop for a while, and then the rest */
  drip(text: string, everyMs: number, done?: () => void): void {
    const bytes = text.replaceAll('$ID', this.id);
    let at = 0;
    if (everyMs === 0) {
      const singles = 20;
      const next = (): void => {
        if (at < singles) {
          this.write(bytes.charAt(at++));
          setImmediate(next);
        } else {
          this.write(bytes.slice(at));
          done?.();
        }
      };
      next();
      return;
    }
    this.#timer = setInterval(() => {
      if (at < bytes.length) this.write(bytes.charAt(at++));
    }, everyMs);
  }

  /** Writes as fast as it is taken, for ever. */
  flood(): void {
    const block = Buffer.alloc(64 * 1024, 'mine');
    const more = (): void => {
      while (!this.socket.destroyed && this.socket.write(block));
    };
    this.socket.on('drain', more);
    more();
  }

  /** Stops for a moment after every so many bytes. @param then  runs once the request is whole */
  readSlowly(bytes: number, pauseMs: number, then: () => void): void {
    let next = bytes;
    this.#whole = then;
    if (this.#isWhole) then();
    this.socket.on('data', () => {
      if (this.#bytesSeen < next || this.#isWhole) return;
      next += bytes;
      this.socket.pause();
      this.#timer = setTimeout(() => this.socket.resume(), pauseMs);
    });
  }

  /** The request came to its end. */
  requestIsWhole(): void {
    this.#isWhole = true;
    this.#whole?.();
  }
}
