// Answers that live long: server-sent events and long polls keep their route's times, and no part of them is held back.

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let upstream: SocketUpstream;
let gateway: TestGateway;
const clients: RawClient[] = [];

beforeAll(async () => {
  upstream = await SocketUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: {
        web: { servers: [upstream.url] },
        brief: { servers: [upstream.url], keep_alive: '300ms' },
        patient: { servers: [upstream.url], keep_alive: '1d' },
      },
      routes: [
        { name: 'events', path: '/events', upstream: 'web', accept: ['anyone'], timeouts: { upstream_idle: '1h' } },
        { name: 'poll', path: '/poll', upstream: 'web', accept: ['anyone'], timeouts: { upstream_first_byte: '1h' } },
        { name: 'upload', path: '/upload', upstream: 'web', accept: ['anyone'], timeouts: { request_body_idle: '1h' } },
        { name: 'brief', path: '/brief', upstream: 'brief', accept: ['anyone'] },
        { name: 'patient', path: '/patient', upstream: 'patient', accept: ['anyone'] },
        { name: 'all', path: '/', upstream: 'web', accept: ['anyone'] },
      ],
      limits: { upstream_keep_alive: '600ms' },
      timeouts: { upstream_idle: '300ms', upstream_first_byte: '300ms', request_body_idle: '300ms' },
    },
  });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});
afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
});

/** A request on its own pair of connections. */
async function ask(text: string) {
  const number = upstream.connections.length + 1;
  const client = await RawClient.connect(gateway.port);
  clients.push(client);
  client.write(text);
  const connection = await upstream.connection(number);
  await connection.heads(1);
  return { client, connection };
}

const eventHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n';
const framings = [
  ['chunked', 'Transfer-Encoding: chunked\r\n', (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`],
  ['until the end', '', (text: string) => text],
] as const;

test.each(framings)('an event arrives at once, with the head and later: %s', async (_name, line, frame) => {
  const { client, connection } = await ask(requestText('GET', '/events'));
  let got = '';
  client.socket.on('data', () => {
    got += client.takeRest().toString('latin1');
  });
  connection.write(`${eventHead}${line}\r\n`);
  await expect.poll(() => got, { interval: 1 }).toMatch(/\r\n\r\n$/);
  for (const event of ['data: 1\n\n', 'data: two\n\n', 'data: 3\n\n']) {
    got = '';
    connection.write(frame(event));
    await expect.poll(() => got, { interval: 1 }).toContain(event);
  }
});

test('a stream of events outlives its quiet times on its route, and is cut off on another', async () => {
  const kept = await ask(requestText('GET', '/events'));
  const cut = await ask(requestText('GET', '/other'));
  for (const { connection } of [kept, cut]) {
    connection.write(`${eventHead}Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n`);
  }
  expect((await cut.client.ended()).toString('latin1')).not.toContain('\r\n0\r\n');
  await cut.connection.gone();
  expect(kept.client.hasEnded).toBe(false);
  kept.connection.write('9\r\ndata: 2\n\n\r\n0\r\n\r\n');
  expect((await kept.client.read()).text).toBe('data: 1\n\ndata: 2\n\n');
});

test('a long poll waits on its route, and is 504 on another', async () => {
  const kept = await ask(requestText('GET', '/poll'));
  const cut = await ask(requestText('GET', '/other'));
  expect((await cut.client.read()).status).toBe(504);
  kept.connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnews');
  expect((await kept.client.read()).text).toBe('news');
});

test('an upload with long pauses arrives on its route, and is 408 on another', async () => {
  const head = (target: string) => requestText('POST', target, ['Content-Length: 4']);
  const kept = await ask(`${head('/upload')}bo`);
  const cut = await ask(`${head('/other')}bo`);
  expect((await cut.client.read()).status).toBe(408);
  kept.client.write('dy');
  await kept.connection.until('body');
  kept.connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
  expect((await kept.client.read()).text).toBe('ok');
});

test('a client that leaves a stream of events ends the upstream’s request', async () => {
  const { client, connection } = await ask(requestText('GET', '/events'));
  connection.write(`${eventHead}Transfer-Encoding: chunked\r\n\r\n`);
  await pause(20);
  client.destroy();
  await connection.gone();
});

test('an idle connection stays as long as its upstream says, and where it says nothing as long as the limit', async () => {
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const [brief, patient, usual] = [
    await ask(requestText('GET', '/brief')),
    await ask(requestText('GET', '/patient')),
    await ask(requestText('GET', '/other')),
  ];
  for (const { client, connection } of [brief, patient, usual]) {
    connection.write(ok);
    expect((await client.read()).text).toBe('ok');
  }
  await brief.connection.gone();
  await usual.connection.gone();
  expect(patient.connection.isGone).toBe(false);
  patient.client.write(requestText('GET', '/patient'));
  await patient.connection.heads(2);
});
