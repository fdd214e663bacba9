// One allowed request on its way: its body to the upstream, the answer back to the client, and every way this can fail.
// Once response headers went out there is no retry and no error page: the connection ends (gateway/RULES.md "The code").
// Rules: RFC 9112 §6.3, §7.1; RFC 9110 §9.2.2 (idempotent methods), §15.6.

import { isPermit, type Permit } from '../../core/decision/decide.ts';
import type { TokenClaims } from '../../core/token/claims.ts';
import { brokenChunk, ChunkedFilter } from '../../http1/chunked-filter.ts';
import type { ResponseFraming, ResponseHead } from '../../http1/response-head.ts';
import type { Upgrade } from '../../http1/upgrade.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { RequestTrace } from '../../telemetry/trace-context.ts';
import { writeFinalHead, writeInterimHead } from '../answer/forwarded-heads.ts';
import { type BodyRefusal, messageAnswer, upstreamAnswer } from '../answer/responder.ts';
import type { OutgoingFraming } from '../answer/response-writer.ts';
import { scratchBytes } from '../engine/engine.ts';
import type { Described } from '../request/describe.ts';
import type { AnswerSink, FailedConnection } from '../upstream/answer-sink.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import { failureText, isBlameless, neverOpened, type UpstreamFailure } from '../upstream/failure.ts';
import type { UpstreamGroup } from '../upstream/group.ts';
import { isIdempotent, mayJoinOthers } from '../upstream/idempotency.ts';
import type { Downstream } from './downstream.ts';
import type { RequestContext } from './request-context.ts';
import type { Runtime } from './runtime.ts';
import { openTunnel, type Tunnel } from './tunnel.ts';

// A whole answer up to this size is copied together and written at once; two writes cost more than the copy.
const maxWholeAnswer = scratchBytes;

/** A request being forwarded. Made with a permit, started once, ended once. */
export class Exchange implements AnswerSink {
  readonly method: string;
  /** A tunnel's permit and request are replaced when control says that the tunnel may go on: see decide-again.ts. */
  permit: Permit;
  readonly downstream: Downstream;
  request: Described;
  readonly requestId: string;
  readonly trace: RequestTrace | null;
  readonly startedMs: number;
  /** From the start of the exchange to the head of the answer; null before that, and where no span says it. */
  upstreamMs: number | null = null;
  readonly timeouts: Permit['route']['timeouts'];
  /** May go out with others on one connection, where the upstream takes that. */
  readonly mayJoin: boolean;
  /** Of the answer; 0 before there is one. */
  status = 0;
  /** Bytes of the request's body, and in a tunnel all that the client sent. */
  bytesIn = 0;
  bytesOut = 0;
  /** Why the request's body was not taken to its end; null when it was, or when nobody refused it. */
  refusal: BodyRefusal | null = null;
  /** What was wrong with the upstream, in words for the log; null when nothing was. */
  failure: string | null = null;
  /** The answer was ended because what allowed the request was revoked. */
  isRevoked = false;
  /** Claims of the pass that goes with the answer; null for none, and once the answer began. */
  issue: TokenClaims | null;
  /** How the answer's body goes to the client; of use once the answer began. */
  outgoing: OutgoingFraming = 'as-is';
  /** The answer's body is passed on with the upstream's chunk framing. */
  keepsChunks = false;
  /** The upstream does not take more of the request's body for now. */
  isBodyPaused = false;
  /** What the request wants to switch to; null for an ordinary request. Set before `start`. */
  upgrade: Upgrade | null = null;
  readonly #runtime: Runtime;
  readonly #headText: string;
  readonly #group: UpstreamGroup;
  readonly #isPersistent: boolean;
  readonly #minorVersion: number;
  #upstream: UpstreamConnection | null = null;
  #requestRemaining: number;
  #requestFilter: ChunkedFilter | null;
  #sentBodyBytes = false;
  #answering = false;
  #closesAfter = false;
  #isOver = false;
  #triedAgain = false;

