// What every connection of one edge shares, to clients and to upstreams: the coarse clock, lent read buffers, scratch for heads
// and small answers, the limits in force. It decides nothing and knows no request.
// Scratch is used and done with within one turn of the event loop; nothing may keep a piece of it.

import type { Limits } from '../../config/compiled/config.ts';
import type { FieldNames } from '../../http1/field-names.ts';
import { HeadScanner } from '../../http1/head-scanner.ts';
import { RequestHead } from '../../http1/request-head.ts';
import { ResponseHead } from '../../http1/response-head.ts';
import { ReadBuffers } from './read-buffers.ts';
import { Ticker } from './ticker.ts';

/** A connection that gathers what it has to write and writes it at the end of the turn. */
interface Flushable {
  flush(): void;
}

/** The names of fields that something is done about; a reload changes them. */
interface HeadNames {
  readonly requests: FieldNames;
  readonly responses: FieldNames;
}

/** What a connection to an upstream is made with. */
export interface EngineParts {
  readonly ticker: Ticker;
  readonly readBuffers: ReadBuffers;
  /** Scans heads that arrive in one piece. */
  readonly scanner: HeadScanner;
  /** The head of the answer that is being read in this turn. */
  readonly responseHead: ResponseHead;
  readonly names: HeadNames;
  /** Of the configuration in force: a reload replaces them. */
  readonly limits: Limits;
  /** The edge is on its way out: connections are not kept any more. */
  readonly isDraining: boolean;
  /** Has the connection write what it holds at the end of this turn; see `UpstreamConnection.start`. */
  flushSoon(connection: Flushable): void;
}

// Sum of large read buffers; above it reads use 16 KiB each.
const maxReadBufferBytes = 128 * 1024 * 1024;
const maxFreeHeads = 256;
/** Size of `Engine.scratch`. */
export const scratchBytes = 16 * 1024;

/** One per edge. */
export class Engine implements EngineParts {
  limits: Limits;
  isDraining = false;
  readonly ticker = new Ticker();
  readonly readBuffers = new ReadBuffers(maxReadBufferBytes);
  readonly scanner = new HeadScanner();
  readonly responseHead = new ResponseHead();
  readonly names: HeadNames;
  /** Where small answers are put together: used and written within one turn. */
  scratch: Buffer = Buffer.allocUnsafeSlow(scratchBytes);
  readonly #unflushed: Flushable[] = [];
  readonly #freeHeads: RequestHead[] = [];

  constructor(limits: Limits, names: HeadNames) {
    this.limits = limits;
    this.names = names;
  }

  /**
   * A head to parse into. It belongs to one request until `giveRequestHead`, which is after the request's telemetry.
   * Making one per request cost 4 % of the edge's CPU (1.6 KiB of integers each, by --cpu-prof under bench load).
   */
  takeRequestHead(): RequestHead {
    return this.#freeHeads.pop() ?? new RequestHead();
  }

  /** Takes a head back whose request is over. Nothing may look at it any more. */
  giveRequestHead(head: RequestHead): void {
    if (this.#freeHeads.length < maxFreeHeads) this.#freeHeads.push(head);
  }

  /** A write still needs the scratch: the scratch is that write's from here on, and the next answer gets another. */
  renewScratch(): void {
    this.scratch = Buffer.allocUnsafeSlow(scratchBytes);
  }

  flushSoon(connection: Flushable): void {
    if (this.#unflushed.push(connection) === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    // taken out first: whatever a connection does while it flushes, the next turn is scheduled anew
    for (const connection of this.#unflushed.splice(0)) connection.flush();
  };
}
