// One client connection: it collects heads, hands requests to the lifecycle one at a time, and knows when to stop reading.
// A pipelined request waits until the answer before it is with the kernel. Nothing about access is decided here.
// Rules: RFC 9112 §2.2 (one empty line before a request), §9.3, §9.6 (closing without losing the answer).

import type { Socket } from 'node:net';
import { brokenChunk } from '../../http1/chunked-filter.ts';
import { HeadCollector } from '../../http1/head-collector.ts';
import { needMore, scanProblem } from '../../http1/head-scanner.ts';
import type { MessageProblem } from '../../http1/problems.ts';
import { type RefusedMessage, refusedBytes, refusedHead } from '../answer/refused-message.ts';
import type { ConnectionInfo } from '../listen/connection-info.ts';
import type { HostMemo } from '../request/describe.ts';
import { ClientDeadlines } from './client-deadlines.ts';
import type { Exchange } from './exchange.ts';
import { beginRequest } from './lifecycle.ts';
import { refuseMessage } from './own-answers.ts';
import type { Runtime } from './runtime.ts';
import type { Tunnel } from './tunnel.ts';

// In a drain an idle connection has this long for a request that was sent before its client could know.
const drainIdleMs = 500;

/** A client connection, from accept to close. */
export class Downstream extends ClientDeadlines {
  readonly connection: ConnectionInfo;
  readonly peerAddress: string;
  /** By the ticker. */
  readonly openedMs: number;
  readonly hostMemo: HostMemo = { hostField: '', host: '', forwardedLines: '' };
  readonly #runtime: Runtime;
  #exchange: Exchange | null = null;
  #tunnel: Tunnel | null = null;
  /** The connection waits for control, or for the kernel to take the last answer. */
  #isWaiting = false;
  #isReading = false;
  #isBodyPaused = false;
  #isClosing = false;
  /** The connection ends by a reset, behind what was written. */
  #isCutOff = false;
  #isClosed = false;
  #held: Buffer | null = null;
  readonly #heads: HeadCollector;
  #skippedEmptyLine = false;
  #requests = 0;

