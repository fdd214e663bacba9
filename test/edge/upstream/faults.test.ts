// What clients get when an upstream misbehaves, phase by phase: an error before the head, a cut connection after it.
// After each fault the next request on the same route is fine, and no connection is left over on either side.

import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream, type UpstreamSocket } from '../../support/peers/socket-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
let gateway: TestGateway;
let upstream: SocketUpstream;
let client: RawClient;

beforeEach(async () => {
  upstream = await SocketUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] }, gone: { servers: ['http://127.0.0.1:1'] } },
      routes: [
        { name: 'all', path: '/', upstream: 'web', accept: ['anyone'] },
        { name: 'gone', path: '/gone', upstream: 'gone', accept: ['anyone'] },
      ],
    },
  });
  client = await RawClient.connect(gateway.port);
});
afterEach(async () => {
  client.destroy();
  await gateway.close();
  await upstream.close();
});

/** Sends a GET and waits until it is the upstream's to answer. */
async function ask(): Promise<UpstreamSocket> {
  client.write(requestText('GET', '/fault'));
  const connection = await upstream.connection(upstream.connections.length + 1);
  await connection.heads(1);
  return connection;
}

/** A request on a new client connection is answered over a new upstream connection, and then nothing else is open. */
async function expectNextIsFine(): Promise<void> {
  const before = upstream.connections.length;
  const next = await RawClient.connect(gateway.port);
  next.write(requestText('GET', '/next'));
  const connection = await upstream.connection(before + 1);
  await connection.heads(1);
  connection.write(ok);
  expect((await next.read()).text).toBe('ok');
  next.destroy();
  client.destroy();
  await expect.poll(() => upstream.open).toBe(1);
  await expect.poll(async () => (await gateway.scrape()).match(/^latchkey_connections\{.*[1-9]\d*$/gm)).toBeNull();
}

test('a refused connection gets a 502', async () => {
  client.write(requestText('GET', '/gone'));
  expect((await client.read()).status).toBe(502);
  // the client's connection has done no wrong
  client.write(requestText('GET', '/'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
});

test.each([
  ['a FIN before the answer', (connection: UpstreamSocket) => connection.socket.end()],
  ['a reset before the answer', (connection: UpstreamSocket) => connection.socket.resetAndDestroy()],
  ['a FIN inside the head', (connection: UpstreamSocket) => connection.socket.end('HTTP/1.1 200 OK\r\nContent-L')],
  ['junk for a head', (connection: UpstreamSocket) => connection.write('SSH-2.0-OpenSSH_9.2\r\n\r\n')],
  ['a version nobody speaks', (connection: UpstreamSocket) => connection.write('HTTP/2.0 200 OK\r\n\r\n')],
  ['an empty line for a head', (connection: UpstreamSocket) => connection.write('\r\n\r\n')],
  ['a bare LF', (connection: UpstreamSocket) => connection.write('HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n')],
  [
    'a NUL',
    (connection: UpstreamSocket) => connection.write('HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'),
  ],
  [
    'two lengths',
    (connection: UpstreamSocket) =>
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok'),
  ],
  [
    'both framings',
    (connection: UpstreamSocket) =>
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  ],
  [
    'a coding we do not know',
    (connection: UpstreamSocket) => connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'),
  ],
  [
    'a head larger than 32 KiB',
    (connection: UpstreamSocket) => connection.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`),
  ],
  [
    'more than 100 fields',
    (connection: UpstreamSocket) => connection.write(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(101)}\r\n`),
  ],
  [
    'a switch of protocols',
    (connection: UpstreamSocket) => connection.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  ],
  [
    'interim answers without end',
    (connection: UpstreamSocket) => connection.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)),
  ],
])('%s gets a 502', async (_name, fault) => {
  const connection = await ask();
  fault(connection);
  const answer = await client.read();
  expect(answer.status).toBe(502);
  expect(answer.header('Content-Type')).toBe('application/problem+json');
  await connection.gone();
  await expectNextIsFine();
});

test.each([
  ['a length', 'Content-Length: 10\r\n', '12345'],
  ['chunks', 'Transfer-Encoding: chunked\r\n', 'a\r\n12345'],
  ['chunks, between two of them', 'Transfer-Encoding: chunked\r\n', '5\r\n12345\r\n'],
  ['chunks, before the last empty line', 'Transfer-Encoding: chunked\r\n', '5\r\n12345\r\n0\r\n'],
])('an answer that ends too early never looks complete: %s', async (_name, framing, body) => {
  const connection = await ask();
  connection.socket.end(`HTTP/1.1 200 OK\r\n${framing}\r\n${body}`, 'latin1');
  await expect(client.read()).rejects.toThrow('the connection ended before');
  await expectNextIsFine();
});

