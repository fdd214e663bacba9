// When a request is sent a second time, and above all when it is not. The upstream counts what it got.
// Rules: RFC 9110 §9.2.2, RFC 9112 §9.3.1.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream, type UpstreamSocket } from '../../support/peers/socket-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
let gateway: TestGateway;
let upstream: SocketUpstream;
let client: RawClient;

function config(): FileInput {
  return {
    upstreams: { web: { servers: [upstream.url] } },
    routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
  };
}

beforeEach(async () => {
  upstream = await SocketUpstream.start();
  gateway = await startGateway({ config: config() });
  client = await RawClient.connect(gateway.port);
});
afterEach(async () => {
  client.destroy();
  await gateway.close();
  await upstream.close();
});

/** One good request, so that the gateway holds an idle connection. */
async function warmUp(): Promise<UpstreamSocket> {
  client.write(requestText('GET', '/warm'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
  return connection;
}

test.each([
  ['resets', (connection: UpstreamSocket) => connection.socket.resetAndDestroy()],
  ['ends', (connection: UpstreamSocket) => connection.socket.end()],
])('a GET is sent again when the upstream %s a reused connection under it', async (_how, breakIt) => {
  const stale = await warmUp();
  client.write(requestText('GET', '/again'));
  await stale.heads(2);
  breakIt(stale);
  const fresh = await upstream.connection(2);
  await fresh.heads(1);
  expect(fresh.received).toContain('GET /again HTTP/1.1\r\n');
  fresh.write(ok);
  expect((await client.read()).status).toBe(200);
  expect(gateway.metrics.retries).toBe(1);
});

test.each([
  ['a POST', requestText('POST', '/once', ['Content-Length: 0'])],
  ['a GET with a body', `${requestText('GET', '/once', ['Content-Length: 3'])}abc`],
  ['a PUT with a chunked body', `${requestText('PUT', '/once', ['Transfer-Encoding: chunked'])}1\r\na\r\n0\r\n\r\n`],
])('%s is never sent again', async (_name, request) => {
  const stale = await warmUp();
  client.write(request);
  await stale.heads(2);
  stale.socket.resetAndDestroy();
  expect((await client.read()).status).toBe(502);
  expect(upstream.connections).toHaveLength(1);
  expect(gateway.metrics.retries).toBe(0);
});

test('a GET is not sent again when its connection was a fresh one', async () => {
  client.write(requestText('GET', '/'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.socket.resetAndDestroy();
  expect((await client.read()).status).toBe(502);
  expect(upstream.connections).toHaveLength(1);
});

test('a GET is not sent again once a byte of an answer came', async () => {
  const stale = await warmUp();
  client.write(requestText('GET', '/half'));
  await stale.heads(2);
  stale.socket.end('H', 'latin1');
  expect((await client.read()).status).toBe(502);
  expect(upstream.connections).toHaveLength(1);
});

test('a GET is sent again once, not twice', async () => {
  const stale = await warmUp();
  client.write(requestText('GET', '/twice'));
  await stale.heads(2);
  stale.socket.resetAndDestroy();
  const fresh = await upstream.connection(2);
  await fresh.heads(1);
  fresh.socket.resetAndDestroy();
  expect((await client.read()).status).toBe(502);
  expect(upstream.connections).toHaveLength(2);
});

test('a request whose server refuses connections goes to the other server of its group', async () => {
  const gone = await SocketUpstream.start();
  const goneUrl = gone.url;
  await gone.close();
  const living = await SocketUpstream.start(({ socket }) => socket.on('data', () => socket.write(ok)));
  await gateway.reload({ ...config(), upstreams: { web: { servers: [goneUrl, living.url] } } });
  for (const number of [1, 2, 3, 4]) {
    client.write(requestText('POST', `/${number}`, ['Content-Length: 0']));
    expect((await client.read()).status).toBe(200);
  }
  await living.close();
});