  constructor(
    runtime: Runtime,
    { downstream, request, requestId, trace, startedMs }: RequestContext,
    permit: Permit,
    headText: string,
  ) {
    if (!isPermit(permit)) throw new Error('an exchange needs a permit that decide made');
    const head = request.head;
    const route = permit.route;
    this.#runtime = runtime;
    this.downstream = downstream;
    this.request = request;
    this.permit = permit;
    this.timeouts = route.timeouts;
    this.method = head.method;
    this.requestId = requestId;
    this.trace = trace;
    this.startedMs = startedMs;
    this.#group = runtime.upstreams.find(route.upstreamIndex, route.upstreamName);
    this.#headText = headText;
    this.#isPersistent = head.isPersistent;
    this.#minorVersion = head.minorVersion;
    this.#requestRemaining = Math.max(head.contentLength, 0);
    this.#requestFilter = head.isChunked ? new ChunkedFilter(route.limits.maxBodyBytes) : null;
    this.issue = permit.issue;
    this.mayJoin = mayJoinOthers(request);
  }

  get isRequestSent(): boolean {
    return this.#requestRemaining === 0 && this.#requestFilter === null;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether a chunked body was broken off because it grew beyond the route's limit. */
  get isBodyTooLarge(): boolean {
    return this.#requestFilter?.isTooLarge === true;
  }

  /** Whether the head of an answer is on its way to the client. */
  get isAnswering(): boolean {
    return this.#answering;
  }

  /** Whether a client can tell by the framing that an answer is not whole. A 1.0 client takes any end for the end of the answer. */
  get endsPlainly(): boolean {
    return this.#answering && this.#minorVersion === 1;
  }

  /** `/.t/<token>` of a request in path form; null for any other. */
  get pathForm(): string | null {
    const { pathToken } = this.request;
    return pathToken === null ? null : this.#runtime.snapshot.tokenPathPrefix + pathToken;
  }

  /** What the client is told of its connection. */
  get connection(): 'close' | 'keep-alive' | '' {
    return this.#closesAfter ? 'close' : this.#minorVersion === 0 ? 'keep-alive' : '';
  }

  start(): void {
    // an upgrade gets a new connection: a tunnel must not begin behind anything that an earlier request left there
    this.#open(null, this.upgrade !== null, false);
  }

  /**
   * Takes bytes of the request's body.
   *
   * @returns offset behind the body's last byte (`end` unless the request is complete), or `brokenChunk`
   */
  feed(bytes: Buffer, start: number, end: number): number {
    if (this.#requestFilter !== null) {
      const filter = this.#requestFilter;
      const consumed = filter.feed(bytes, start, end, true, (from, first, last) =>
        this.#forwardBody(from, first, last),
      );
      if (consumed === brokenChunk) return brokenChunk;
      this.bytesIn += consumed - start;
      if (filter.isDone) {
        this.#requestFilter = null;
        this.#upstream?.requestMoved();
      }
      return consumed;
    }
    const take = Math.min(this.#requestRemaining, end - start);
    if (take === 0) return start;
    this.#requestRemaining -= take;
    this.bytesIn += take;
    this.#forwardBody(bytes, start, start + take);
    if (this.#requestRemaining === 0) this.#upstream?.requestMoved();
    return start + take;
  }

  /** An interim answer. @returns false when the upstream may not send this one */
  onInterim(head: ResponseHead): boolean {
    if (this.#isOver) return true;
    // a 101 that was asked for is no interim answer (tunnel.ts); 100 was answered here already; HTTP/1.0 knows no interim answers
    if (head.status === 101) return false;
    if (head.status === 100 || this.#minorVersion === 0) return true;
    this.downstream.socket.write(writeInterimHead(head, this), 'latin1');
    return true;
  }

  /** The final head, with the first bytes of the body: `start` to `end` of `bytes`, the whole of it when `isWhole`. */
  begin(
    head: ResponseHead,
    framing: ResponseFraming,
    bytes: Buffer,
    start: number,
    end: number,
    isWhole: boolean,
  ): void {
    // the client left; the answer is read to its end for the requests that wait behind it on the connection
    if (this.#isOver) return;
    this.#answering = true;
    if (this.trace?.isSampled === true) this.upstreamMs = monotonicMs() - this.startedMs;
    this.status = head.status;
    this.outgoing = this.#outgoingFraming(framing);
    this.keepsChunks = framing === 'chunked' && this.outgoing === 'chunked';
    // an answer before the request's end leaves bytes on the connection that are no request
    const leavesBytes = !this.isRequestSent || (this.upgrade !== null && this.downstream.holdsBytes);
    if (leavesBytes || !this.#isPersistent || this.outgoing === 'close' || this.#runtime.engine.isDraining) {
      this.#closesAfter = true;
    }
    const text = writeFinalHead(this.#runtime, this, head);
    // token and message are in the answer's text and nowhere else from here on
    this.issue = null;
    const socket = this.downstream.socket;
    this.bytesOut += end - start;
    if (end === start) {
      socket.write(text, 'latin1');
    } else if (isWhole && text.length + end - start <= maxWholeAnswer) {
      this.#writeWhole(text, bytes, start, end);
    } else {
      socket.cork();
      socket.write(text, 'latin1');
      socket.write(bytes.subarray(start, end));
      socket.uncork();
    }
  }

  /**
   * Head and body in one write, put together in the engine's scratch: as strings they were 2.2 of the 5.8 KiB that a request
   * allocated.
   */
  #writeWhole(text: string, bytes: Buffer, start: number, end: number): void {
    const out = this.#runtime.engine.scratch;
    const length = out.write(text, 0, 'latin1');
    bytes.copy(out, length, start, end);
    this.downstream.socket.write(out.subarray(0, length + end - start));
    // the kernel did not take all of it: the scratch belongs to that write from here on
    if (this.downstream.hasUnsent) this.#runtime.engine.renewScratch();
  }

  /** A span of the answer's body, only lent: see `Downstream.hasUnsent`. */
  relay(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isOver) return;
    const socket = this.downstream.socket;
    this.bytesOut += end - start;
    if (this.outgoing === 'chunked' && !this.keepsChunks) {
      socket.cork();
      socket.write(`${(end - start).toString(16)}\r\n`, 'latin1');
      socket.write(bytes.subarray(start, end));
      socket.write('\r\n', 'latin1');
      socket.uncork();
      return;
    }
    socket.write(bytes.subarray(start, end));
  }

  /** The answer is complete and framed to its end. */
  end(): void {
    if (this.#isOver) return;
    if (this.outgoing === 'chunked' && !this.keepsChunks) this.downstream.socket.write('0\r\n\r\n', 'latin1');
    this.#upstream = null;
    this.#over();
    // what came meanwhile may be of the protocol that was refused
    this.downstream.exchangeDone(this.#closesAfter || (this.upgrade !== null && this.downstream.holdsBytes));
  }

  /** The upstream switches. @returns null, and nothing has happened, when it switches to nothing that was asked for */
  switchProtocols(head: ResponseHead): Tunnel | null {
    return this.upgrade === null ? null : openTunnel(this.#runtime, this, this.upgrade, head);
  }

  /** A tunnel takes over: the request's end and its reports are the tunnel's from here on. */
  leaveHttp(): void {
    this.status = 101;
    this.#isOver = true;
    this.#upstream = null;
    this.issue = null;
  }

  /** The upstream took all of the body that it was given. */
  upstreamDrained(): void {
    if (this.#isOver || !this.isBodyPaused) return;
    this.isBodyPaused = false;
    this.#upstream?.requestMoved();
    this.downstream.resumeBody();
  }

  upstreamFailed(connection: FailedConnection, failure: UpstreamFailure): void {
    if (this.#isOver) return;
    this.#upstream = null;
    if (!this.#answering && this.#mayTryAgain(connection, failure)) {
      this.#triedAgain = true;
      this.#runtime.upstreams.retryBudget.count(isBlameless(failure));
      this.#open(neverOpened(failure) ? connection.server : null, true, isBlameless(failure));
      return;
    }
    this.failure = `${failureText(failure, connection.cause)} (${connection.server.authority})`;
    this.#runtime.reports.upstreamTrouble(this, connection, failure);
    if (this.#answering) {
      // the client gets what came, and must not take it for the whole answer
      this.#over();
      this.downstream.cutOff(this.endsPlainly);
      return;
    }
    this.#giveUp(failure);
  }

  /** The client is gone, or its body was broken: the request to the upstream ends as well. */
  cancel(): void {
    if (this.#isOver) return;
    const upstream = this.#upstream;
    this.#upstream = null;
    this.#over();
    upstream?.cancel();
  }

  /** What allowed the request was revoked: it ends at both sides, and what the client has does not look like the whole answer. */
  revoke(): void {
    if (this.#isOver) return;
    this.isRevoked = true;
    this.#runtime.metrics.revocations.answersEnded++;
    this.cancel();
    this.downstream.reset();
  }

  /** The body will not come to a good end: answers in place of the upstream, whose request ends. Only before an answer began. */
  refuseBody(refusal: BodyRefusal): void {
    if (this.#isOver) return;
    const answer = messageAnswer(refusal, this.requestId, this.request.head, this.#runtime.snapshot);
    this.status = answer.status;
    this.bytesOut += answer.bodyBytes;
    this.refusal = refusal;
    this.cancel();
    this.downstream.answer(answer.text, true);
  }

  /**
   * @param avoid  the server that just failed; null for none
   * @param fresh  a new connection, never an idle one
   * @param mayReuse  where no new connection may be opened an idle one will do, since no connection was stale
   */
  #open(avoid: object | null, fresh: boolean, mayReuse: boolean): void {
    const group = this.#group;
    const key = group.keyOf(this.request);
    let connection = group.acquire(avoid, fresh, this.mayJoin, key);
    if (connection === null && mayReuse) connection = group.acquire(avoid, false, false, key);
    if (connection === null) {
      this.#giveUp('too-busy');
      return;
    }
    this.#upstream = connection;
    connection.start(this, this.#headText);
  }

  #mayTryAgain(connection: FailedConnection, failure: UpstreamFailure): boolean {
    if (this.#triedAgain || this.#sentBodyBytes) return false;
    // nothing of the request went out, or it is idempotent and went out behind another request: RFC 9112 §9.3.2
    if (isBlameless(failure)) return true;
    if (neverOpened(failure)) return this.#group.servers.length > 1 && this.#runtime.upstreams.retryBudget.allowsOne;
    // a stale connection: nothing was answered, and repeating the request changes nothing
    return (
      failure === 'closed-before-answer' &&
      connection.uses > 1 &&
      isIdempotent(this.request) &&
      this.isRequestSent &&
      this.#runtime.upstreams.retryBudget.allowsOne
    );
  }

  #giveUp(failure: UpstreamFailure | 'too-busy'): void {
    // bytes that a client sent for the protocol it asked for are no request
    const isUnread = !this.isRequestSent || this.upgrade !== null;
    const close = isUnread || !this.#isPersistent || this.#runtime.engine.isDraining;
    const answer = upstreamAnswer(this, failure, close, this.#runtime.snapshot);
    this.failure ??= failureText(failure, null);
    this.status = answer.status;
    this.bytesOut += answer.bodyBytes;
    this.#over();
    this.downstream.answer(answer.text, close);
  }

  #forwardBody(bytes: Uint8Array, start: number, end: number): void {
    this.#sentBodyBytes = true;
    const upstream = this.#upstream;
    if (upstream === null) return;
    if (!upstream.writeBody(bytes.subarray(start, end)) && !this.isBodyPaused) {
      this.isBodyPaused = true;
      this.downstream.pauseBody();
    }
    upstream.requestMoved();
  }

  #outgoingFraming(framing: ResponseFraming): OutgoingFraming {
    if (framing === 'none' || framing === 'length') return 'as-is';
    // a 1.0 client knows no chunks: the end of the connection is the end of the body
    return this.#minorVersion === 0 ? 'close' : 'chunked';
  }

  #over(): void {
    this.#isOver = true;
    this.issue = null;
    this.#runtime.reports.exchangeOver(this);
    this.#runtime.engine.giveRequestHead(this.request.head);
  }
}
