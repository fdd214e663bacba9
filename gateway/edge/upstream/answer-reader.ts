// Reads one answer after the other from the bytes of an upstream connection, proves where each ends, and hands its head and
// spans of its body to an AnswerSink. It owns no socket and no buffer. Rules: RFC 9112 §6.3, §7.1; RFC 9110 §15.2.

import { brokenChunk, ChunkedFilter } from '../../http1/chunked-filter.ts';
import { fieldClass } from '../../http1/field-names.ts';
import { HeadCollector } from '../../http1/head-collector.ts';
import { needMore, scanProblem } from '../../http1/head-scanner.ts';
import { fieldStride } from '../../http1/message-head.ts';
import { problemWords, scanWords } from '../../http1/problem-words.ts';
import type { ResponseFraming, ResponseHead } from '../../http1/response-head.ts';
import type { EngineParts } from '../engine/engine.ts';
import type { AnswerSink, TunnelSink } from './answer-sink.ts';
import { type UpstreamFailure, withCause } from './failure.ts';

/** `AnswerReader.read` when the bytes are no sound answer. */
export const brokenAnswer = -1;

// At most so many interim answers before the final one. A long task may say many times that it goes on (102); nobody has a reason
// to say 100 as often.
const maxInterim = 64;
const maxContinues = 8;
const maxInterimBytes = 64 * 1024;

// What requests behind an answer wait for at most.
const maxBlockingBytes = 64 * 1024;

/** The answers of one connection. */
export class AnswerReader {
  /** How the body of the present answer ends; null before its final head. */
  framing: ResponseFraming | null = null;
  /** What a 101 made of the connection, for good; what follows its head is not read here. */
  tunnel: TunnelSink | null = null;
  /** The present answer is complete. */
  isDone = false;
  /** Whether the upstream lets the connection stay after this answer. */
  isReusable = false;
  /** Answers begun on the connection, the present one included. */
  count = 0;
  /** How long the connection may be idle after this answer. */
  keepAliveMs: number;
  /** Interim answers that came before the present answer. */
  interim = 0;
  /** What was wrong with the bytes, in words for the log. */
  trouble: string | null = null;
  #interimBytes = 0;
  #continues = 0;
  /** Length of the body; -1 where no field says it. */
  #length = -1;
  readonly #engine: EngineParts;
  readonly #ownKeepAliveMs: number | null;
  readonly #takesIcy: boolean;
  readonly #heads: HeadCollector;
  #remaining = 0;
  #filter: ChunkedFilter | null = null;

  /**
   * @param ownKeepAliveMs  of the upstream; null: the limit of all of them
   * @param takesIcy        the upstream's answers may begin with `ICY`
   */
  constructor(engine: EngineParts, ownKeepAliveMs: number | null, takesIcy: boolean) {
    this.#takesIcy = takesIcy;
    this.#engine = engine;
    this.#ownKeepAliveMs = ownKeepAliveMs;
    this.#heads = new HeadCollector(engine.scanner);
    this.keepAliveMs = ownKeepAliveMs ?? engine.limits.upstreamKeepAliveMs;
  }

  /** More of the body is to come than requests behind it should wait for; only a length says how much. */
  get isLong(): boolean {
    return this.framing !== 'length' || this.#remaining > maxBlockingBytes;
  }

  /** The next bytes belong to another answer. */
  next(): void {
    this.count++;
    this.framing = null;
    this.isDone = false;
    this.#filter = null;
    this.interim = 0;
    this.#interimBytes = 0;
    this.#continues = 0;
    this.#length = -1;
  }

