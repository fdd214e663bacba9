// An append-only file of lines, written in batches off the event loop, with a bound on the lines that wait in memory.
// A full disk or a missing folder never throws and never stops the process: lines are dropped, counted and reported.
// Rotation: `reopen` takes a new file under the old name; lines already taken still go to the old one.

import { openSync } from 'node:fs';
import sonicBoom from 'sonic-boom';
import type { Logger } from './logger.ts';

/** Where lines go, as the configuration says it; `path` is absolute. */
export type LogTarget =
  | { readonly kind: 'off' }
  | { readonly kind: 'stdout' }
  | { readonly kind: 'file'; readonly path: string };

interface LogFileOptions {
  /** `access` or `decisions`, for messages. */
  readonly name: string;
  readonly target: Exclude<LogTarget, { readonly kind: 'off' }>;
  readonly logger: Logger;
  /** Bytes that may wait for the disk. Default 8 MiB. */
  readonly maxBytes?: number;
}

// A CommonJS module whose names Node cannot see as exports; the default export has them.
const { SonicBoom } = sonicBoom;
type LineStream = InstanceType<typeof SonicBoom>;

const batchBytes = 16 * 1024;
const flushMs = 1000;
/** Waits of 100 ms for a full pipe at the end. */
const lastTriesLimit = 5;
/** Several edges share stdout: Linux writes up to 4096 bytes to a pipe as one piece, so lines never mix. */
const pipeAtomicBytes = 4096;

/** Lines to one target. Nothing here throws after construction, and construction does not throw either. */
export class LogFile {
  readonly #options: LogFileOptions;
  readonly #timer: NodeJS.Timeout;
  #stream: LineStream | null = null;
  #dropped = 0;
  #reported = 0;
  #lastError = '';
  #closed = false;
  #lastTries = 0;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.reopen();
    this.#timer = setInterval(() => this.#tick(), flushMs);
    this.#timer.unref();
  }

  /** Lines that were lost since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes one line that ends in a newline. */
  write(line: string): void {
    if (this.#stream === null) this.#dropped += 1;
    else this.#stream.write(line);
  }

  /** Opens the file again by its name, after a rotation. A file that cannot be opened leaves the old one in use. */
  reopen(): void {
    if (this.#closed) return;
    const { target } = this.#options;
    if (target.kind === 'stdout') {
      this.#stream ??= this.#makeStream(1, pipeAtomicBytes);
      return;
    }
    try {
      const opened = openSync(target.path, 'a', 0o640);
      const previous = this.#stream;
      this.#stream = this.#makeStream(opened, 4 * batchBytes);
      previous?.end();
      this.#lastError = '';
    } catch (error) {
      this.#report(error);
    }
  }

  /** Writes the waiting lines now; resolves when that is done or has failed. */
  flush(): Promise<void> {
    const stream = this.#stream;
    if (stream === null) return Promise.resolve();
    return new Promise((resolve) => stream.flush(() => resolve()));
  }

  /** Writes the waiting lines and closes. Later lines are dropped. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null) return;
    try {
      stream.flushSync();
    } catch (error) {
      this.#report(error);
    }
    stream.destroy();
  }

  #makeStream(fd: number, maxWrite: number): LineStream {
    const stream = new SonicBoom({
      fd,
      sync: false,
      minLength: maxWrite > batchBytes ? batchBytes : maxWrite / 2,
      maxWrite,
      maxLength: this.#options.maxBytes ?? 8 * 1024 * 1024,
      // A reader of the pipe that stopped reading must not keep the process from ending.
      retryEAGAIN: () => !this.#closed || ++this.#lastTries < lastTriesLimit,
    });
    stream.on('drop', () => {
      this.#dropped += 1;
    });
    stream.on('error', (error: unknown) => {
      this.#report(error);
      // The lines of a replaced stream that failed are lost, but its descriptor has to be closed.
      if (stream !== this.#stream) stream.destroy();
    });
    return stream;
  }

  #tick(): void {
    if (this.#stream === null) this.reopen();
    this.#stream?.flush();
    if (this.#dropped > this.#reported) {
      const lines = this.#dropped - this.#reported;
      this.#reported = this.#dropped;
      this.#options.logger.warn({ log: this.#options.name, lines }, 'log lines were dropped');
    }
  }

  /** Reports an error once, not once a second for as long as it lasts. */
  #report(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message === this.#lastError) return;
    this.#lastError = message;
    const at = this.#options.target.kind === 'file' ? this.#options.target.path : 'stdout';
    this.#options.logger.error({ log: this.#options.name, target: at, problem: message }, 'cannot write the log');
  }
}
