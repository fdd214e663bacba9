// Expect: 100-continue ends at the gateway: which clients are invited to send a body, when, and what follows when they are not.
// Rules: RFC 9110 §10.1.1; gateway/RULES.md "Framing" (Go CVE-2024-24791: what an upstream says to it is not passed on).

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const expectation = 'Expect: 100-continue';
let upstream: SocketUpstream;
let gateway: TestGateway;
let client: RawClient;

beforeAll(async () => {
  upstream = await SocketUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] }, gone: { servers: ['http://127.0.0.1:1'] } },
      routes: [
        { name: 'open', path: '/open/', upstream: 'web', accept: ['anyone'] },
        { name: 'vod', path: '/vod/', upstream: 'web', accept: ['token'] },
        { name: 'small', path: '/small/', upstream: 'web', accept: ['anyone'], limits: { max_body: '3B' } },
        { name: 'gone', path: '/gone/', upstream: 'gone', accept: ['anyone'] },
      ],
    },
  });
});
beforeEach(async () => {
  client = await RawClient.connect(gateway.port);
});
afterEach(() => client.destroy());
afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
});

/** Sends a head, and gives the connection that it reaches the upstream on. */
async function upload(fields: readonly string[], body = '') {
  const number = upstream.connections.length + 1;
  client.write(requestText('POST', '/open/a', fields) + body);
  const connection = await upstream.connection(number);
  await connection.heads(1);
  return connection;
}

const done = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';

test.each([
  ['no token', '/vod/a', 401],
  ['no route', '/nowhere', 404],
  ['a body that is too long', '/small/a', 413],
])(
  '%s: the final answer without a 100, and the connection ends whatever is sent then',
  async (_why, target, status) => {
    const inner = requestText('GET', '/open/smuggled');
    const before = upstream.connections.length;
    client.write(requestText('POST', target, [expectation, `Content-Length: ${inner.length}`]));
    const answer = await client.read();
    expect([answer.status, answer.header('Connection')]).toEqual([status, 'close']);
    // a client that was not invited may send the body all the same, and another may not: neither is waited for
    client.write(inner);
    expect((await client.ended()).length).toBe(0);
    expect(upstream.connections.length).toBe(before);
  },
);

test.each([
  ['with a length', ['Content-Length: 4'], 'body'],
  ['in chunks', ['Transfer-Encoding: chunked'], '4\r\nbody\r\n0\r\n\r\n'],
])(
  'an allowed upload %s is invited before the upstream says a word, which sees no expectation',
  async (_how, framing, body) => {
    const connection = await upload([expectation, ...framing]);
    expect((await client.read()).head).toBe('HTTP/1.1 100 Continue');
    expect(connection.received).not.toMatch(/expect/i);
    client.write(body);
    await connection.until(body);
    connection.write(done);
    expect((await client.read()).status).toBe(200);
  },
);

test('a valid token is enough to be invited to send the body', async () => {
  const number = upstream.connections.length + 1;
  const fields = [expectation, 'Content-Length: 2', `Authorization: Bearer ${gateway.mint()}`];
  client.write(requestText('PUT', '/vod/a', fields));
  expect((await client.read()).status).toBe(100);
  client.write('ab');
  const connection = await upstream.connection(number);
  await connection.until('\r\n\r\nab');
  connection.write(done);
  expect((await client.read()).status).toBe(200);
});

test('however many 100s the upstream says, none reaches the client', async () => {
  const connection = await upload([expectation, 'Content-Length: 4']);
  expect((await client.read()).status).toBe(100);
  connection.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(3));
  client.write('body');
  await connection.until('body');
  connection.write(`HTTP/1.1 100 Continue\r\n\r\n${done}`);
  expect((await client.read()).status).toBe(200);
});

test.each([
  ['without a body', [expectation], ''],
  ['with an empty body', [expectation, 'Content-Length: 0'], ''],
  ['with the body at once', [expectation, 'Content-Length: 4'], 'body'],
  ['with the beginning of the body at once', [expectation, 'Content-Length: 4'], 'bo'],
])('nobody is invited %s', async (_when, fields, body) => {
  const connection = await upload(fields, body);
  if (body === 'bo') client.write('dy');
  connection.write(done);
  expect((await client.read()).status).toBe(200);
});

test('a 1.0 client is not invited to send its body: it would take the 100 for its answer', async () => {
  const number = upstream.connections.length + 1;
  client.write(`POST /open/a HTTP/1.0\r\n${expectation}\r\nContent-Length: 4\r\n\r\n`);
  const connection = await upstream.connection(number);
  await connection.heads(1);
  client.write('body');
  await connection.until('body');
  connection.write(done);
  expect((await client.read()).status).toBe(200);
});

test('an upstream that refuses before the body: its answer goes on, and both connections end', async () => {
  const connection = await upload([expectation, 'Content-Length: 40']);
  expect((await client.read()).status).toBe(100);
  connection.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
  const answer = await client.read();
  expect([answer.status, answer.header('Connection')]).toEqual([403, 'close']);
  client.write(requestText('GET', '/open/smuggled'));
  expect((await client.ended()).length).toBe(0);
  await connection.gone();
  expect(connection.received).not.toContain('smuggled');
});

test('an upstream that is not there: 502 behind the 100, and the connection ends', async () => {
  client.write(requestText('POST', '/gone/a', [expectation, 'Content-Length: 4']));
  expect((await client.read()).status).toBe(100);
  const answer = await client.read();
  expect([answer.status, answer.header('Connection')]).toEqual([502, 'close']);
  await client.ended();
});
