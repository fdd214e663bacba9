// How answers are framed for the client, whatever the upstream's framing was, and which interim answers pass.
// Rules: RFC 9112 §6.3, §7.1, §9.3; RFC 9110 §15.2; RFC 8297.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;
let client: RawClient;

beforeEach(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
    },
  });
  client = await RawClient.connect(gateway.port);
});
afterEach(async () => {
  client.destroy();
  await gateway.close();
  await upstream.close();
});

/** The connection is in step: another request on it gets its own answer. */
async function expectInStep(): Promise<void> {
  client.write(requestText('GET', '/step'));
  expect((await client.read()).text).toBe('content');
}

test.each([
  ['a HEAD with a length', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', '1000'],
  ['a HEAD with chunks', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', null],
  ['a 204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', null],
  ['a 204 with a length of 0', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', null],
  ['a 304 with a length', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n', '1000'],
  ['a length of 0', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '0'],
])('%s has no body', async (_name, method, answer, length) => {
  upstream.script(answer);
  client.write(requestText(method, '/'));
  const got = await client.read(method);
  expect([got.header('Content-Length'), got.header('Transfer-Encoding'), got.body.length]).toEqual([length, null, 0]);
  await expectInStep();
});

test('a body until the end is framed by chunks, and the client keeps its connection', async () => {
  upstream.script((_request, socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end'));
  client.write(requestText('GET', '/'));
  const answer = await client.read();
  expect([answer.text, answer.header('Transfer-Encoding')]).toEqual(['until the end', 'chunked']);
  await expectInStep();
});

test('an empty body until the end is an empty body', async () => {
  upstream.script((_request, socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
  client.write(requestText('GET', '/'));
  expect((await client.read()).body).toHaveLength(0);
  await expectInStep();
});

test('chunk extensions and trailers of an answer end here', async () => {
  upstream.script(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2;a=b\r\nok\r\n0;c\r\nX-Sum: 1\r\n\r\n',
  );
  client.write(`${requestText('GET', '/')}${requestText('GET', '/', ['Connection: close'])}`);
  const raw = (await client.ended()).toString('latin1');
  expect(raw).toContain('\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n');
  expect(raw).not.toContain('X-Sum');
});

test.each([
  ['chunks', 'Transfer-Encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n'],
  ['a body until the end', '', 'ok'],
])('a 1.0 client gets %s as a body until the end', async (_name, field, body) => {
  upstream.script((_request, socket) => socket.end(`HTTP/1.1 200 OK\r\n${field}\r\n${body}`));
  client.write('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
  const raw = (await client.ended()).toString('latin1');
  expect(raw).toMatch(/\r\nConnection: close\r\n/);
  expect(raw).toMatch(/\r\n\r\nok$/);
  expect(raw).not.toMatch(/transfer-encoding/i);
});

test('a 1.0 client that asks for it keeps its connection', async () => {
  client.write('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
  expect((await client.read()).header('Connection')).toBe('keep-alive');
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  expect((await client.read()).header('Connection')).toBe('close');
  await client.ended();
});

test('a 1.0 upstream closes unless it says keep-alive', async () => {
  upstream.script('HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok');
  upstream.script('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
  for (const _turn of [1, 2, 3]) {
    client.write(requestText('GET', '/'));
    expect((await client.read()).status).toBe(200);
  }
  expect(upstream.requests.map((request) => request.connection)).toEqual([1, 1, 2]);
});

test('RFC 9110 §15.2: interim answers pass whole, but for what is between neighbours or ours to say', async () => {
  upstream.script(
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nSet-Cookie: latchkey_pass=stolen\r\nConnection: x-hop\r\n' +
      'X-Hop: 1\r\nDate: then\r\nContent-Length: 0\r\nLink: </b.js>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  );
  client.write(requestText('GET', '/'));
  const hints = await client.read();
  expect(hints.head).toBe(
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nDate: then\r\nLink: </b.js>; rel=preload',
  );
  expect((await client.read()).text).toBe('ok');
  await expectInStep();
});

test('a 100 of the upstream ends here: the client was told to go on already', async () => {
  upstream.script('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  client.write(requestText('GET', '/'));
  expect((await client.read()).status).toBe(200);
  await expectInStep();
});

test.each([
  ['102', 'HTTP/1.1 102 Processing'],
  ['103 without a link', 'HTTP/1.1 103 Early Hints\r\nX: y'],
  ['104', 'HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: 50'],
])('an interim answer %s passes', async (_name, interim) => {
  upstream.script(`${interim}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`);
  client.write(requestText('GET', '/'));
  expect((await client.read()).head).toBe(interim);
  expect((await client.read()).text).toBe('ok');
  await expectInStep();
});

test('as many interim answers pass as a long task may need, and more are no answer', async () => {
  upstream.script('HTTP/1.1 102 Processing\r\n\r\n'.repeat(100));
  client.write(requestText('GET', '/'));
  for (let count = 0; count < 64; count++) expect((await client.read()).status).toBe(102);
  expect((await client.read()).status).toBe(502);
});

test('a 1.0 client gets no interim answer', async () => {
  upstream.script('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  expect((await client.read()).status).toBe(200);
});

test('a head that comes byte by byte is read like any other', async () => {
  const answer = 'HTTP/1.1 200 OK\r\nX-Field: value\r\nContent-Length: 2\r\n\r\nok';
  upstream.script((_request, socket) => {
    const write = (at: number): void => {
      if (at < answer.length) socket.write(answer.charAt(at), () => setImmediate(write, at + 1));
    };
    write(0);
  });
  client.write(requestText('GET', '/'));
  const got = await client.read();
  expect([got.text, got.header('X-Field')]).toEqual(['ok', 'value']);
  await expectInStep();
});

test('a head of almost 32 KiB is passed on', async () => {
  const value = 'v'.repeat(31 * 1024);
  upstream.script(`HTTP/1.1 200 OK\r\nX-Field: ${value}\r\nContent-Length: 2\r\n\r\nok`);
  client.write(requestText('GET', '/'));
  const got = await client.read();
  expect([got.text, got.header('X-Field')]).toEqual(['ok', value]);
  await expectInStep();
});

test('RFC 9110 §10.1.1: an allowed upload is invited once, by us', async () => {
  upstream.script('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  client.write(requestText('POST', '/', ['Content-Length: 4', 'Expect: 100-continue']));
  expect((await client.read()).status).toBe(100);
  client.write('body');
  expect((await client.read()).status).toBe(200);
  expect(upstream.last.header('Expect')).toBeNull();
  await expectInStep();
});

test('an upload that did not wait is not invited', async () => {
  client.write(`${requestText('POST', '/', ['Content-Length: 4', 'Expect: 100-continue'])}body`);
  expect((await client.read()).status).toBe(200);
  expect(upstream.last.body.toString()).toBe('body');
});
