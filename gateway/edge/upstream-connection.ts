// One connection to an upstream server: writes a request, reads its answer, and proves the answer's framing.
// It owns its read buffer; no other socket ever reads into it. It knows nothing of clients: it hands an Exchange
// the head and spans of the body. Rules: RFC 9112 §6.3, §9.2, §9.3; bytes nobody asked for end the connection.

import { connect, type Socket } from 'node:net';
import { brokenChunk, ChunkedFilter } from '../http1/chunked-filter.ts';
import { HeadCollector } from '../http1/head-collector.ts';
import { needMore } from '../http1/head-scanner.ts';
import type { ResponseFraming, ResponseHead } from '../http1/response-head.ts';
import { eventBatch } from '../telemetry/event-batch.ts';
import type { Exchange } from './exchange.ts';
import { idleTimeMs } from './keep-alive.ts';
import { smallBufferBytes } from './read-buffers.ts';
import type { Runtime } from './runtime.ts';
import type { Deadlined } from './ticker.ts';
import type { UpstreamServerPool } from './upstream-pool.ts';

/** What became of an attempt that gave no complete answer. */
export type UpstreamFailure =
  | 'connect-failed'
  | 'connect-timeout'
  | 'first-byte-timeout'
  | 'idle-timeout'
  | 'closed-before-answer'
  | 'closed-early'
  | 'broken-answer';

// Interim answers at most before the final one; a storm of them is no answer.
const maxInterim = 8;

// Node takes "no new buffer" as undefined, which its types do not say (lib/internal/stream_base_commons.js).
const keepBuffer = undefined as unknown as Uint8Array;

/** A connection; idle in its pool when `exchange` is null. */
export class UpstreamConnection implements Deadlined {
  readonly server: UpstreamServerPool;
  readonly socket: Socket;
  exchange: Exchange | null = null;
  /** Requests written so far; a failure on the first one is not a stale connection. */
  requests = 0;
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #runtime: Runtime;
  #isConnected = false;
  #buffer: Buffer;
  #nextBuffer: Buffer | null = null;
  /** The large buffer lent to this connection, in use or about to be. */
  #large: Buffer | null = null;
  readonly #heads: HeadCollector;
  #interim = 0;
  #hasAnswerBytes = false;
  /** The batch of socket events in which the request was written to a reused connection; 0 on a fresh one. */
  #writtenInBatch = 0;
  #framing: ResponseFraming | null = null;
  #remaining = 0;
  #filter: ChunkedFilter | null = null;
  #isReusable = false;
  #keepAliveMs: number;
  #isStalled = false;
  #isGone = false;
  #failure: UpstreamFailure | null = null;

