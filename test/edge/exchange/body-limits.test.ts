// How long a request's body may be: 413 before anything is opened when its length says so, else when it crosses the limit.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const basic = `Authorization: Basic ${Buffer.from('ann:secret').toString('base64')}`;
const chunked = 'Transfer-Encoding: chunked';

let gateway: TestGateway;
let upstream: SocketUpstream;
const clients: RawClient[] = [];

beforeAll(async () => {
  upstream = await SocketUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [
        { name: 'small', path: '/', upstream: 'web', accept: ['anyone'] },
        { name: 'large', path: '/large/', upstream: 'web', accept: ['anyone'], limits: { max_body: 'unlimited' } },
        { name: 'none', path: '/none/', upstream: 'web', accept: ['anyone'], limits: { max_body: '0B' } },
        { name: 'token', path: '/token/', upstream: 'web', accept: ['token'] },
        { name: 'closed', path: '/closed/', upstream: 'web', accept: ['password'] },
      ],
      limits: { max_body: '10B' },
    },
    users: { ann: 'secret' },
  });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

async function send(text: string): Promise<RawClient> {
  const client = await RawClient.connect(gateway.port);
  clients.push(client);
  client.write(text);
  return client;
}

/** Sends a request whose body fits, answers it, and gives what the upstream saw behind its head. */
async function passes(text: string, tail: string): Promise<void> {
  const number = upstream.connections.length + 1;
  const client = await send(text);
  const connection = await upstream.connection(number);
  await connection.until(tail);
  connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
  expect((await client.read()).status).toBe(200);
}

test.each([
  ['a length above the limit', '/', ['Content-Length: 11'], '12345678901'],
  ['a length above the limit, nothing sent yet', '/', ['Content-Length: 11', 'Expect: 100-continue'], ''],
  ['any length where none is taken', '/none/', ['Content-Length: 1'], 'a'],
  ['a length above the limit behind a password', '/closed/', ['Content-Length: 11', basic], ''],
])('%s gets a 413, the connection ends, and no upstream is opened', async (_name, path, fields, body) => {
  const before = upstream.connections.length;
  const client = await send(requestText('POST', path, fields) + body);
  const answer = await client.read();
  expect(answer.status).toBe(413);
  expect(answer.header('Connection')).toBe('close');
  expect(await client.ended()).toHaveLength(0);
  expect(upstream.connections).toHaveLength(before);
});

test('a visitor who may not come in is told that, and not how long a body may be', async () => {
  const client = await send(requestText('POST', '/token/', ['Content-Length: 1000']));
  expect((await client.read()).status).toBe(401);
});

test('bodies of exactly the limit pass, with a length and in chunks', async () => {
  await passes(`${requestText('POST', '/', ['Content-Length: 10'])}1234567890`, '1234567890');
  await passes(`${requestText('POST', '/', [chunked])}4\r\n1234\r\n6\r\n567890\r\n0\r\n\r\n`, '0\r\n\r\n');
  await passes(`${requestText('POST', '/none/', [chunked])}0\r\n\r\n`, '0\r\n\r\n');
});

test('a route without a limit takes what others refuse', async () => {
  await passes(`${requestText('POST', '/large/', ['Content-Length: 26'])}${'x'.repeat(25)}!`, '!');
});

test('a chunked body gets a 413 when it crosses the limit, and the upstream never sees its end', async () => {
  const number = upstream.connections.length + 1;
  const client = await send(`${requestText('POST', '/', [chunked])}6\r\n123456\r\n`);
  const connection = await upstream.connection(number);
  await connection.until('123456');
  client.write('5\r\nabcde\r\n0\r\n\r\n');
  const answer = await client.read();
  expect(answer.status).toBe(413);
  expect(answer.header('Connection')).toBe('close');
  await client.ended();
  await connection.gone();
  expect(connection.received).not.toContain('abcde');
  expect(connection.received).not.toContain('0\r\n\r\n');
});

test('a chunked body that is too long and all there at once is no whole request for the upstream', async () => {
  const number = upstream.connections.length + 1;
  const client = await send(requestText('GET', '/'));
  const connection = await upstream.connection(number);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  expect((await client.read()).status).toBe(200);
  // on the same upstream connection, which is open already and takes bytes at once
  client.write(`${requestText('POST', '/', [chunked])}6\r\n123456\r\n5\r\nabcde\r\n0\r\n\r\n`);
  expect((await client.read()).status).toBe(413);
  await connection.gone();
  expect(connection.received).not.toContain('0\r\n\r\n');
});

test('an upstream that answered before the limit was crossed: the answer is cut off', async () => {
  const number = upstream.connections.length + 1;
  const client = await send(`${requestText('POST', '/', [chunked])}6\r\n123456\r\n`);
  const connection = await upstream.connection(number);
  await connection.until('123456');
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin');
  await expect.poll(() => client.socket.bytesRead).toBeGreaterThan(0);
  client.write('5\r\nabcde\r\n0\r\n\r\n');
  expect((await client.ended()).toString('latin1')).toMatch(/begin$/);
  await connection.gone();
});

test('a refused body is one request in the metrics and one line in the log', async () => {
  const client = await send(requestText('POST', '/counted', ['Content-Length: 11']));
  expect((await client.read()).status).toBe(413);
  const lines = (await gateway.readLog('access', '/counted')).filter((line) => line.path === '/counted');
  expect(lines).toMatchObject([{ status: 413, route: 'small', hint: 'refused message: body-too-large' }]);
});
