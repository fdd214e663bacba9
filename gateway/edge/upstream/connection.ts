// One connection to an upstream server: it writes requests, gives what comes back to an AnswerReader, and knows when
// something is due. It owns its read buffer; no other socket ever reads into it. Usually one request is on it; an
// upstream that takes pipelining gets several in one write and answers in order (RFC 9112 §9.3.2). Bytes that nobody asked
// for end the connection.

import type { Socket } from 'node:net';
import type { EngineParts } from '../engine/engine.ts';
import type { Deadlined } from '../engine/ticker.ts';
import { AnswerBuffer } from './answer-buffer.ts';
import { AnswerReader, brokenAnswer } from './answer-reader.ts';
import type { AnswerSink, TunnelSink } from './answer-sink.ts';
import { failureOfEnd, pipelineWaitMs, saysNothing, type UpstreamFailure } from './failure.ts';
import type { ServerHealth } from './server-health.ts';
import { errorText, UploadSocket, type UpstreamTarget } from './upstream-target.ts';

/** The pool that a connection belongs to, as the connection sees it; see `UpstreamServerPool` for what each member does. */
export interface ConnectionPool {
  readonly target: UpstreamTarget;
  readonly authority: string;
  readonly health: ServerHealth;
  readonly keepAliveMs: number | null;
  readonly speaksIcy: boolean;
  readonly requestsPerConnection: number;
  readonly isFull: boolean;
  release(connection: UpstreamConnection): void;
  forget(connection: UpstreamConnection): void;
  countFailure(): void;
  pipeliningFailed(): void;
  closedBehind(answers: number): void;
  sentElsewhere(count: number): void;
}

/** A connection; idle in its pool when `exchange` is null. */
export class UpstreamConnection implements Deadlined {
  readonly server: ConnectionPool;
  readonly socket: Socket;
  /** The request whose answer is next. */
  exchange: AnswerSink | null = null;
  /** Times that this connection was taken for a request; a failure on the first is not a stale connection's. */
  uses = 0;
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #engine: EngineParts;
  /** What the system or OpenSSL said, for the log. */
  cause: string | null = null;
  readonly #reader: AnswerReader;
  /** Requests that are pipelined behind `exchange`, in order. */
  readonly #queue: AnswerSink[] = [];
  /** Heads of requests that are written at the end of the turn. */
  #unsent = '';
  /** A request came in this turn, and the upstream has not got it yet. */
  #isHeld = false;
  /** The held request is in the socket, corked, with the beginning of its body behind it. */
  #isCorked = false;
  #isConnected = false;
  /** Over TLS: TCP stands, and the handshake comes next. */
  #isOpen = false;
  readonly #buffer: AnswerBuffer;
  #hasAnswerBytes = false;
  /** `exchange` went out behind another request, which was answered. */
  #wasBehind = false;
  /** When the upstream has to do something; `deadlineMs` may be earlier, for the requests that wait behind. */
  #dueAtMs = Number.POSITIVE_INFINITY;
  /** The connection ends with the present answer: others are on their way that nobody waits for, or bytes of a body were lost. */
  #isSpoiled = false;
  /** Nothing is read until the client took what it was given. */
  #isStalled = false;
  #failure: UpstreamFailure | null = null;

