// Runs one cell, that is one fault with one method on a fresh or a reused connection, and reports what was wrong.
// Checks the answer's class, that nothing hangs, that no unsafe request is repeated, that nothing stays open, and that the next requests
// are fine, on the same client connection where it is still open and on a new connection.

import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { RawClient, type RawResponse, requestText } from '../support/clients/raw-client.ts';
import { handshake } from '../support/clients/websocket.ts';
import type { Fault, Freshness, Method, Outcome } from './fault.ts';
import type { ScriptedUpstream } from './scripted-upstream.ts';

/** Where a cell runs. */
interface CellRig {
  readonly port: number;
  readonly upstream: ScriptedUpstream;
  /** Path of the route to the faulty upstream, and of one to an upstream that is always fine. */
  readonly path: string;
  readonly finePath: string;
  /** Requests that the gateway has running on the faulty upstream. */
  readonly running: () => number;
}

/** The result of a cell. */
export interface CellResult {
  readonly fault: Fault;
  readonly method: Method;
  readonly freshness: Freshness;
  readonly outcome: Outcome | 'hung' | 'garbled';
  readonly tookMs: number;
  /** What was wrong; empty when all held. */
  readonly problems: readonly string[];
}

// Every timeout of the routes is below a second; a machine that others use as well gets this much for the rest.
const patienceMs = 10_000;

export async function runCell(rig: CellRig, method: Method, freshness: Freshness): Promise<CellResult> {
  const { upstream } = rig;
  const { fault } = upstream;
  const id = `${method}-${freshness}`;
  const problems: string[] = [];
  upstream.disarm();
  if ((await within(upstream.closeIdle())) === null) problems.push('connections of the cell before are still open');
  const client = await RawClient.connect(rig.port);
  try {
    if (freshness === 'reused') await expectFine(client, `${rig.path}warm`, problems, 'the good exchange before');
    upstream.arm(id);
    const startedMs = monotonicMs();
    const result = await within(ask(client, rig.path, fault, method, id));
    const tookMs = monotonicMs() - startedMs;
    const { outcome, answer } = result ?? { outcome: 'hung' as const, answer: null };
    judgeOutcome(fault, method, freshness, outcome, answer, id, problems);
    judgeSightings(upstream, method, freshness, problems);
    upstream.disarm();
    if (fault.isLate) await judgeLeaks(rig, problems);
    const nextPath = fault.staysDown ? rig.finePath : rig.path;
    if (answer !== null && answer.status !== 101 && answer.header('Connection') !== 'close') {
      await expectFine(client, `${nextPath}next`, problems, 'the next request on the same connection');
    } else if (outcome !== 'left' && (await within(client.ended())) === null) {
      problems.push('the connection did not end');
    }
    const other = await RawClient.connect(rig.port);
    await expectFine(other, `${nextPath}other`, problems, 'the next request on another connection');
    other.destroy();
    await judgeLeaks(rig, problems);
    return { fault, method, freshness, outcome, tookMs, problems };
  } finally {
    client.destroy();
  }
}

/** Half of a body is all that the client sends while the fault plays inside the request. */
function requestParts(path: string, fault: Fault, method: Method, id: string): (string | Buffer)[] {
  const target = `${path}${id}`;
  if (method === 'WEBSOCKET') return [handshake(target)];
  if (method === 'RANGE') return [requestText('GET', target, ['Range: bytes=2-5'])];
  if (method !== 'POST' && method !== 'PUT') return [requestText(method, target)];
  const isHalf = fault.at === 'bytes' || fault.at === 'body' || (fault.at === 'head' && fault.bodyBytes === undefined);
  const bytes = fault.bodyBytes ?? 64;
  const half = Buffer.alloc(bytes / 2, 'b');
  if (method === 'POST') {
    return [requestText('POST', target, [`Content-Length: ${bytes}`]), half, ...(isHalf ? [] : [half])];
  }
  const chunk = [`${half.length.toString(16)}\r\n`, half, '\r\n'];
  const head = requestText('PUT', target, ['Transfer-Encoding: chunked']);
  return [head, ...chunk, ...(isHalf ? [] : [...chunk, '0\r\n\r\n'])];
}

interface Asked {
  readonly outcome: Outcome | 'garbled';
  readonly answer: RawResponse | null;
}

async function ask(client: RawClient, path: string, fault: Fault, method: Method, id: string): Promise<Asked> {
  const parts = requestParts(path, fault, method, id);
  client.write(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))));
  if (fault.leavesAfter !== undefined) {
    while (client.socket.bytesRead < fault.leavesAfter && !client.hasEnded) await pause(5);
    const wasEnough = !client.hasEnded;
    client.destroy();
    return { outcome: wasEnough ? 'left' : 'cut', answer: null };
  }
  try {
    for (;;) {
      const answer = await client.read(method);
      // hints may come before an answer, and even before a failure
      if (answer.status === 101) return tunnelled(client, answer);
      if (answer.status < 200) continue;
      return { outcome: answer.status === 200 || answer.status === 206 ? 'ok' : answer.status, answer };
    }
  } catch (error) {
    const isCut = error instanceof Error && error.message.startsWith('the connection ended before');
    return { outcome: isCut ? 'cut' : 'garbled', answer: null };
  }
}

