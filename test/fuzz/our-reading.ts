// Reads a connection's bytes with our engine, in the order that an edge does: what Downstream takes as requests, and what
// an upstream connection takes as one answer. Pieces arrive as the caller says. It judges nothing.

import { brokenChunk, ChunkedFilter } from '../../gateway/http1/chunked-filter.ts';
import { FieldNames } from '../../gateway/http1/field-names.ts';
import { HeadCollector } from '../../gateway/http1/head-collector.ts';
import { HeadScanner, needMore } from '../../gateway/http1/head-scanner.ts';
import type { MessageHead } from '../../gateway/http1/message-head.ts';
import { RequestHead } from '../../gateway/http1/request-head.ts';
import { ResponseHead } from '../../gateway/http1/response-head.ts';

/** One request as our engine read it. */
export interface OurRequest {
  readonly method: string;
  /** As sent, scheme and authority of an absolute form included. */
  readonly target: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly version: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Content as latin1, and the chunk framing that would be forwarded; empty when not chunked. */
  readonly body: string;
  readonly canonicalChunks: string;
  /** A chunked body as sent, with extensions and trailers, which we drop; empty when not chunked. */
  readonly rawChunks: string;
  readonly isPersistent: boolean;
  readonly end: number;
}

/** Why the reading went no further. `closed`: the last request ends the connection. */
type Stop = 'end' | 'incomplete' | 'closed' | 'refused';

export interface OurRequests {
  readonly requests: readonly OurRequest[];
  readonly stop: Stop;
  readonly problem: string;
  /** Of a request whose head is whole and whose body is not; empty without one. */
  readonly openMethod: string;
}

const requestNames = new FieldNames('token', () => 0);
const responseNames = new FieldNames('token', () => 0);
const scanner = new HeadScanner();

/** Pieces by their ends: `[bytes.length]` is all at once. The last one must be the length. */
type PieceEnds = readonly number[];

/** Requests on one client connection, as `edge/exchange/downstream.ts` takes them. */
export function readRequests(bytes: Buffer, ends: PieceEnds): OurRequests {
  const heads = new HeadCollector(scanner);
  const requests: OurRequest[] = [];
  let hasSkipped = false;
  let isFresh = true;
  let open: { head: RequestHead; body: BodyReader } | null = null;
  let from = 0;
  const stopped = (stop: Stop, problem: string, openMethod = ''): OurRequests => ({
    requests,
    stop,
    problem,
    openMethod,
  });
  for (const end of ends) {
    // a copy, as a socket's reads are: what looks outside of it sees other bytes
    const chunk = lend(bytes, from, end);
    let start = 1;
    while (start < chunk.length - 1) {
      if (open === null) {
        const piece = chunk.subarray(0, chunk.length - 1);
        const length = heads.read(piece, start, piece.length);
        if (length === needMore) break;
        if (length < 0) return stopped('refused', String(length));
        start = heads.end;
        if (heads.scanner.lines === 0) {
          if (hasSkipped) return stopped('refused', 'bad-start-line');
          hasSkipped = true;
          continue;
        }
        hasSkipped = false;
        const head = new RequestHead();
        const problem = head.parse(heads.takeText(), heads.scanner, requestNames);
        if (problem !== null) return stopped('refused', problem);
        open = { head, body: new BodyReader(head) };
        isFresh = false;
      } else {
        const consumed = open.body.feed(chunk, start, chunk.length - 1);
        if (consumed === brokenChunk) return stopped('refused', 'bad-chunk', open.head.method);
        start = consumed;
      }
      if (open.body.isDone) {
        requests.push(describeRequest(open.head, open.body, from + start - 1));
        isFresh = true;
        if (!open.head.isPersistent) return stopped('closed', '');
        open = null;
      }
    }
    from = end;
  }
  return stopped(isFresh && !heads.isPartial ? 'end' : 'incomplete', '', open === null ? '' : open.head.method);
}

/** One answer as our engine read it, the interim ones before it included. */
export interface OurAnswer {
  readonly stop: 'complete' | 'incomplete' | 'refused';
  /** Statuses in order, the final one last. */
  readonly statuses: readonly number[];
  readonly version: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** As of a request. */
  readonly rawChunks: string;
  /** The end of the connection is the body's end. */
  readonly untilClose: boolean;
  readonly end: number;
}

const maxInterim = 64;
const maxContinues = 8;

/**
 * An answer to `method` on one upstream connection that ends behind `bytes`, as `edge/upstream/connection.ts` takes it.
 *
 * @param tidies  removes blanks between names and colons, as RFC 9112 §5.1 has a proxy do; llhttp refuses them, so what is
 *   compared with it byte for byte is read without
 */