  /** What is known of a failure. @param bodyBytes  of the body that were passed on @param cause  what the system said */
  explain(failure: UpstreamFailure, bodyBytes: number, cause: string | null): string | null {
    if (failure === 'broken-answer') return this.trouble;
    if (failure !== 'closed-early' && failure !== 'idle-timeout') return cause;
    return withCause(this.#progress(bodyBytes), cause);
  }

  #progress(bodyBytes: number): string {
    if (this.framing === null) return 'ended within the head';
    if (this.#length >= 0) return `ended after ${this.#length - this.#remaining} of ${this.#length} bytes`;
    return `ended after ${bodyBytes} bytes${this.framing === 'chunked' ? ', before the last chunk' : ''}`;
  }

  /** @returns offset behind the last byte that belongs to this answer (`end` unless `isDone`), or `brokenAnswer` */
  read(exchange: AnswerSink, chunk: Buffer, start: number, end: number): number {
    if (this.framing !== null) return this.#readBody(exchange, chunk, start, end);
    const heads = this.#heads;
    for (let at = start; at < end; at = heads.end) {
      const length = heads.read(chunk, at, end);
      if (length === needMore) return end;
      const head = this.#engine.responseHead;
      if (length < 0) return this.#broken(scanWords(scanProblem(length), heads.refusedBy));
      if (heads.scanner.lines === 0) return this.#broken('an empty line in place of a status line');
      const problem = head.parseTidied(heads.takeText(), heads.scanner, this.#engine.names.responses, this.#takesIcy);
      if (problem !== null) return this.#broken(problemWords(problem, head));
      if (head.status >= 200) return this.#begin(exchange, head, chunk, heads.end, end);
      if (head.status === 101 && exchange.upgrade !== null && !exchange.isOver) {
        this.tunnel = exchange.switchProtocols(head);
        return this.tunnel === null ? this.#broken('a 101 that does not switch to what was asked for') : heads.end;
      }
      this.#interimBytes += length;
      if (head.status === 100 && ++this.#continues > maxContinues)
        return this.#broken(`100 more than ${maxContinues} times`);
      if (++this.interim > maxInterim || this.#interimBytes > maxInterimBytes) {
        return this.#broken(`more than ${maxInterim} interim answers, or too long ones`);
      }
      if (!exchange.onInterim(head)) return this.#broken('a 101 that nobody asked for');
    }
    return end;
  }

  #broken(trouble: string): typeof brokenAnswer {
    this.trouble = trouble;
    return brokenAnswer;
  }

  #begin(exchange: AnswerSink, head: ResponseHead, chunk: Buffer, start: number, end: number): number {
    const framing = head.framing(exchange.method);
    this.framing = framing;
    this.isReusable = head.isPersistent && framing !== 'until-close';
    this.keepAliveMs = idleTimeMs(head, this.#ownKeepAliveMs ?? this.#engine.limits.upstreamKeepAliveMs);
    switch (framing) {
      case 'none':
        this.isDone = true;
        exchange.begin(head, framing, chunk, start, start, true);
        return start;
      case 'length': {
        const take = Math.min(head.contentLength, end - start);
        this.#length = head.contentLength;
        this.#remaining = head.contentLength - take;
        this.isDone = this.#remaining === 0;
        exchange.begin(head, framing, chunk, start, start + take, this.isDone);
        return start + take;
      }
      case 'chunked':
        this.#filter = new ChunkedFilter();
        return this.#beginStream(exchange, head, framing, chunk, start, end);
      case 'until-close':
        return this.#beginStream(exchange, head, framing, chunk, start, end);
      default:
        return framing satisfies never;
    }
  }

  /** Head and first spans in one write. */
  #beginStream(
    exchange: AnswerSink,
    head: ResponseHead,
    framing: ResponseFraming,
    chunk: Buffer,
    start: number,
    end: number,
  ): number {
    const socket = exchange.downstream.socket;
    socket.cork();
    exchange.begin(head, framing, chunk, start, start, false);
    const consumed = this.#relaySpans(exchange, chunk, start, end);
    socket.uncork();
    return consumed;
  }

  /** Nothing stays corked, or `hasUnsent` would count bytes that wait for us and not for the client. */
  #readBody(exchange: AnswerSink, chunk: Buffer, start: number, end: number): number {
    // one read of a chunked body may hold many spans; one write takes them all
    const isChunked = this.#filter !== null;
    if (isChunked) exchange.downstream.socket.cork();
    const consumed = this.#relaySpans(exchange, chunk, start, end);
    if (isChunked) exchange.downstream.socket.uncork();
    return consumed;
  }

  #relaySpans(exchange: AnswerSink, chunk: Buffer, start: number, end: number): number {
    if (this.#filter !== null) {
      const sink = (bytes: Uint8Array, first: number, last: number) => exchange.relay(bytes, first, last);
      const consumed = this.#filter.feed(chunk, start, end, exchange.keepsChunks, sink);
      this.isDone = this.#filter.isDone;
      return consumed === brokenChunk
        ? this.#broken(`broken chunk framing after ${exchange.bytesOut} bytes`)
        : consumed;
    }
    let take = end - start;
    if (this.framing === 'length') {
      take = Math.min(this.#remaining, take);
      this.#remaining -= take;
      this.isDone = this.#remaining === 0;
    }
    if (take > 0) exchange.relay(chunk, start, start + take);
    return start + take;
  }
}

/**
 * How long the connection may stay idle: our own limit, or less when the upstream's `Keep-Alive` says less (RFC 2068 §19.7.1.1:
 * `timeout=5, max=100`).
 *
 * @param oursMs  limit of the configuration
 * @returns milliseconds, at most `oursMs`; 0 when the connection must not be used again
 */
function idleTimeMs(head: ResponseHead, oursMs: number): number {
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fields[index * fieldStride] !== fieldClass.hopByHop) continue;
    if (head.nameOf(index).toLowerCase() !== 'keep-alive') continue;
    const match = /(?:^|[,; \t])timeout=(\d{1,6})/i.exec(head.valueOf(index));
    // one second less than the upstream says, so that our next request does not meet its close
    if (match !== null) return Math.max(0, Math.min(oursMs, Number(match[1]) * 1000 - 1000));
  }
  return oursMs;
}
