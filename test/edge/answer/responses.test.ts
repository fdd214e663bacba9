// What a client gets of an upstream's answer: byte for byte but for what only the gateway may say or decide.
// gateway/RULES.md "Where a credential may stand" (path form) and "Headers", RFC 9110 §7.6.1 and §7.6.3.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;
let token: string;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { media: { servers: [upstream.url] } },
      routes: [
        { name: 'vod', path: '/vod/', upstream: 'media', accept: ['token'] },
        { name: 'open', path: '/open/', upstream: 'media', accept: ['anyone'] },
      ],
    },
  });
  token = gateway.mint();
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(method: string, target: string, fields: readonly string[] = []): Promise<RawResponse> {
  return askRaw(gateway.port, requestText(method, target, fields));
}

/** The head of an answer with its request id replaced. */
function headOf(answer: RawResponse): string[] {
  return answer.head.replace(/(\r\nX-Request-Id: )[^\r]+/, '$1ID').split('\r\n');
}

describe('the head', () => {
  test('is the upstream’s, byte for byte, with a request id and Via', async () => {
    upstream.fallback =
      'HTTP/1.1 206 Some of it\r\nX-A:  1 \r\nContent-Length: 2\r\nset-cookie: a=1; Path=/\r\nETag: "\xe9"\r\nX_odd.name: x\r\n\r\nok';
    const answer = await ask('GET', '/open/a');
    expect(headOf(answer)).toEqual([
      'HTTP/1.1 206 Some of it',
      'X-A:  1 ',
      'Content-Length: 2',
      'set-cookie: a=1; Path=/',
      'ETag: "\xe9"',
      'X_odd.name: x',
      'X-Request-Id: ID',
      'Via: 1.1 latchkey',
    ]);
    expect(answer.text).toBe('ok');
  });

  test('never carries a cookie with one of our names, or a field that only the gateway says', async () => {
    upstream.fallback = okAnswer('ok', [
      'Set-Cookie: latchkey_pass=evil; Path=/',
      'Set-Cookie: a=1',
      'SET-COOKIE:  __Host-latchkey = evil; Secure',
      'Set-Cookie: __Host-latchkey_device=evil',
      'Set-Cookie: latchkey_flow',
      'Set-Cookie: __Host-latchkey_share=evil',
      'Set-Cookie: latchkey_passport=kept',
      'Latchkey-Token: evil',
      'X-Request-Id: evil',
    ]);
    const answer = await ask('GET', '/open/a');
    expect(answer.all('Set-Cookie')).toEqual(['a=1', 'latchkey_passport=kept']);
    expect(answer.head).not.toContain('evil');
  });

  test('loses hop-by-hop fields and what Connection names, and keeps its framing', async () => {
    upstream.fallback = okAnswer('ok', [
      'Connection: keep-alive, X-Secret',
      'X-Secret: 1',
      'Keep-Alive: timeout=5',
      'Proxy-Authenticate: Basic',
      'Trailer: X-Later',
      'Upgrade: h2c',
      'X-Kept: 1',
    ]);
    const answer = await ask('GET', '/open/a');
    expect(headOf(answer)).toEqual([
      'HTTP/1.1 200 OK',
      'Content-Length: 2',
      'X-Kept: 1',
      'X-Request-Id: ID',
      'Via: 1.1 latchkey',
    ]);
  });

  test('with a missing reason or version 1.0 becomes a sound one', async () => {
    upstream.script('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n');
    expect((await ask('GET', '/open/a')).head).toMatch(/^HTTP\/1\.1 200 \r\n/);
    upstream.script('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n');
    const old = await ask('GET', '/open/a');
    expect(old.head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(old.header('Via')).toBe('1.0 latchkey');
  });

  test.each([
    ['a bare CR in a value', 'HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n'],
    ['a bare LF at a line’s end', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
    ['a blank before a framing field’s colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nX: a\0\r\nContent-Length: 0\r\n\r\n'],
    ['101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
  ])('with %s is 502, and its connection is used no more', async (_what, bytes) => {
    upstream.script(bytes);
    const answer = await ask('GET', '/open/a');
    expect(answer.status).toBe(502);
    const before = upstream.last.connection;
    expect((await ask('GET', '/open/b')).status).toBe(200);
    expect(upstream.last.connection).not.toBe(before);
  });

  test('of an interim answer says no more than that of a final one', async () => {
    upstream.fallback =
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nSet-Cookie: latchkey_pass=evil; Path=/\r\n' +
      'Connection: X-Hop\r\nX-Hop: 1\r\nLatchkey-Token: evil\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const client = await RawClient.connect(gateway.port);
    client.write(requestText('GET', '/open/a'));
    const early = await client.read();
    expect([early.status, early.header('Link')]).toEqual([103, '</a.css>; rel=preload']);
    expect(early.head).not.toMatch(/evil|hop/i);
    expect((await client.read()).text).toBe('ok');
    client.destroy();
  });
});

describe('the answer to a path form', () => {
  test('says that its address must not leak, whatever the upstream says', async () => {
    upstream.fallback = okAnswer('ok', ['Referrer-Policy: unsafe-url']);
    expect((await ask('GET', `/.t/${token}/vod/a`)).all('Referrer-Policy')).toEqual(['no-referrer']);
    expect((await ask('GET', '/open/a')).all('Referrer-Policy')).toEqual(['unsafe-url']);
  });

  test('says so when it is a refusal or an error as well', async () => {
    expect((await ask('GET', `/.t/${token}x/vod/a`)).header('Referrer-Policy')).toBe('no-referrer');
    expect((await ask('GET', `/.t/${token}/nowhere`)).header('Referrer-Policy')).toBe('no-referrer');
    expect((await ask('GET', `/.t/${token}`)).header('Referrer-Policy')).toBe('no-referrer');
    upstream.script('nonsense\r\n\r\n');
    expect((await ask('GET', `/.t/${token}/vod/a`)).header('Referrer-Policy')).toBe('no-referrer');
  });

  test.each([
    ['/vod/b.m3u8?x=1', 'PREFIX/vod/b.m3u8?x=1'],
    ['http://media.example/vod/b', 'http://media.example' + 'PREFIX/vod/b'],
    ['HTTPS://MEDIA.example', 'http://media.example' + 'PREFIX/'],
    ['HTTP://MEDIA.example', 'HTTP://MEDIA.example' + 'PREFIX/'],
    ['http://media.example?x', 'http://media.example' + 'PREFIX/?x'],
    ['b.m3u8', 'b.m3u8'],
    ['../c/b.m3u8', '../c/b.m3u8'],
    ['?x=1', '?x=1'],
    ['//cdn.example/vod/b', '//cdn.example/vod/b'],
    ['//media.example/vod/b', '//media.examplePREFIX/vod/b'],
    ['http://cdn.example/vod/b', 'http://cdn.example/vod/b'],
    ['http://media.example.evil/vod/b', 'http://media.example.evil/vod/b'],
    ['http://media.example@evil/vod/b', 'http://media.example@evil/vod/b'],
    ['/\\evil.example/vod/b', '/\\evil.example/vod/b'],
    ['PREFIX/vod/b', 'PREFIX/vod/b'],
  ])('Location: %s', async (sent, got) => {
    const prefix = `/.t/${token}`;
    upstream.fallback = `HTTP/1.1 302 Found\r\nLocation: ${sent.replace('PREFIX', prefix)}\r\nContent-Length: 0\r\n\r\n`;
    expect((await ask('GET', `${prefix}/vod/a`)).header('Location')).toBe(got.replace('PREFIX', prefix));
    upstream.clear();
    upstream.fallback = 'HTTP/1.1 302 Found\r\nLocation: /vod/b\r\nContent-Length: 0\r\n\r\n';
    expect((await ask('GET', `/vod/a?token=${token}`)).header('Location')).toBe('/vod/b');
  });
});

describe('pipelined requests', () => {
  test('on one connection are each decided from scratch, and answered in order', async () => {
    const other = gateway.mint({ sub: 'other', paths: ['/vod/b'] });
    const client = await RawClient.connect(gateway.port);
    client.write(
      requestText('GET', '/vod/a', [`Authorization: Bearer ${token}`]) +
        requestText('GET', '/vod/a') +
        requestText('GET', '/vod/a', [`Authorization: Bearer ${other}`]) +
        requestText('GET', '/vod/b', [`Authorization: Bearer ${other}`, 'Host: other.example']) +
        requestText('GET', '/nowhere', [`Authorization: Bearer ${token}`]) +
        requestText('GET', '/open/a'),
    );
    const statuses: number[] = [];
    for (let index = 0; index < 6; index++) statuses.push((await client.read()).status);
    expect(statuses).toEqual([200, 401, 403, 200, 404, 200]);
    expect(upstream.requests.map((seen) => [seen.line, seen.header('X-Forwarded-User')])).toEqual([
      ['GET /vod/a HTTP/1.1', 'user-1'],
      ['GET /vod/b HTTP/1.1', 'other'],
      ['GET /open/a HTTP/1.1', null],
    ]);
    client.destroy();
  });
});