export function readAnswer(method: string, bytes: Buffer, ends: PieceEnds, tidies = false): OurAnswer {
  const heads = new HeadCollector(scanner);
  const statuses: number[] = [];
  let answer: { head: ResponseHead; body: BodyReader } | null = null;
  let from = 0;
  for (const end of ends) {
    const chunk = lend(bytes, from, end);
    let start = 1;
    while (start < chunk.length - 1) {
      if (answer === null) {
        const piece = chunk.subarray(0, chunk.length - 1);
        const length = heads.read(piece, start, piece.length);
        if (length === needMore) break;
        if (length < 0 || heads.scanner.lines === 0) return stopped('refused', 0, answer, statuses);
        start = heads.end;
        const head = new ResponseHead();
        const parse = tidies ? head.parseTidied : head.parse;
        if (parse.call(head, heads.takeText(), heads.scanner, responseNames) !== null)
          return stopped('refused', 0, answer, statuses);
        statuses.push(head.status);
        if (head.status < 200) {
          const continues = statuses.filter((status) => status === 100).length;
          if (statuses.length > maxInterim || continues > maxContinues || head.status === 101) {
            return stopped('refused', 0, answer, statuses);
          }
          continue;
        }
        answer = { head, body: new BodyReader(head, head.framing(method)) };
      } else {
        const consumed = answer.body.feed(chunk, start, chunk.length - 1);
        if (consumed === brokenChunk) return stopped('refused', 0, answer, statuses);
        start = consumed;
      }
      if (answer?.body.isDone === true) return stopped('complete', from + start - 1, answer, statuses);
    }
    from = end;
  }
  return stopped(answer?.body.isUntilClose === true ? 'complete' : 'incomplete', from, answer, statuses);
}

function stopped(
  stop: OurAnswer['stop'],
  end: number,
  answer: { head: ResponseHead; body: BodyReader } | null,
  statuses: readonly number[],
): OurAnswer {
  return {
    stop,
    statuses,
    version: answer === null ? '' : `1.${answer.head.minorVersion}`,
    fields: answer === null ? [] : fieldsOf(answer.head),
    body: answer?.body.text ?? '',
    rawChunks: stop === 'complete' ? (answer?.body.raw ?? '') : '',
    untilClose: answer?.body.isUntilClose ?? false,
    end,
  };
}

/** Name and value of each field, in order. */
function fieldsOf(head: MessageHead): [string, string][] {
  return Array.from({ length: head.fieldCount }, (_, index) => [head.nameOf(index), head.valueOf(index)]);
}

function describeRequest(head: RequestHead, body: BodyReader, end: number): OurRequest {
  return {
    method: head.method,
    target: head.text.slice(head.method.length + 1, head.text.indexOf(' HTTP/1.')),
    path: head.rawPath,
    query: head.rawQuery,
    host: head.host,
    version: `1.${head.minorVersion}`,
    fields: fieldsOf(head),
    body: body.text,
    canonicalChunks: body.canonical,
    rawChunks: body.raw,
    isPersistent: head.isPersistent,
    end,
  };
}

/** Follows one body. Chunked ones go through two filters: the one that forwards framing and the one that leaves it out. */
class BodyReader {
  text = '';
  canonical = '';
  raw = '';
  readonly isUntilClose: boolean;
  #remaining: number;
  readonly #data: ChunkedFilter | null;
  readonly #kept = new ChunkedFilter();

  constructor(head: MessageHead, framing = head.isChunked ? 'chunked' : 'length') {
    this.isUntilClose = framing === 'until-close';
    this.#remaining = framing === 'length' ? Math.max(head.contentLength, 0) : 0;
    this.#data = framing === 'chunked' ? new ChunkedFilter() : null;
  }

  get isDone(): boolean {
    if (this.isUntilClose) return false;
    return this.#data === null ? this.#remaining === 0 : this.#data.isDone;
  }

  feed(bytes: Uint8Array, start: number, end: number): number {
    const data = this.#data;
    if (data === null) {
      const take = this.isUntilClose ? end - start : Math.min(this.#remaining, end - start);
      this.text += latin1(bytes, start, start + take);
      if (!this.isUntilClose) this.#remaining -= take;
      return start + take;
    }
    const consumed = data.feed(bytes, start, end, false, (from, first, last) => {
      this.text += latin1(from, first, last);
    });
    const kept = this.#kept.feed(bytes, start, end, true, (from, first, last) => {
      this.canonical += latin1(from, first, last);
    });
    if (kept !== consumed) throw new Error(`with its framing the body ends at ${kept}, without at ${consumed}`);
    if (consumed !== brokenChunk) this.raw += latin1(bytes, start, consumed);
    return consumed;
  }
}

function lend(bytes: Buffer, from: number, end: number): Buffer {
  const lent = Buffer.alloc(end - from + 2, 0x21);
  bytes.copy(lent, 1, from, end);
  return lent;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
