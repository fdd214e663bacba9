// Every request that latchkey's parser accepts, Node's own parser (llhttp) accepts as well, with the same method, target, fields, body
// and end, except for the two differences in for-llhttp.ts.
// One Node server on loopback gets each accepted input on its own connection, with a second request behind it as a sentinel, so that
// a different boundary shows. Inputs that latchkey refuses are not sent.

import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalHost } from '../../gateway/core/decision/route/host.ts';
import { RequestHead } from '../../gateway/http1/request-head.ts';
import { methodForLlhttp, targetForLlhttp } from './for-llhttp.ts';
import { anyRequest, soundRequest } from './generated-requests.ts';
import { bytesOf, fieldsOf, namesOf, readChunked, readHead } from './reading.ts';

/** One request as a parser read it. */
interface Reading {
  method: string;
  target: string;
  version: string;
  fields: readonly (readonly [string, string])[];
  body: string;
}

// llhttp acts on these fields in trailers as in heads. latchkey drops all trailers (RFC 9110 §6.5.1), so that no parser sees them.
const framingTrailer = /\n(?:content-length|transfer-encoding|connection|proxy-connection|upgrade):/i;

const names = namesOf('token');

/** Our reading of the request at the front of `input`, and its exact bytes; null when refused or not complete. */
function readOurs(input: string): { reading: Reading; bytes: Buffer; persistent: boolean } | null {
  const bytes = bytesOf(input);
  const outcome = readHead(bytes, [bytes.length]);
  if (outcome.kind !== 'complete') return null;
  const head = new RequestHead();
  if (head.parse(outcome.text, outcome.scanner, names) !== null) return null;
  // the edge refuses these before anything is forwarded; their grammar is not the parser's
  if (head.host !== '' && canonicalHost(head.host) === null) return null;
  const fields = fieldsOf(head);
  let body = '';
  let end = outcome.rest;
  if (head.isChunked) {
    const chunked = readChunked(bytes, [bytes.length], 'data', outcome.rest);
    if (chunked.kind !== 'done') return null;
    if (framingTrailer.test(input.slice(outcome.rest, chunked.rest))) return null;
    body = chunked.output;
    end = chunked.rest;
  } else if (head.contentLength > 0) {
    end += head.contentLength;
    if (end > bytes.length) return null;
    body = bytes.toString('latin1', outcome.rest, end);
  }
  const sent = outcome.text.slice(head.method.length + 1, outcome.text.indexOf(' HTTP/1.'));
  const other = methodForLlhttp(head.method);
  if (other === null) return null;
  const target = targetForLlhttp(sent);
  const start = outcome.rest - outcome.text.length;
  bytes.write(`${other.padded} ${target}`, start, 'latin1');
  return {
    reading: { method: other.method, target, version: `1.${head.minorVersion}`, fields, body },
    bytes: bytes.subarray(0, end),
    persistent: head.isPersistent && !endsInNode(head),
  };
}

/**
 * Whether Node takes no second request although there may be one: llhttp reads Proxy-Connection like Connection, and
 * stops behind a request that asks for an upgrade. We drop the one, and hold back what follows the other.
 */
function endsInNode(head: RequestHead): boolean {
  if (head.hasUpgrade && head.connectionNames?.includes('upgrade') === true) return true;
  return fieldsOf(head).some(([name]) => name.toLowerCase() === 'proxy-connection');
}

const sentinel = 'GET /sentinel HTTP/1.1\r\nHost: sentinel\r\nConnection: close\r\n\r\n';

/** What Node saw on one connection: readings in order, and the error it had. */
interface Seen {
  readings: Reading[];
  error: string | null;
}

const seenByPort = new Map<number, Seen>();
const server = createServer({ maxHeaderSize: 128 * 1024, requestTimeout: 0, headersTimeout: 0 });
server.maxHeadersCount = 0;

function onRequest(request: IncomingMessage, answer: () => void): void {
  const seen = seenByPort.get(request.socket.remotePort ?? 0);
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('error', () => {});
  request.on('end', () => {
    const raw = request.rawHeaders;
    const fields = raw.flatMap((name, index): [string, string][] =>
      index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : [],
    );
    seen?.readings.push({
      method: request.method ?? '',
      target: request.url ?? '',
      version: request.httpVersion,
      fields,
      body: Buffer.concat(pieces).toString('latin1'),
    });
    answer();
  });
}

server.on('request', (request, response) => onRequest(request, () => response.end()));
server.on('checkContinue', (request, response) => onRequest(request, () => response.end()));
server.on('clientError', (error: Error & { code?: string }, socket) => {
  const seen = seenByPort.get('remotePort' in socket ? Number(socket.remotePort) : 0);
  if (seen !== undefined) seen.error ??= error.code ?? error.message;
  socket.destroy();
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

/** Sends `bytes` to Node on a connection of their own and waits until it has closed that connection. */
function readByNode(bytes: Uint8Array): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const seen: Seen = { readings: [], error: null };
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
      const port = socket.localPort ?? 0;
      seenByPort.set(port, seen);
      socket.on('close', () => {
        seenByPort.delete(port);
        resolve(seen);
      });
      socket.end(bytes);
    });
    socket.on('data', () => {});
    // a reset after Node refused the bytes is an answer as well; the close that follows it resolves
    socket.on('error', (error) => {
      if (socket.connecting) reject(error);
    });
  });
}

/** Holds our reading against Node's. @returns whether we accepted the input */
async function compare(input: string): Promise<boolean> {
  const ours = readOurs(input);
  if (ours === null) return false;
  const tail = ours.persistent ? bytesOf(sentinel) : Buffer.alloc(0);
  const seen = await readByNode(Buffer.concat([ours.bytes, tail]));
  expect(seen.error).toBeNull();
  expect(seen.readings[0]).toEqual(ours.reading);
  expect(seen.readings.slice(1).map((reading) => reading.target)).toEqual(ours.persistent ? ['/sentinel'] : []);
  return true;
}

describe('against llhttp', () => {
  it('accepts only requests that llhttp accepts, with the same method, target, fields, body and end', async () => {
    let runs = 0;
    let accepted = 0;
    const property = fc.asyncProperty(anyRequest, async (text) => {
      runs++;
      if (await compare(text)) accepted++;
    });
    // fast-check's report of a failure holds the seed and the path that lead back to it
    await fc.assert(property, { numRuns: 12_000, interruptAfterTimeLimit: 6_000, markInterruptAsFailure: false });
    expect(runs).toBeGreaterThan(300);
    expect(accepted / runs).toBeGreaterThan(0.3);
  });

  it('accepts every valid request of the documented grammar', () => {
    fc.assert(
      fc.property(soundRequest, (text) => {
        expect(readOurs(text)?.bytes.length).toBe(text.length);
      }),
      { numRuns: 500 },
    );
  });
});