/** Takes what comes through a tunnel up to its end, and then ends it too. */
async function tunnelled(client: RawClient, answer: RawResponse): Promise<Asked> {
  const body = await client.ended();
  client.socket.end();
  return { outcome: 'tunnel', answer: { ...answer, body, text: body.toString('utf8') } };
}

function judgeOutcome(
  fault: Fault,
  method: Method,
  freshness: Freshness,
  outcome: CellResult['outcome'],
  answer: RawResponse | null,
  id: string,
  problems: string[],
): void {
  const hasBody = method === 'POST' || method === 'PUT';
  const isKeptBroken = fault.at === 'accept' && freshness === 'reused' && hasBody;
  const wanted =
    // it is not sent again, so it never meets the fault
    (isKeptBroken ? 502 : undefined) ??
    (hasBody ? fault.withBody : undefined) ??
    (mayRepeat(method, freshness) ? fault.sentAgain : undefined) ??
    fault.outcome;
  const all: readonly (Outcome | 'hung' | 'garbled')[] = Array.isArray(wanted) ? wanted : [wanted];
  if (!all.includes(outcome)) problems.push(`got ${outcome} and not ${all.join(' or ')}`);
  if (answer === null) return;
  const content = answer.body.toString('latin1');
  if (answer.status === 101) {
    if (content !== (fault.content ?? '')) problems.push(`through the tunnel came ${JSON.stringify(content)}`);
    return;
  }
  // a body that only the connection's end frames would look complete whatever happened
  const isFramed = answer.header('Content-Length') !== null || answer.header('Transfer-Encoding') !== null;
  const isBodyless = method === 'HEAD' || answer.status === 204 || answer.status === 304;
  if (!isFramed && !isBodyless) problems.push('the answer has no framing');
  if (isBodyless && answer.body.length > 0) problems.push('an answer without a body has one');
  if (/poison|junk/.test(answer.head + answer.text)) problems.push('bytes of another answer came along');
  if (outcome !== 'ok') return;
  if (content !== (fault.content ?? 'mine')) problems.push(`the content is ${JSON.stringify(content.slice(0, 80))}`);
  if (answer.header('X-Id') !== id) problems.push(`the answer is that of ${answer.header('X-Id')}`);
}

function mayRepeat(method: Method, freshness: Freshness): boolean {
  return freshness === 'reused' && (method === 'GET' || method === 'RANGE');
}

/** RFC 9110 §9.2.2: only what changes nothing may be sent again, and only when a kept connection may have been stale. */
function judgeSightings(upstream: ScriptedUpstream, method: Method, freshness: Freshness, problems: string[]): void {
  const { fault, sightings } = upstream;
  const most = mayRepeat(method, freshness) ? 2 : 1;
  if (sightings.length > most) problems.push(`the upstream saw the request ${sightings.length} times`);
  const [first] = sightings;
  if (first === undefined) {
    if (fault.at !== 'connect' && fault.at !== 'accept') problems.push('the upstream never saw the request');
    return;
  }
  // a handshake takes no connection that has a past
  const isReused = freshness === 'reused' && method !== 'WEBSOCKET';
  if (first.ordinal > 1 !== isReused) problems.push(`the connection was not ${freshness}`);
}

/** Nothing runs on, and the connections that saw the fault are gone. */
async function judgeLeaks(rig: CellRig, problems: string[]): Promise<void> {
  const { fault, played } = rig.upstream;
  // a script that reads nothing notices no end
  for (const socket of played) socket.resume();
  const untilMs = monotonicMs() + patienceMs;
  const isClean = () => rig.running() === 0 && (fault.keeps || played.every((socket) => socket.destroyed));
  while (!isClean() && monotonicMs() < untilMs) await pause(10);
  if (rig.running() !== 0) problems.push(`${rig.running()} requests are still running`);
  if (!isClean()) problems.push('the connection with the fault is still open');
}

async function expectFine(client: RawClient, target: string, problems: string[], what: string): Promise<void> {
  client.write(requestText('GET', target));
  const answer = await within(client.read().catch((error: unknown) => String(error)));
  if (answer === null) problems.push(`${what} hung`);
  else if (typeof answer === 'string') problems.push(`${what}: ${answer}`);
  else if (answer.status !== 200 || answer.text !== 'mine') problems.push(`${what} got ${answer.status}`);
  else if (answer.header('X-Id') !== target.split('/')[2]) problems.push(`${what} got the answer of another`);
}

/** @returns null when it took too long */
async function within<T>(promise: Promise<T>): Promise<T | null> {
  const cancel = new AbortController();
  const late = pause(patienceMs, null, { signal: cancel.signal }).catch(() => null);
  const first = await Promise.race([promise, late]);
  cancel.abort();
  return first;
}