  constructor(server: UpstreamServerPool, runtime: Runtime) {
    this.server = server;
    this.#runtime = runtime;
    this.#heads = new HeadCollector(runtime.scanner);
    this.#keepAliveMs = runtime.limits.upstreamKeepAliveMs;
    this.#buffer = Buffer.allocUnsafeSlow(smallBufferBytes);
    this.socket = connect({
      ...server.address,
      noDelay: true,
      onread: {
        buffer: () => this.#swapBuffer(),
        // what Node hands over beside the length is `#buffer` again
        callback: (length) => this.#onRead(length),
      },
    });
    this.socket.once('connect', () => this.#onConnect());
    this.socket.on('end', () => this.#onEnd());
    this.socket.on('error', () => {
      // a reset of an open connection is judged at 'close': before the first byte of an answer it may be a stale one
      if (!this.#isConnected) this.#failure ??= 'connect-failed';
    });
    this.socket.on('drain', () => this.exchange?.upstreamDrained());
    this.socket.once('close', () => this.#onClose());
    runtime.ticker.watch(this);
  }

  get isUsable(): boolean {
    return !this.#isGone && !this.socket.destroyed;
  }

  get hasAnswerBytes(): boolean {
    return this.#hasAnswerBytes;
  }

  /** How long an idle stay in the pool may last. */
  get keepAliveMs(): number {
    return this.#keepAliveMs;
  }

  /** Writes a request's head; its body follows by `writeBody`. */
  start(exchange: Exchange, headText: string): void {
    this.exchange = exchange;
    this.requests++;
    this.#framing = null;
    this.#hasAnswerBytes = false;
    this.#interim = 0;
    if (this.requests > 1) this.#writtenInBatch = eventBatch();
    this.deadlineMs = this.#isConnected
      ? this.#dueMs(exchange)
      : this.#runtime.ticker.nowMs + exchange.timeouts.upstreamConnectMs;
    this.socket.write(headText, 'latin1');
  }

  /** @returns false when the upstream does not take more for now; `upstreamDrained` is called once it does */
  writeBody(bytes: Uint8Array): boolean {
    return this.socket.write(bytes);
  }

  /** The request's body went on, stopped or came to its end: something else may be due now. */
  requestMoved(): void {
    const exchange = this.exchange;
    // until it is connected, and while the client has to take what came, other deadlines count
    if (exchange !== null && this.#isConnected && !this.#isStalled) this.deadlineMs = this.#dueMs(exchange);
  }

  /** Reads on after the client took what it was given. */
  resume(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    if (this.exchange !== null) this.deadlineMs = this.#runtime.ticker.nowMs + this.exchange.timeouts.upstreamIdleMs;
    this.socket.resume();
  }

  /** Ends the connection for good; its exchange hears nothing of it. */
  destroy(): void {
    this.exchange = null;
    this.socket.destroy();
  }

  onDeadline(): void {
    if (this.exchange === null) {
      this.destroy();
      return;
    }
    if (!this.#isConnected) this.#failure = 'connect-timeout';
    else this.#failure = this.#framing === null ? 'first-byte-timeout' : 'idle-timeout';
    this.socket.destroy();
  }

  #onConnect(): void {
    this.#isConnected = true;
    if (this.exchange !== null) this.deadlineMs = this.#dueMs(this.exchange);
  }

  /** When the upstream has to do something, as things stand; never while the client owes the request's body. */
  #dueMs(exchange: Exchange): number {
    const { upstreamFirstByteMs, upstreamIdleMs } = exchange.timeouts;
    if (this.#framing === null && !exchange.isRequestSent) {
      return exchange.isBodyPaused ? this.#runtime.ticker.nowMs + upstreamIdleMs : Number.POSITIVE_INFINITY;
    }
    return this.#runtime.ticker.nowMs + (this.#hasAnswerBytes ? upstreamIdleMs : upstreamFirstByteMs);
  }

  #swapBuffer(): Uint8Array {
    const next = this.#nextBuffer;
    // the very first call, from the constructor of the socket, wants the buffer to begin with
    if (next === null) return this.#isConnected ? keepBuffer : this.#buffer;
    this.#nextBuffer = null;
    this.#buffer = next;
    return next;
  }

  /** @returns false to stop reading until `resume` */
  #onRead(length: number): boolean {
    const exchange = this.exchange;
    if (exchange === null) {
      // an answer that nobody asked for must never meet the next client (CVE-2026-48931)
      this.#count();
      this.destroy();
      return false;
    }
    if (!this.#hasAnswerBytes && this.requests > 1 && this.#writtenInBatch === eventBatch()) {
      // they were readable before the request was written: bytes on an idle connection, found a moment too late
      this.#fail('closed-before-answer');
      return false;
    }
    this.#hasAnswerBytes = true;
    this.deadlineMs = this.#dueMs(exchange);
    if (this.#framing === null) this.#readHead(exchange, this.#buffer, length);
    else this.#readBody(exchange, this.#buffer, 0, length);
    if (this.socket.destroyed) return false;
    return !this.#isStalled;
  }

  #readHead(exchange: Exchange, chunk: Buffer, end: number): void {
    const heads = this.#heads;
    for (let start = 0; start < end; start = heads.end) {
      const length = heads.read(chunk, start, end);
      if (length === needMore) return;
      const head = this.#runtime.responseHead;
      if (
        length < 0 ||
        heads.scanner.lines === 0 ||
        head.parse(heads.takeText(), heads.scanner, this.#runtime.responseNames) !== null
      ) {
        this.#fail('broken-answer');
        return;
      }
      if (head.status >= 200) {
        this.#beginBody(exchange, head, chunk, heads.end, end);
        return;
      }
      if (++this.#interim > maxInterim || !exchange.onInterim(head)) {
        this.#fail('broken-answer');
        return;
      }
    }
  }

  #beginBody(exchange: Exchange, head: ResponseHead, chunk: Buffer, start: number, end: number): void {
    const framing = head.framing(exchange.method);
    this.#framing = framing;
    this.#isReusable = head.isPersistent && framing !== 'until-close';
    this.#keepAliveMs = idleTimeMs(head, this.#runtime.limits.upstreamKeepAliveMs);
    switch (framing) {
      case 'none':
        exchange.begin(head, framing, chunk, start, start, true);
        this.#finish(exchange, start < end);
        return;
      case 'length': {
        const take = Math.min(head.contentLength, end - start);
        this.#remaining = head.contentLength - take;
        exchange.begin(head, framing, chunk, start, start + take, this.#remaining === 0);
        if (this.#remaining === 0) this.#finish(exchange, start + take < end);
        else this.#afterSpan(exchange);
        return;
      }
      case 'chunked':
        this.#filter = new ChunkedFilter();
        this.#beginStream(exchange, head, chunk, start, end);
        return;
      case 'until-close':
        this.#beginStream(exchange, head, chunk, start, end);
        return;
      default:
        framing satisfies never;
    }
  }

  /** Head and first spans in one write. */
  #beginStream(exchange: Exchange, head: ResponseHead, chunk: Buffer, start: number, end: number): void {
    const socket = exchange.downstream.socket;
    socket.cork();
    exchange.begin(head, this.#framing ?? 'until-close', chunk, start, start, false);
    const consumed = this.#relaySpans(exchange, chunk, start, end);
    socket.uncork();
    this.#afterSpans(exchange, consumed, end);
  }

  #readBody(exchange: Exchange, chunk: Buffer, start: number, end: number): void {
    // one chunked read may be many spans; one write takes them all
    const isChunked = this.#filter !== null;
    if (isChunked) exchange.downstream.socket.cork();
    const consumed = this.#relaySpans(exchange, chunk, start, end);
    if (isChunked) exchange.downstream.socket.uncork();
    this.#afterSpans(exchange, consumed, end);
  }

  /** @returns offset behind the last byte that belongs to this answer, or `brokenChunk` */
  #relaySpans(exchange: Exchange, chunk: Buffer, start: number, end: number): number {
    if (this.#filter !== null) {
      const sink = (bytes: Uint8Array, first: number, last: number) => exchange.relay(bytes, first, last);
      return this.#filter.feed(chunk, start, end, exchange.keepsChunks, sink);
    }
    let take = end - start;
    if (this.#framing === 'length') {
      take = Math.min(this.#remaining, take);
      this.#remaining -= take;
    }
    if (take > 0) exchange.relay(chunk, start, start + take);
    return start + take;
  }

  /** Nothing may be corked any more, or `hasUnsent` would count what is only waiting for us. */
  #afterSpans(exchange: Exchange, consumed: number, end: number): void {
    if (consumed === brokenChunk) {
      this.#fail('broken-answer');
      return;
    }
    const isComplete =
      this.#filter !== null ? this.#filter.isDone : this.#framing === 'length' && this.#remaining === 0;
    if (isComplete) this.#finish(exchange, consumed < end);
    else this.#afterSpan(exchange);
  }

  /** More of the body is to come: from the next read on a large buffer, unless the client still has to take this one. */
  #afterSpan(exchange: Exchange): void {
    // the small buffer may be part of a write that the kernel did not take yet; from here on it is that write's alone
    if (this.#large === null) {
      this.#large = this.#runtime.readBuffers.take();
      this.#nextBuffer = this.#large;
    }
    if (exchange.downstream.hasUnsent) this.#stall(exchange);
  }

  #stall(exchange: Exchange): void {
    this.#isStalled = true;
    // while the client is the slow one its own deadline counts
    this.deadlineMs = Number.POSITIVE_INFINITY;
    exchange.downstream.whenSent(() => this.resume());
  }