  constructor(socket: Socket, runtime: Runtime, connection: ConnectionInfo) {
    super(socket, runtime.ticker, runtime.limits.headMs);
    this.connection = connection;
    this.#runtime = runtime;
    this.#heads = new HeadCollector(runtime.engine.scanner);
    this.peerAddress = connection.peerAddress;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    // 'close' follows and does what there is to do
    socket.on('error', () => undefined);
    socket.once('close', () => this.#onClose());
    this.openedMs = runtime.ticker.nowMs;
    runtime.connections.opened(this);
  }

  /** The request being forwarded; null between requests, and while control is asked. */
  get exchange(): Exchange | null {
    return this.#exchange;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** The connection had a request, and waits for the next one. */
  get isKeptAlive(): boolean {
    return this.#requests > 0 && this.isIdle && !this.#isClosing;
  }

  get awaitsFirstHead(): boolean {
    return this.#requests === 0 && !this.#isClosing;
  }

  get isIdle(): boolean {
    return this.#exchange === null && !this.#isWaiting && !this.#heads.isPartial && this.#tunnel === null;
  }

  /** Bytes came behind the present request. */
  get holdsBytes(): boolean {
    return this.#held !== null;
  }

  /** The present request is being forwarded. */
  forward(exchange: Exchange): void {
    const isLate = this.#isWaiting;
    this.#isWaiting = false;
    this.#exchange = exchange;
    this.writeIdleMs = exchange.timeouts.clientWriteIdleMs;
    this.expectWithin(Number.POSITIVE_INFINITY);
    exchange.start();
    // otherwise `#readHead` goes on with the body
    if (isLate && this.#exchange === exchange && !exchange.isRequestSent) {
      this.expectWithin(exchange.timeouts.requestBodyIdleMs);
      if (exchange.request.head.expectsContinue && this.#held === null) this.#invite();
    }
  }

  /** The present request waits for an answer of control; nothing more is read meanwhile. */
  waitForDecision(): void {
    this.#isWaiting = true;
    this.expectWithin(Number.POSITIVE_INFINITY);
  }

  /** The decision came: `forward` or `answer` was called just before, or the client is gone. */
  decisionCame(): void {
    this.#next();
  }

  /** Writes a complete answer of our own. */
  answer(text: string, close: boolean): void {
    this.#exchange = null;
    this.#isWaiting = false;
    this.#isBodyPaused = false;
    if (this.#isClosed) return;
    this.socket.write(text, 'latin1');
    this.#settle(close);
  }

  /** The exchange has given its whole answer to the socket, or the tunnel the last of its bytes. */
  exchangeDone(close: boolean): void {
    this.#exchange = null;
    this.#isBodyPaused = false;
    this.#settle(close);
  }

  /** Everything from here on is the tunnel's. @returns what the client sent before it could know of the 101; null for nothing */
  enterTunnel(tunnel: Tunnel): Buffer | null {
    const early = this.#held;
    this.#held = null;
    this.#exchange = null;
    this.#tunnel = tunnel;
    return early;
  }

  /**
   * Ends the connection in the middle of an answer, behind what was written of it.
   *
   * @param isPlain  the framing tells the client that more was due; otherwise only a reset tells it
   */
  cutOff(isPlain: boolean): void {
    this.#exchange = null;
    if (this.#isClosing || this.#isClosed) return;
    this.#beginClosing();
    this.#isCutOff = !isPlain;
    this.whenSent(() => {
      if (!isPlain) return this.awaitReset();
      // TCP's end alone: TLS's own, `close_notify`, would call what came the whole (RFC 8446 §6.1)
      this.connection.transport.end();
      this.linger();
    });
    this.socket.resume();
  }

  /** Resets the TCP connection, below TLS: after that not even an answer that ends with the connection can look complete. */
  reset(): void {
    this.#exchange = null;
    this.connection.transport.resetAndDestroy();
    this.socket.destroy();
  }

  /** Ends the connection now, whatever it is doing. What the client has of an answer must not look like the whole answer. */
  abandon(): void {
    const isCut = this.#exchange?.isAnswering || this.#tunnel !== null || this.hasUnsent || this.#isCutOff;
    this.#exchange?.cancel(); // the site's request ends now, and not once the site has been silent for long
    if (isCut) this.reset();
    else this.socket.destroy();
  }

  /** The process ends: where the client can tell that more was due, the kernel may still deliver what it has. */
  depart(): void {
    if (this.#exchange?.endsPlainly && !this.#isCutOff) this.socket.destroy();
    else this.abandon();
  }

  /** The upstream does not take more of the body for now. */
  pauseBody(): void {
    this.#isBodyPaused = true;
    this.expectWithin(Number.POSITIVE_INFINITY);
    this.socket.pause();
  }

  resumeBody(): void {
    this.#isBodyPaused = false;
    const exchange = this.#exchange;
    if (exchange !== null && !exchange.isRequestSent) this.expectWithin(exchange.timeouts.requestBodyIdleMs);
    if (this.#held === null) this.socket.resume();
  }

  /** Ends a connection that no request runs on. */
  shed(): void {
    this.#close();
  }

  /** An edge drains. A request may be on its way on an idle connection: it is still answered, as the last one. */
  drain(): void {
    if (this.isIdle && !this.#isClosing) this.expectWithin(drainIdleMs);
  }

  onDeadline(): void {
    const exchange = this.#exchange;
    if (this.isWriteOverdue) this.abandon();
    else if (exchange === null && this.#heads.isPartial && !this.#isClosing) {
      refuseMessage(this.#runtime, this, 'head-timeout');
    } else if (exchange !== null && !exchange.isRequestSent && !exchange.isAnswering) {
      exchange.refuseBody('body-timeout');
    } else if (this.isIdle && !this.#isClosing) {
      // FIN and no reset: a request may cross it, and then its client may try again on another connection
      this.#close();
    } else this.abandon();
  }

  /** The body comes slower than its route allows. */
  bodyIsTooSlow(): void {
    if (this.#exchange === null || this.#exchange.isAnswering) this.abandon();
    else this.#exchange.refuseBody('body-too-slow');
  }

  #expectNextHead(): void {
    this.expectWithin(this.#runtime.engine.isDraining ? drainIdleMs : this.#runtime.limits.clientKeepAliveMs);
  }

  #invite(): void {
    this.socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
  }

  #onData(chunk: Buffer): void {
    this.#runtime.metrics.bytesIn += chunk.length;
    if (this.#isClosing) {
      if (!this.hasUnsent && !this.#isCutOff) this.lingerOn();
      return;
    }
    if (this.#tunnel !== null) this.#tunnel.fromClient(chunk);
    else this.#read(chunk);
  }

  #read(chunk: Buffer): void {
    this.#isReading = true;
    let start = 0;
    const end = chunk.length;
    while (start < end && !this.#isClosing && !this.#isClosed) {
      const exchange = this.#exchange;
      if (this.#isWaiting || exchange?.isRequestSent) {
        this.#hold(start === 0 ? chunk : chunk.subarray(start));
        break;
      }
      if (exchange === null) {
        start = this.#readHead(chunk, start);
        continue;
      }
      this.expectWithin(exchange.timeouts.requestBodyIdleMs);
      start = exchange.feed(chunk, start, end);
      if (start === brokenChunk) {
        this.#brokenBody(exchange);
        break;
      }
      if (exchange.isRequestSent) this.expectWithin(Number.POSITIVE_INFINITY);
    }
    this.#isReading = false;
  }

  /** @returns offset behind what was consumed */
  #readHead(chunk: Buffer, start: number): number {
    const runtime = this.#runtime;
    const heads = this.#heads;
    const wasPartial = heads.isPartial;
    const length = heads.read(chunk, start, chunk.length);
    if (length < 0) {
      if (length !== needMore) {
        const problem = scanProblem(length);
        const known = refusedBytes(problem, heads.refusedBy, runtime.snapshot.tokenPathPrefix);
        return this.#refuse(problem, chunk.length, known);
      }
      // for the head in all, and not from byte to byte: a head that drips in must not last for ever
      if (!wasPartial && this.#requests > 0) this.expectWithin(runtime.limits.headMs);
      return chunk.length;
    }
    const consumed = heads.end;
    if (heads.scanner.lines === 0) {
      // RFC 9112 §2.2 asks for taking one empty line in front of a request
      if (this.#skippedEmptyLine) return this.#refuse('bad-start-line', chunk.length);
      this.#skippedEmptyLine = true;
      return consumed;
    }
    this.#skippedEmptyLine = false;
    const head = runtime.engine.takeRequestHead();
    const problem = head.parse(heads.takeText(), heads.scanner, runtime.engine.names.requests, this.connection.scheme);
    if (problem !== null) {
      return this.#refuse(problem, chunk.length, refusedHead(problem, head, runtime.snapshot.tokenPathPrefix));
    }
    this.#requests++;
    beginRequest(runtime, this, head);
    const exchange = this.#exchange;
    if (exchange !== null && !exchange.isRequestSent) {
      this.expectWithin(exchange.timeouts.requestBodyIdleMs);
      // a client that sent its body already needs no invitation
      if (head.expectsContinue && consumed === chunk.length) this.#invite();
    }
    return consumed;
  }

  #refuse(problem: MessageProblem, consumed: number, known?: RefusedMessage): number {
    refuseMessage(this.#runtime, this, problem, null, known);
    return consumed;
  }

  #brokenBody(exchange: Exchange): void {
    if (exchange.isAnswering) {
      exchange.cancel();
      this.cutOff(exchange.endsPlainly);
    } else exchange.refuseBody(exchange.isBodyTooLarge ? 'body-too-large' : 'bad-chunk');
  }

  #hold(chunk: Buffer): void {
    this.#held = this.#held === null ? chunk : Buffer.concat([this.#held, chunk]);
    this.socket.pause();
  }

  #settle(close: boolean): void {
    if (close) {
      this.#close();
      return;
    }
    if (this.hasUnsent) {
      this.#isWaiting = true;
      this.whenSent(() => {
        this.#isWaiting = false;
        this.#settle(this.#isClosing);
      });
      return;
    }
    // inside `#read` the loop itself goes on with the next request
    if (this.#isReading) this.#expectNextHead();
    else this.#next();
  }

  #next(): void {
    if (this.#isClosed || this.#isClosing || this.#isWaiting || this.#isBodyPaused) return;
    if (this.#exchange === null) {
      this.#expectNextHead();
    }
    const held = this.#held;
    if (held === null) {
      if (this.socket.isPaused()) this.socket.resume();
      return;
    }
    this.#held = null;
    this.#read(held);
    if (this.#held === null && !this.#isClosing && !this.#isBodyPaused && this.socket.isPaused()) this.socket.resume();
  }

  /** Sends FIN behind what is written, and once the kernel has it all takes for a while what the client still sends, and drops it. */
  #close(): void {
    if (this.#isClosing || this.#isClosed) return;
    this.#beginClosing();
    this.whenSent(() => this.linger());
    this.socket.end();
    this.socket.resume();
  }

  #beginClosing(): void {
    this.#isClosing = true;
    this.#held = null;
    this.#heads.clear();
    this.expectWithin(Number.POSITIVE_INFINITY);
    this.#runtime.connections.lingering.enter(this);
  }

  #onEnd(): void {
    const exchange = this.#exchange;
    if (this.#tunnel !== null) this.#tunnel.clientEnded();
    else if (exchange !== null) {
      // a client that has gone needs no answer, and its request to the upstream ends
      const isCut = exchange.isAnswering;
      exchange.cancel();
      if (isCut) this.reset();
      else this.socket.destroy();
    } else if (this.#isCutOff) this.reset();
    else if (this.#isWaiting && !this.hasUnsent) this.socket.destroy();
    else this.#close();
  }

  #onClose(): void {
    this.#isClosed = true;
    this.#held = null;
    this.#heads.clear();
    this.#exchange?.cancel();
    this.#exchange = null;
    this.#tunnel?.clientClosed();
    this.#runtime.connections.closed(this);
  }
}
