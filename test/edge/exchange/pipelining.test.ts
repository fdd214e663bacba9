// Requests that a client sends before their answers came: answered one by one, in order, whatever each of them is.
// The first bytes of a request never depend on what came before it on the connection. Rules: RFC 9112 §9.3.2.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { onAccepted } from '../../support/clients/accepted-sockets.ts';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const basic = (password: string) => `Authorization: Basic ${Buffer.from(`ann:${password}`).toString('base64')}`;
let gateway: TestGateway;
let upstream: RecordingUpstream;
let client: RawClient;

beforeEach(async () => {
  upstream = await RecordingUpstream.start();
  upstream.fallback = (request, socket) => socket.write(okAnswer(`${request.line.split(' ')[1]} ${request.body}`));
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [
        { name: 'all', path: '/', upstream: 'web', accept: ['anyone'] },
        { name: 'closed', path: '/closed/', upstream: 'web', accept: ['token', 'password'] },
      ],
    },
    users: { ann: 'secret' },
  });
  client = await RawClient.connect(gateway.port);
});
afterEach(async () => {
  client.destroy();
  await gateway.close();
  await upstream.close();
});

async function expectTexts(texts: readonly string[]): Promise<void> {
  const got: string[] = [];
  for (const _text of texts) got.push((await client.read()).text);
  expect(got).toEqual(texts);
}

async function expectPaths(paths: readonly string[]): Promise<void> {
  const got: string[] = [];
  for (const _path of paths) got.push((await client.read()).text.split(' ')[0] ?? '');
  expect(got).toEqual(paths);
}

test('64 KiB of requests in one write are answered in order', async () => {
  const paths = Array.from({ length: 1500 }, (_, index) => `/${index}`);
  const text = paths.map((path) => requestText('GET', path)).join('');
  expect(text.length).toBeGreaterThan(60 * 1024);
  client.write(text);
  await expectPaths(paths);
  // the connection is idle again before the next request is looked at
  expect(upstream.connections).toBe(1);
});

test('bodies between pipelined requests belong to their own request', async () => {
  client.write(
    `${requestText('POST', '/1', ['Content-Length: 3'])}abc${requestText('GET', '/2')}` +
      `${requestText('POST', '/3', ['Transfer-Encoding: chunked'])}3;x=y\r\ndef\r\n0\r\nX: y\r\n\r\n${requestText('GET', '/4')}`,
  );
  await expectTexts(['/1 abc', '/2 ', '/3 3\r\ndef\r\n0\r\n\r\n', '/4 ']);
});

