// Every message that our engine takes, llhttp takes as well, and both read the same method, target, fields, body and end.
// The same bytes in pieces give the same reading. Messages that our engine refuses are not compared: it may be as strict as it likes.

import { canonicalHost } from '../../gateway/core/decision/route/host.ts';
import { methodForLlhttp, targetForLlhttp } from '../http1/for-llhttp.ts';
import { Disagreement, same } from './disagreement.ts';
import type { GeneratedAnswer } from './generated-answers.ts';
import { pieceEnds } from './generated-streams.ts';
import { type LlhttpMessage, readByLlhttp } from './llhttp.ts';
import { type OurAnswer, type OurRequest, type OurRequests, readAnswer, readRequests } from './our-reading.ts';

// llhttp acts on these in trailers as in heads. We drop all trailers (RFC 9110 §6.5.1), so that no parser ever sees them.
const framingTrailer = /\n(?:content-length|transfer-encoding|connection|proxy-connection|upgrade):/i;

// A tab behind the number is white space to Node's llhttp and to us (RFC 9110 §5.6.3), and an error to the build in undici.
// The test against Node's server (test/http1/llhttp-differential.test.ts) has such lines; here they get a space.
const tabBehindLength = /(\r\ncontent-length:[\t ]*\d+)([\t ]+)(?=\r\n)/gi;

/** The bytes of a generated message, but for what the two builds of llhttp see differently. */
export function bytesOf(text: string): Buffer {
  const plain = text.replace(tabBehindLength, (_, line: string, blanks: string) => line + ' '.repeat(blanks.length));
  return Buffer.from(plain, 'latin1');
}

/** What a comparison found in one input. */
export interface Compared {
  /** Our engine took at least one whole message. */
  readonly isAccepted: boolean;
  readonly messages: number;
}

/**
 * Reads one client connection with both.
 *
 * @param places  where the second reading of ours is cut into pieces
 * @throws Disagreement
 */
export function compareRequests(text: string, places: readonly number[]): Compared {
  const bytes = bytesOf(text);
  const ours = readRequests(bytes, [bytes.length]);
  same('in pieces', readRequests(bytes, pieceEnds(bytes.length, places)), ours);
  const requests = comparableOf(ours.requests);
  writeForLlhttp(bytes, requests);
  let from = 0;
  let index = 0;
  while (index < requests.length) {
    const last = requests.at(-1);
    const read = readByLlhttp('request', bytes.subarray(from, last?.end));
    for (const theirs of read.messages) {
      const request = requests[index];
      if (request === undefined) throw new Disagreement(`llhttp found ${describe(theirs)} where we found nothing`);
      same(`request ${index + 1}`, readingOf(request), readingOf({ ...theirs, end: theirs.end + from }));
      index++;
    }
    if (index === requests.length && read.error === null && !read.isInside) break;
    const before = requests[index - 1];
    // llhttp reads Proxy-Connection like Connection; we drop it, so behind it llhttp has to begin again
    if (read.error === 'HPE_CLOSED_CONNECTION' && before !== undefined && saysProxyConnection(before))
      from = before.end;
    else throw new Disagreement(`we took ${requests.length} requests, llhttp ${index} (${read.error ?? 'wants more'})`);
  }
  for (const request of requests) compareForwardedChunks(request);
  const isWhole = requests.length === ours.requests.length;
  if (isWhole && ours.stop === 'incomplete' && !requests.some(saysProxyConnection)) compareRest(bytes, ours);
  return { isAccepted: requests.length > 0, messages: requests.length };
}

/** Reads one upstream connection with both, from the request's answer on. @throws Disagreement */
export function compareAnswer({ method, text }: GeneratedAnswer, places: readonly number[]): Compared {
  const bytes = bytesOf(text);
  const ours = readAnswer(method, bytes, [bytes.length]);
  same('in pieces', readAnswer(method, bytes, pieceEnds(bytes.length, places)), ours);
  if (ours.stop !== 'complete' || framingTrailer.test(ours.rawChunks)) return { isAccepted: false, messages: 0 };
  const read = readByLlhttp('response', bytes.subarray(0, ours.end), { methods: [method], ends: ours.untilClose });
  if (read.error !== null) throw new Disagreement(`we took the answer, llhttp says ${read.error}`);
  same(
    'statuses',
    ours.statuses,
    read.messages.map((message) => message.status),
  );
  const final = read.messages.at(-1);
  same('the answer', answerOf(ours), final === undefined ? null : answerOf(final));
  return { isAccepted: true, messages: read.messages.length };
}

/** Requests before the first one whose trailers mean something to llhttp. */
function comparableOf(requests: readonly OurRequest[]): readonly OurRequest[] {
  const first = requests.findIndex((request) => {
    // the edge refuses these before anything is forwarded; their grammar is not the parser's
    const hasBadHost = request.host !== '' && canonicalHost(request.host) === null;
    return hasBadHost || framingTrailer.test(request.rawChunks) || methodForLlhttp(request.method) === null;
  });
  return first < 0 ? requests : requests.slice(0, first);
}

/** Puts what llhttp can read in the place of what only we take, in each request's own bytes. */
function writeForLlhttp(bytes: Buffer, requests: readonly OurRequest[]): void {
  let start = 0;
  for (const { method, target, end } of requests) {
    // an empty line may stand in front of a request (RFC 9112 §2.2)
    while (bytes[start] === 0x0d) start += 2;
    bytes.write(`${methodForLlhttp(method)?.padded ?? method} ${targetForLlhttp(target)}`, start, 'latin1');
    start = end;
  }
}

/** The framing that would be forwarded is chunked coding in its plainest form, with the same data in it. */
function compareForwardedChunks(request: OurRequest): void {
  if (request.canonicalChunks === '') return;
  const head = 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const { messages, error } = readByLlhttp('request', Buffer.from(head + request.canonicalChunks, 'latin1'));
  same('forwarded chunks', [request.body], error === null ? messages.map((message) => message.body) : error);
  if (!request.canonicalChunks.endsWith('\r\n\r\n')) throw new Disagreement('forwarded chunks do not end');
}

/** Where we wait for more of a request, llhttp must not have a whole one. */
function compareRest(bytes: Buffer, ours: OurRequests): void {
  const start = ours.requests.at(-1)?.end ?? 0;
  const rest = readByLlhttp('request', bytes.subarray(start));
  same('whole requests in the rest', 0, rest.messages.length);
}

function saysProxyConnection(request: OurRequest): boolean {
  return request.fields.some(([name]) => name.toLowerCase() === 'proxy-connection');
}

function readingOf(message: OurRequest | LlhttpMessage): unknown {
  const { version, fields, body, end } = message;
  const method = methodForLlhttp(message.method)?.method;
  return { method, target: targetForLlhttp(message.target), version, fields, body, end };
}

function answerOf(message: OurAnswer | LlhttpMessage): unknown {
  const { version, fields, body, end } = message;
  return { version, fields, body, end };
}

function describe(message: LlhttpMessage): string {
  return JSON.stringify({ method: message.method, target: message.target, end: message.end });
}
