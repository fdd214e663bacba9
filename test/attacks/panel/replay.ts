// Replays to one peer what was forwarded to an upstream, byte for byte, with a second request behind it as a sentinel,
// and compares how the peer read it with how we meant it. A boundary that lies elsewhere costs the sentinel.

import { connect } from 'node:net';
import { type Message, readMessage } from '../message.ts';
import type { PanelPeer } from './peers.ts';
import type { SinkRequest } from './sink.ts';

/** `same`, or how the peer read the request. */
export type PanelResult =
  | { readonly kind: 'same' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'different'; readonly problems: readonly string[] };

const deadlineMs = 5000;

/** @param raw  one forwarded request; its `X-Request-Id` finds it again */
export async function replay(peer: PanelPeer, raw: Buffer): Promise<PanelResult> {
  const reading = readMessage(raw);
  if (reading.kind !== 'message') return different('it is no canonical request');
  const meant = reading.message;
  const id = valuesOf(meant, 'x-request-id')[0] ?? '';
  const sentinelId = `${id}-${peer.name}-sentinel`;
  const sentinel = `GET /sentinel HTTP/1.1\r\nHost: sentinel.example\r\nX-Request-Id: ${sentinelId}\r\nConnection: close\r\n\r\n`;
  // Nothing is sent behind an upgrade request before its answer, which makes the request safe.
  const requests = valuesOf(meant, 'upgrade').length > 0 ? 1 : 2;
  const bytes = requests === 1 ? raw : Buffer.concat([raw, Buffer.from(sentinel)]);
  const statuses = statusesIn(await exchange(peer.port, bytes, requests));
  const [status = 0] = statuses;
  const seen = peer.sink.requests.get(id) ?? [];
  const sentinels = peer.sink.requests.get(sentinelId) ?? [];
  if (seen.length === 0 && sentinels.length === 0 && status >= 400) return { kind: 'refused', status };
  const problems: string[] = [];
  if (seen.length !== 1) problems.push(`the request was read ${seen.length} times`);
  if (sentinels.length !== requests - 1) problems.push(`the request behind it was read ${sentinels.length} times`);
  // Apache answers ranges by itself, so the first one may be 206 or 416
  if (statuses.length !== requests) problems.push(`answers ${JSON.stringify(statuses)}`);
  const [first] = seen;
  if (first !== undefined) problems.push(...compare(meant, first));
  return problems.length === 0 ? { kind: 'same' } : { kind: 'different', problems };
}

/** Fields between two neighbours, framing, and what every proxy adds to. */
const notCompared = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
]);

/** @returns what the peer read otherwise */
function compare(meant: Message, seen: SinkRequest): string[] {
  const problems: string[] = [];
  const same = (what: string, wanted: string, got: string | undefined) => {
    if (wanted !== got) problems.push(`${what} ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
  };
  same('method', meant.method, seen.method);
  same('target', meant.target, seen.target);
  same('body', meant.body.toString('latin1'), seen.body.toString('latin1'));
  same('Host', joined(meant, 'host'), joinedOf(seen, 'host'));
  for (const name of new Set(meant.fields.map(([field]) => field.toLowerCase()))) {
    if (!notCompared.has(name)) same(name, joined(meant, name), joinedOf(seen, name));
  }
  // what the peer itself understood, where it says so
  const told = (name: string) => joinedOf(seen, name);
  if (told('x-peer-method') !== undefined) same('its method', meant.method, told('x-peer-method'));
  if (told('x-peer-target') !== undefined) same('its target', meant.target, told('x-peer-target'));
  if (told('x-peer-line') !== undefined)
    same('its request line', `${meant.method} ${meant.target} HTTP/1.1`, told('x-peer-line'));
  const path = told('x-peer-path');
  if (path !== undefined) same('its path', decodedPath(meant.target), path);
  const length = told('x-peer-length');
  // nginx counts what chunks hold
  if (length !== undefined && length !== '') same('its length', String(meant.body.length), length);
  return problems;
}

/** Name and value pairs decoded once, as bytes. */
function decodedPath(target: string): string {
  const path = target.split('?', 1)[0] ?? '';
  return path.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function valuesOf(message: Message, name: string): string[] {
  return message.fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
}

/** Several fields with one name count as one list (RFC 9110 §5.3). */
function joined(message: Message, name: string): string {
  return valuesOf(message, name).join(', ');
}

function joinedOf(request: SinkRequest, name: string): string | undefined {
  const values: string[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]?.toLowerCase() === name) values.push(request.rawHeaders[index + 1] ?? '');
  }
  return values.length === 0 ? undefined : values.join(', ');
}

function statusesIn(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** Everything that the peer sends until it ends the connection, and not only the first answer. */
function exchange(port: number, bytes: Buffer, requests: number): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const timer = setTimeout(() => socket.destroy(), deadlineMs);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (requests === 1 && statusesIn(received).length === 1) socket.end();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(received);
    });
  });
}

function different(problem: string): PanelResult {
  return { kind: 'different', problems: [problem] };
}