test('requests cut anywhere are the same requests', async () => {
  const text = `${requestText('GET', '/1') + requestText('POST', '/2', ['Content-Length: 2'])}ab${requestText('GET', '/3')}`;
  for (let cut = 1; cut < text.length; cut += 7) {
    client.write(text.slice(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    client.write(text.slice(cut));
    await expectPaths(['/1', '/2', '/3']);
  }
});

test('refused and allowed requests are answered in order', async () => {
  client.write(
    requestText('GET', '/1') +
      requestText('GET', '/closed/2') +
      requestText('GET', '/3') +
      requestText('GET', '/closed/4'),
  );
  const statuses: number[] = [];
  for (let count = 0; count < 4; count++) statuses.push((await client.read()).status);
  expect(statuses).toEqual([200, 401, 200, 401]);
  expect(upstream.requests).toHaveLength(2);
});

test('a refused request with a body ends the connection, and nothing behind it is read', async () => {
  client.write(`${requestText('POST', '/closed/', ['Content-Length: 5'])}12345${requestText('GET', '/behind')}`);
  const answer = await client.read();
  expect([answer.status, answer.header('Connection')]).toEqual([401, 'close']);
  expect(await client.ended()).toHaveLength(0);
  expect(upstream.requests).toHaveLength(0);
});

test('a broken request behind a good one is answered after it, and ends the connection', async () => {
  client.write(`${requestText('GET', '/1')}GET /2 HTTP/1.1\r\nHost : a\r\n\r\n${requestText('GET', '/3')}`);
  expect((await client.read()).text).toBe('/1 ');
  expect((await client.read()).status).toBe(400);
  expect(await client.ended()).toHaveLength(0);
  expect(upstream.requests).toHaveLength(1);
});

test('requests behind one that waits for a password are answered after it', async () => {
  client.write(
    requestText('GET', '/closed/1', [basic('secret')]) +
      requestText('GET', '/2') +
      requestText('GET', '/closed/3', [basic('wrong')]) +
      requestText('GET', '/4'),
  );
  expect((await client.read()).text).toBe('/closed/1 ');
  expect((await client.read()).text).toBe('/2 ');
  expect((await client.read()).status).toBe(401);
  expect((await client.read()).text).toBe('/4 ');
});

test('an answer that the client did not take yet does not let a later request overtake a password check', async () => {
  client.destroy();
  // the first answer is stuck behind bytes that the client has not taken
  const earlier = 'HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n'.padEnd(8_000_044, '.');
  let given = () => 0;
  const stop = onAccepted(gateway.port, (socket) => {
    socket.write(earlier);
    given = () => socket.bytesWritten;
  });
  client = await RawClient.connect(gateway.port);
  stop();
  client.socket.pause();
  client.write(
    requestText('GET', '/closed/1', [basic('wrong')]) +
      requestText('GET', '/closed/2', [basic('wrong')]) +
      requestText('GET', '/3'),
  );
  // other people's checks stand between the first and the second one
  await expect.poll(() => gateway.metrics.bytesIn, { interval: 1 }).toBeGreaterThan(0);
  const others = await Promise.all(Array.from({ length: 6 }, () => RawClient.connect(gateway.port)));
  for (const other of others) other.write(requestText('GET', '/closed/other', [basic('wrong')]));
  // the first password is refused, the second one has been asked about
  await expect.poll(given, { interval: 1 }).toBeGreaterThan(earlier.length);
  // read without keeping, so that the checks take longer than the earlier bytes
  let tail = '';
  client.socket.removeAllListeners('data');
  client.socket.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString('latin1')).slice(-4000);
  });
  client.socket.resume();
  await expect.poll(() => tail).toContain('/3 ');
  await expect.poll(() => tail.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 401', 'HTTP/1.1 200']);
  for (const other of others) other.destroy();
});

test('an upload that waits for a password check is invited and forwarded', async () => {
  client.write(requestText('POST', '/closed/', ['Content-Length: 4', 'Expect: 100-continue', basic('secret')]));
  expect((await client.read()).status).toBe(100);
  client.write('body');
  expect((await client.read()).text).toBe('/closed/ body');
});

test('an upload that came while its password was checked is forwarded, and so is what stands behind it', async () => {
  client.write(
    `${requestText('POST', '/closed/', ['Content-Length: 4', 'Expect: 100-continue', basic('secret')])}body${requestText('GET', '/2')}`,
  );
  await expectTexts(['/closed/ body', '/2 ']);
});

test('an upload behind a wrong password is not invited', async () => {
  client.write(requestText('POST', '/closed/', ['Content-Length: 4', 'Expect: 100-continue', basic('wrong')]));
  expect((await client.read()).status).toBe(401);
  expect(await client.ended()).toHaveLength(0);
});

test('a client that leaves while its password is checked costs nothing further', async () => {
  client.write(requestText('GET', '/closed/1', [basic('secret')]));
  client.destroy();
  const next = await RawClient.connect(gateway.port);
  next.write(requestText('GET', '/closed/2', [basic('secret')]));
  expect((await next.read()).status).toBe(200);
  next.destroy();
  expect(upstream.requests.map((request) => request.line)).not.toContain('GET /closed/1 HTTP/1.1');
});