  constructor(server: ConnectionPool, engine: EngineParts) {
    this.server = server;
    this.#engine = engine;
    this.#reader = new AnswerReader(engine, server.keepAliveMs, server.speaksIcy);
    this.#buffer = new AnswerBuffer(engine.readBuffers);
    this.socket = server.target.open({
      buffer: () => this.#buffer.swap(this.#isConnected),
      // what Node hands over beside the length is the buffer again
      callback: (length) => this.#onRead(length) || (server.target.isTls && this.#pauseTls()),
    });
    this.socket.once('connect', () => (this.#isOpen = server.target.isTls));
    this.socket.once('lost', () => {
      // an answer may still come, but then its end proves nothing, and nothing more may be sent
      this.#isSpoiled = true;
      this.#failure ??= this.#hasAnswerBytes ? 'closed-early' : 'closed-before-answer';
    });
    this.socket.once(server.target.openEvent, () => this.#onConnect());
    this.socket.on('end', () => this.#onEnd());
    this.socket.on('error', (error) => {
      this.cause = errorText(error);
      // a reset of an open connection is judged at 'close': before the first byte of an answer it may be a stale one
      if (!this.#isConnected) this.#failure ??= this.#isOpen ? 'tls-failed' : 'connect-failed';
    });
    this.socket.on('drain', () => (this.exchange ?? this.#reader.tunnel)?.upstreamDrained());
    this.socket.once('close', () => this.#onClose());
    engine.ticker.watch(this);
  }

  /** How long the connection may be idle in the pool; 0 when it must not be used again. */
  get keepAliveMs(): number {
    return this.#reader.count < this.server.requestsPerConnection ? this.#reader.keepAliveMs : 0;
  }

  /** Whether one more request may go out with those of this turn; behind an unfinished body it would be read as part of that body. */
  canJoin(depth: number): boolean {
    if (this.exchange?.mayJoin !== true || !this.#isHeld || this.#isCorked || this.socket.destroyed) return false;
    const ahead = this.#queue.length + 1;
    return ahead < depth && this.#reader.count + ahead <= this.server.requestsPerConnection;
  }

  /**
   * Takes a request's head; its body follows by `writeBody`.
   *
   * The socket gets it at the end of this turn of the event loop, when everything that was readable has been read. So
   * bytes that come before are an answer to nobody: whatever waited in the kernel while the connection was idle is found
   * in the same poll as the request, and would otherwise be taken for its answer (CVE-2026-48931).
   */
  start(exchange: AnswerSink, headText: string): void {
    this.#unsent += headText;
    if (this.exchange === null) {
      this.exchange = exchange;
      this.uses++;
      this.#await(exchange);
    } else {
      this.#queue.push(exchange);
      this.deadlineMs = Math.min(this.deadlineMs, this.#engine.ticker.nowMs + pipelineWaitMs);
    }
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#engine.flushSoon(this);
  }

  /** Gives the socket what was held back. */
  flush(): void {
    // a connection that ended meanwhile stays held, so that `#onClose` knows that its end came before the request
    if (!this.#isHeld || this.socket.destroyed) return;
    this.#isHeld = false;
    if (this.#isCorked) {
      this.#isCorked = false;
      this.socket.uncork();
      return;
    }
    this.socket.write(this.#unsent, 'latin1');
    this.#unsent = '';
  }

  /** @returns false when the upstream does not take more for now; `upstreamDrained` is called once it does */
  writeBody(bytes: Uint8Array): boolean {
    if (this.#isHeld && !this.#isCorked) {
      this.#isCorked = true;
      this.socket.cork();
      this.socket.write(this.#unsent, 'latin1');
      this.#unsent = '';
    }
    // Lost bytes of a body are forgiven while an answer may still come; a tunnel has no answer to wait for.
    if (this.socket instanceof UploadSocket) this.socket.isUploading = this.exchange !== null;
    return this.socket.write(bytes);
  }

  /** The request's body went on, stopped or came to its end, so something else may be due now. */
  requestMoved(): void {
    const exchange = this.exchange;
    // before the connection stands, and while the client has to take what came, other deadlines count
    if (exchange !== null && this.#isConnected && !this.#isStalled) this.#setDue(this.#dueMs(exchange));
  }

  /** Reads on after the client took what it was given. */
  resume(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    if (this.exchange !== null) this.#setDue(this.#engine.ticker.nowMs + this.exchange.timeouts.upstreamIdleMs);
    this.socket.resume();
  }

  /** A request is over before its answer. It hears nothing more; other requests on this connection still get their answers. */
  cancel(): void {
    if (this.exchange?.isOver !== false && this.#queue.every((waiting) => waiting.isOver)) this.destroy();
  }

  /** Ends the connection for good; its requests hear nothing of it. */
  destroy(): void {
    this.exchange = null;
    this.#queue.length = 0;
    this.#isHeld = false;
    this.#unsent = '';
    this.socket.destroy();
  }

  onDeadline(): void {
    if (this.exchange === null) {
      this.destroy();
      return;
    }
    if (this.#queue.length > 0 && this.#dueAtMs > this.#engine.ticker.nowMs) {
      this.#sendElsewhere();
      this.deadlineMs = this.#dueAtMs;
      if (this.exchange.isOver) this.destroy();
      return;
    }
    if (!this.#isConnected) this.#failure = 'connect-timeout';
    else this.#failure = this.#reader.framing === null ? 'first-byte-timeout' : 'idle-timeout';
    this.socket.destroy();
  }

  #onConnect(): void {
    this.#isConnected = true;
    if (this.exchange !== null) this.#setDue(this.#dueMs(this.exchange));
  }

  /** The next answer is this request's. */
  #await(exchange: AnswerSink): void {
    this.#reader.next();
    this.#hasAnswerBytes = false;
    this.#setDue(
      this.#isConnected ? this.#dueMs(exchange) : this.#engine.ticker.nowMs + exchange.timeouts.upstreamConnectMs,
    );
  }

  #setDue(ms: number): void {
    this.#dueAtMs = ms;
    this.deadlineMs = this.#queue.length === 0 ? ms : Math.min(ms, this.#engine.ticker.nowMs + pipelineWaitMs);
  }

  /** When the upstream has to do something as things stand: never while the client still owes the request's body. */
  #dueMs(exchange: AnswerSink): number {
    const { upstreamFirstByteMs, upstreamIdleMs } = exchange.timeouts;
    if (this.#reader.framing === null && !exchange.isRequestSent) {
      return exchange.isBodyPaused ? this.#engine.ticker.nowMs + upstreamIdleMs : Number.POSITIVE_INFINITY;
    }
    return this.#engine.ticker.nowMs + (this.#hasAnswerBytes ? upstreamIdleMs : upstreamFirstByteMs);
  }

  /** @returns false to stop reading until `resume` */
  #onRead(length: number): boolean {
    if (this.exchange === null || this.#isHeld) {
      if (this.#reader.tunnel !== null) return this.#readTunnel(this.#reader.tunnel, 0, length);
      // an answer that nobody asked for must never meet the next client (CVE-2026-48931)
      if (this.exchange === null) this.server.countFailure();
      this.#fail('not-sent');
      return false;
    }
    const chunk = this.#buffer.current;
    for (let at = 0; at < length; ) {
      const exchange = this.exchange;
      if (exchange === null) break;
      const isFirst = !this.#hasAnswerBytes;
      const { interim } = this.#reader;
      this.#hasAnswerBytes = true;
      at = this.#reader.read(exchange, chunk, at, length);
      if (at === brokenAnswer) {
        this.#fail('broken-answer');
        return false;
      }
      if (this.#reader.isDone) {
        this.#finish(exchange, at < length);
      } else if (this.#reader.framing !== null) {
        this.#setDue(this.#dueMs(exchange));
        this.#afterSpan(exchange);
      } else if (this.#reader.tunnel !== null) {
        return this.#readTunnel(this.#reader.tunnel, at, length);
      } else if (isFirst || this.#reader.interim !== interim) {
        // a head has this long in all: a head that drips in must not last for ever
        this.#setDue(this.#dueMs(exchange));
      }
    }
    if (this.socket.destroyed) return false;
    return !this.#isStalled;
  }

  /** TLS hands over what it has decrypted in spite of a stop, so the buffer of an unsent write is left to that write. */
  #pauseTls(): boolean {
    if (this.socket.destroyed) return false;
    this.socket.pause();
    this.#buffer.leave();
    return true;
  }

  /** The upstream has switched: from `start` on nothing is HTTP. */
  #readTunnel(tunnel: TunnelSink, start: number, end: number): boolean {
    if (tunnel.isOver) return true;
    const isFirst = this.exchange !== null;
    this.exchange = null;
    if (isFirst) {
      // a FIN of the upstream must not end our half by itself
      this.socket.allowHalfOpen = true;
      this.server.health.answered();
      // from here on the tunnel's deadlines count
      this.deadlineMs = Number.POSITIVE_INFINITY;
      tunnel.begin(this, this.#buffer.current, start, end);
    } else tunnel.fromUpstream(this.#buffer.current, start, end);
    const { downstream } = tunnel.exchange;
    this.#buffer.fit(end, downstream);
    if (downstream.hasUnsent) this.#stall(tunnel.exchange);
    return !this.#isStalled;
  }

  /** A span was passed on, and more of the body is to come. */
  #afterSpan(exchange: AnswerSink): void {
    if (this.#queue.length > 0 && this.#reader.isLong) this.#sendElsewhere();
    if (exchange.isOver) {
      // nobody wants the rest of the answer; it is read to its end only for requests behind it
      if (this.#queue.length === 0) this.destroy();
      return;
    }
    this.#buffer.enlarge();
    if (exchange.downstream.hasUnsent) this.#stall(exchange);
  }

  #stall(exchange: AnswerSink): void {
    // requests of others do not wait for a slow client
    this.#sendElsewhere();
    this.#isStalled = true;
    // while the client is the slow one its own deadline counts
    this.deadlineMs = Number.POSITIVE_INFINITY;
    exchange.downstream.whenSent(() => this.resume());
  }

  /** The requests behind the present answer try another connection, where there is one; this connection ends with the answer. */
  #sendElsewhere(): void {
    if (this.#queue.length === 0 || this.server.isFull) return;
    this.#isSpoiled = true;
    this.server.sentElsewhere(this.#queue.length);
    for (const waiting of this.#queue.splice(0)) waiting.upstreamFailed(this, 'unanswered');
  }

  #finish(exchange: AnswerSink, hasExtraBytes: boolean): void {
    this.server.health.answered();
    const mayGoOn = this.#reader.isReusable && !this.#isSpoiled;
    const hasNext = this.#queue.length > 0;
    this.#buffer.retire(exchange.downstream, hasNext);
    const next = mayGoOn ? (this.#queue.shift() ?? null) : null;
    this.exchange = next;
    this.#wasBehind = next !== null;
    if (next !== null) {
      this.#await(next);
    } else if (hasNext) {
      this.server.closedBehind(this.#reader.count);
      this.socket.destroy();
    } else {
      const isSent = exchange.isRequestSent && this.socket.writableLength === 0;
      if (hasExtraBytes || !mayGoOn || !isSent || this.#engine.isDraining) {
        if (hasExtraBytes && !this.#isSpoiled) this.server.countFailure();
        this.socket.destroy();
      } else {
        // before `end`: what the client has pipelined may go out on this very connection
        this.server.release(this);
      }
    }
    exchange.end();
  }

  #fail(failure: UpstreamFailure): void {
    this.#failure = failure;
    this.socket.destroy();
  }

  #onEnd(): void {
    const exchange = this.exchange;
    if (this.#reader.tunnel !== null) this.#reader.tunnel.upstreamEnded();
    else if (exchange !== null && this.#reader.framing === 'until-close' && this.#failure === null) {
      this.#reader.isReusable = false;
      this.#finish(exchange, false);
    } else this.socket.destroy();
  }

  #onClose(): void {
    if (this.#isHeld && this.#isConnected) this.#failure ??= 'not-sent';
    this.#isHeld = false;
    this.#engine.ticker.unwatch(this);
    this.server.forget(this);
    const exchange = this.exchange;
    this.exchange = null;
    this.#buffer.close();
    this.#reader.tunnel?.upstreamClosed();
    const waiting = this.#queue.splice(0);
    const isUnannounced = this.#isConnected && (this.#reader.isReusable || this.#reader.count <= 1);
    if (isUnannounced && (this.#wasBehind || waiting.length > 0)) this.server.pipeliningFailed();
    if (exchange !== null) {
      this.server.countFailure();
      const failure = this.#failure ?? failureOfEnd(this.#hasAnswerBytes, this.#wasBehind);
      this.cause = this.#reader.explain(failure, exchange.bytesOut, this.cause);
      if ((this.uses === 1 && !this.#wasBehind) || !saysNothing(failure)) this.server.health.failed(failure);
      exchange.upstreamFailed(this, failure);
    }
    for (const behind of waiting) behind.upstreamFailed(this, this.#isConnected ? 'unanswered' : 'connect-failed');
  }
}
