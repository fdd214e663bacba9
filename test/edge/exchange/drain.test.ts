// SIGTERM to a whole gateway: what runs is finished, what idles ends, and the exit code is 0.
// Where the moment of a request counts, to the millisecond, the gateway is one in this process.

import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';
import { type ServeProcess, startServe } from '../../support/rigs/serve-process.ts';

let upstream: SocketUpstream;
let serve: ServeProcess | null = null;
let gateway: TestGateway | null = null;
const clients: RawClient[] = [];

beforeEach(async () => {
  upstream = await SocketUpstream.start();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await serve?.dispose();
  serve = null;
  await gateway?.close();
  gateway = null;
  await upstream.close();
});

function config(): FileInput {
  return {
    upstreams: { web: { servers: [upstream.url] } },
    routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
  };
}

/** @param drain  long for what is to be finished: it ends as soon as nothing runs */
async function start(drain: string, edges = 2): Promise<ServeProcess> {
  serve = await startServe({ config: { ...config(), edges, limits: { drain_timeout: drain } } });
  return serve;
}

async function open(port = serve?.port ?? 0): Promise<RawClient> {
  const client = await RawClient.connect(port);
  clients.push(client);
  return client;
}

/** Resolves once new connections are refused. */
async function refusing(port: number): Promise<void> {
  const isRefused = () =>
    new Promise<boolean>((resolve) => {
      const knock = connect(port, '127.0.0.1', () => {
        knock.destroy();
        resolve(false);
      }).on('error', () => resolve(true));
    });
  await expect.poll(isRefused).toBe(true);
}

test('a running download and a running upload finish, idle connections end, and the exit code is 0', async () => {
  const serve = await start('1m');
  const idle = await open();
  idle.write(requestText('GET', '/idle'));
  const first = await upstream.connection(1);
  await first.heads(1);
  first.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
  expect((await idle.read()).status).toBe(200);
  const untouched = await open();
  const running = await open();
  running.write(requestText('GET', '/running'));
  const connection = await upstream.connection(2);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\nbegin');
  await expect.poll(() => running.socket.bytesRead).toBeGreaterThan(0);
  const waiting = await open();
  waiting.write(requestText('GET', '/waiting'));
  const last = await upstream.connection(3);
  await last.heads(1);
  const uploading = await open();
  uploading.write(requestText('POST', '/uploading', ['Content-Length: 1000000']) + 'x'.repeat(500_000));
  const upload = await upstream.connection(4);
  upload.drop();
  await expect.poll(() => upload.bytes).toBeGreaterThan(500_000);

  const code = serve.stop('SIGTERM');
  await Promise.all([idle.ended(), untouched.ended(), refusing(serve.port)]);
  expect([running.hasEnded, uploading.hasEnded]).toEqual([false, false]);
  connection.socket.write('x'.repeat(1_999_995));
  last.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  expect((await running.read()).body).toHaveLength(2_000_000);
  // it was not begun when the drain began, so it can still say so
  expect((await waiting.read()).header('Connection')).toBe('close');
  uploading.write('x'.repeat(500_000));
  await expect.poll(() => upload.bytes).toBeGreaterThan(1_000_000);
  upload.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const uploaded = await uploading.read();
  expect([uploaded.status, uploaded.header('Connection')]).toEqual([200, 'close']);
  await Promise.all([running.ended(), waiting.ended(), uploading.ended()]);
  for (const client of clients) client.destroy();
  expect(await code).toBe(0);
});

test('a request that was sent before its client could know of the drain is answered, as the last one', async () => {
  gateway = await startGateway({ config: config() });
  const client = await open(gateway.port);
  client.write(requestText('GET', '/first'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
  expect((await client.read()).header('Connection')).toBe(null);
  const running = await open(gateway.port);
  running.write(requestText('GET', '/running'));
  const other = await upstream.connection(2);
  await other.heads(1);
  other.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok');
  await expect.poll(() => running.socket.bytesRead).toBeGreaterThan(0);
  const drained = gateway.edge.drain(60_000);
  // idle when the drain began, in this very turn
  client.write(requestText('GET', '/second'));
  const next = await upstream.connection(3);
  await next.heads(1);
  next.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const last = await client.read();
  expect([last.status, last.header('Connection')]).toEqual([200, 'close']);
  // told nothing when its answer began
  other.write('ok');
  expect((await running.read()).text).toBe('okok');
  running.write(requestText('GET', '/.latchkey/nothing', ['Host: a']));
  expect((await running.read()).header('Connection')).toBe('close');
  await Promise.all([client.ended(), running.ended()]);
  for (const each of clients) each.destroy();
  await drained;
});

test('what does not finish in time is cut off and does not look complete, and the exit code is still 0', async () => {
  const serve = await start('500ms', 1);
  const [counted, untilEnd] = [await open(), await open()];
  counted.write(requestText('GET', '/'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegin');
  untilEnd.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  const other = await upstream.connection(2);
  await other.heads(1);
  other.write('HTTP/1.1 200 OK\r\n\r\nhalf');
  for (const client of [counted, untilEnd]) await expect.poll(() => client.socket.bytesRead).toBeGreaterThan(0);
  const reset = once(untilEnd.socket, 'error');
  const code = serve.stop('SIGTERM');
  expect((await counted.ended()).toString('latin1')).toMatch(/begin$/);
  await connection.gone();
  // a body until the end would be complete with an end
  expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
  expect(await code).toBe(0);
});