  #finish(exchange: Exchange, hasExtraBytes: boolean): void {
    this.exchange = null;
    this.#framing = null;
    this.#filter = null;
    this.#dropLargeBuffer(exchange);
    const isSent = exchange.isRequestSent && this.socket.writableLength === 0;
    if (hasExtraBytes || !this.#isReusable || !isSent || this.#runtime.isDraining) {
      if (hasExtraBytes) this.#count();
      this.socket.destroy();
    } else {
      // before the exchange ends: what its client has pipelined goes out on this very connection, inside `end`
      this.server.release(this);
    }
    exchange.end();
  }

  /** Back to a small buffer of its own; the large one is given back once the last write no longer needs it. */
  #dropLargeBuffer(exchange: Exchange): void {
    const isUnsent = exchange.downstream.hasUnsent;
    const large = this.#large;
    this.#large = null;
    if (large !== null || isUnsent) this.#nextBuffer = Buffer.allocUnsafeSlow(smallBufferBytes);
    if (large === null) return;
    if (isUnsent) exchange.downstream.whenSent(() => this.#runtime.readBuffers.give(large));
    else this.#runtime.readBuffers.give(large);
  }

  #fail(failure: UpstreamFailure): void {
    this.#failure = failure;
    this.socket.destroy();
  }

  #count(): void {
    const failures = this.#runtime.metrics.upstreamFailures;
    failures[this.server.metricIndex] = (failures[this.server.metricIndex] ?? 0) + 1;
  }

  #onEnd(): void {
    const exchange = this.exchange;
    if (exchange !== null && this.#framing === 'until-close' && this.#failure === null) {
      this.#isReusable = false;
      this.#finish(exchange, false);
      return;
    }
    this.socket.destroy();
  }

  #onClose(): void {
    this.#isGone = true;
    this.#runtime.ticker.unwatch(this);
    this.server.forget(this);
    const exchange = this.exchange;
    this.exchange = null;
    // a write of the client's may still hold the buffer: then it is not lent to anybody again
    if (this.#large !== null) this.#runtime.readBuffers.forget(this.#large);
    this.#large = null;
    if (exchange === null) return;
    this.#count();
    exchange.upstreamFailed(this, this.#failure ?? (this.#hasAnswerBytes ? 'closed-early' : 'closed-before-answer'));
  }
}