test('an answer without a length that ends by a reset never looks complete', async () => {
  const connection = await ask();
  connection.write('HTTP/1.1 200 OK\r\n\r\nhalf');
  await expect.poll(() => client.socket.bytesRead).toBeGreaterThan(0);
  connection.socket.resetAndDestroy();
  await expect(client.read()).rejects.toThrow('the connection ended before');
  await expectNextIsFine();
});

test.each([
  ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'],
  ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
])('a 1.0 client, for whom the end of the connection is the end, is reset inside an answer %s', async (_name, half) => {
  const reset = once(client.socket, 'error');
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write(half);
  await expect.poll(() => client.socket.bytesRead).toBeGreaterThan(0);
  connection.socket.end();
  expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
});

test('a broken chunk in the middle of an answer cuts it off', async () => {
  const connection = await ask();
  connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n');
  await expect.poll(() => client.socket.bytesRead).toBeGreaterThan(0);
  connection.write('5;\r\n');
  await expect(client.read()).rejects.toThrow('the connection ended before');
  await connection.gone();
  await expectNextIsFine();
});

test.each([
  ['after a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['after the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['after an empty body', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['after a 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n'],
  ['after a 204', 'HTTP/1.1 204 No Content\r\n\r\n'],
])('extra bytes %s reach nobody, and their connection is not used again', async (_name, answer) => {
  const connection = await ask();
  connection.write(`${answer}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
  const first = await client.read();
  expect(first.text).not.toContain('poison');
  await connection.gone();
  expect(await gateway.scrape()).toMatch(/latchkey_upstream_failures\S*web\S* 1/);
  await expectNextIsFine();
});

test('a HEAD answer with a body reaches nobody, and its connection is not used again', async () => {
  client.write(requestText('HEAD', '/'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
  expect((await client.read('HEAD')).status).toBe(200);
  await connection.gone();
  await expectNextIsFine();
});

test('bytes on an idle connection destroy it before anyone else gets it (CVE-2026-48931)', async () => {
  const connection = await ask();
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
  await connection.gone();
  await expectNextIsFine();
});

test('a connection that the upstream wants to close is not used again', async () => {
  const connection = await ask();
  connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
  expect((await client.read()).header('Connection')).toBeNull();
  await connection.gone();
  await expectNextIsFine();
});

test.each([
  ['before the answer', ''],
  ['inside the head', 'HTTP/1.1 200 OK\r\nCont'],
  ['inside a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123'],
  ['inside a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123'],
  ['inside a body until the end', 'HTTP/1.1 200 OK\r\n\r\n123'],
])('a client that leaves %s ends its upstream request', async (_name, sent) => {
  for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
    client.destroy();
    client = await RawClient.connect(gateway.port);
    const connection = await ask();
    connection.write(sent);
    if (sent.endsWith('3')) await expect.poll(() => client.socket.bytesRead).toBeGreaterThan(0);
    client.socket[leave]();
    await connection.gone();
  }
  await expectNextIsFine();
});

test('a client that leaves inside its own body ends its upstream request', async () => {
  client.write(`${requestText('POST', '/', ['Content-Length: 10'])}123`);
  const connection = await upstream.connection(1);
  await connection.until('123');
  client.destroy();
  await connection.gone();
  await expectNextIsFine();
});

test('a client that leaves a long answer unread ends its upstream request', async () => {
  const connection = await ask();
  client.socket.pause();
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
  connection.socket.write(Buffer.alloc(100_000_000));
  await expect.poll(() => connection.socket.writableLength).toBeGreaterThan(0);
  client.destroy();
  await connection.gone();
  await expectNextIsFine();
});

test('a client with a broken chunk gets a 400, and the upstream loses its half request', async () => {
  client.write(`${requestText('POST', '/', ['Transfer-Encoding: chunked'])}3\r\nabc\r\n`);
  const connection = await upstream.connection(1);
  await connection.until('abc');
  client.write('-1\r\n');
  expect((await client.read()).status).toBe(400);
  await connection.gone();
  expect(connection.received).toMatch(/abc\r\n$/);
  await expectNextIsFine();
});
