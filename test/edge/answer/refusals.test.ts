// The gateway's own answers: status, challenge, page or problem+json, and what becomes of the connection.
// gateway/RULES.md "Status", RFC 9457, RFC 6750 §3, RFC 7617 §2, RFC 9110 §9.3.2.

import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  // a port that nobody listens on
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  const bound = gone.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  await new Promise<void>((resolve) => gone.close(() => resolve()));
  gateway = await startGateway({
    users: {},
    config: {
      upstreams: { media: { servers: [upstream.url] }, gone: { servers: [`http://127.0.0.1:${port}`] } },
      routes: [
        { name: 'vod', path: '/vod/', upstream: 'media', accept: ['token'] },
        { name: 'both', path: '/both/', upstream: 'media', accept: ['token', 'password'] },
        { name: 'open', path: '/open/', upstream: 'media', accept: ['anyone'] },
        {
          name: 'slow',
          path: '/slow/',
          upstream: 'media',
          accept: ['anyone'],
          timeouts: { upstream_first_byte: '50ms' },
        },
        { name: 'gone', path: '/gone/', upstream: 'gone', accept: ['anyone'] },
      ],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(method: string, target: string, fields: readonly string[] = []): Promise<RawResponse> {
  return askRaw(gateway.port, requestText(method, target, fields));
}

function bearer(claims: object = {}): string {
  return `Authorization: Bearer ${gateway.mint(claims)}`;
}

describe('each case has its status', () => {
  test.each([
    ['no credential', '/vod/a', [], 401, ['Bearer realm="vod"']],
    ['no credential', '/both/a', [], 401, ['Basic realm="both", charset="UTF-8"', 'Bearer realm="both"']],
    ['a wrong token', '/vod/a?token=x', [], 401, ['Bearer realm="vod", error="invalid_token"']],
    [
      'a wrong token',
      '/both/a?token=x',
      [],
      401,
      ['Basic realm="both", charset="UTF-8"', 'Bearer realm="both", error="invalid_token"'],
    ],
    ['no route', '/nowhere', [], 404, []],
    ['no route', '/vod', [], 404, []],
    ['no upstream', '/gone/a', [], 502, []],
  ])('%s on %s', async (_case, target, fields, status, challenges) => {
    const answer = await ask('GET', target, fields);
    expect(answer.status).toBe(status);
    expect(answer.all('WWW-Authenticate')).toEqual(challenges);
    expect(answer.header('Content-Type')).toBe('application/problem+json');
    expect(answer.header('Cache-Control')).toBe('no-store');
    const problem: Record<string, unknown> = JSON.parse(answer.text);
    expect(problem).toMatchObject({ type: 'about:blank', status, request_id: answer.header('X-Request-Id') });
    expect(upstream.requests).toEqual([]);
  });

  test('an upstream that takes too long is 504', async () => {
    upstream.script(null);
    expect((await ask('GET', '/slow/a')).status).toBe(504);
  });

  test('an upstream that ends without an answer is 502', async () => {
    upstream.script((_request, socket) => socket.destroy());
    expect((await ask('POST', '/open/a', ['Content-Length: 0'])).status).toBe(502);
  });

  test.each([
    ['CONNECT', 'CONNECT media.example:443 HTTP/1.1\r\nHost: media.example:443\r\n\r\n', 405],
    ['CONNECT with a body', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\n\r\nabc', 405],
    ['TRACE', 'TRACE /open/a HTTP/1.1\r\nHost: a\r\n\r\n', 405],
    ['a method of 33 letters', `${'B'.repeat(33)} /open/a HTTP/1.1\r\nHost: a\r\n\r\n`, 501],
    ['another version', 'GET /open/a HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['another expectation', 'GET /open/a HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n', 417],
    ['a target of 17 KiB', `GET /open/${'a'.repeat(17 * 1024)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ['101 fields', `GET /open/a HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(100)}\r\n`, 431],
  ])('%s is answered and the connection ends', async (_what, bytes, status) => {
    const client = await RawClient.connect(gateway.port);
    client.write(bytes + requestText('GET', '/open/next'));
    const answer = await client.read();
    expect([answer.status, answer.header('Connection')]).toEqual([status, 'close']);
    expect((await client.ended()).length).toBe(0);
    expect(upstream.requests).toEqual([]);
    client.destroy();
  });
});

describe('who is asking', () => {
  test.each([
    ['a browser that navigates', ['Sec-Fetch-Mode: navigate'], 'page'],
    ['a script in a browser', ['Sec-Fetch-Mode: cors', 'Accept: text/html'], 'problem'],
    ['an old browser', ['Accept: text/html,application/xhtml+xml'], 'page'],
    ['an old browser’s script', ['Accept: text/html', 'X-Requested-With: XMLHttpRequest'], 'problem'],
    ['the same in another order', ['X-Requested-With: XMLHttpRequest', 'Accept: text/html'], 'problem'],
    ['a navigation that says more', ['X-Requested-With: app', 'Sec-Fetch-Mode: navigate'], 'page'],
    ['curl', ['Accept: */*'], 'problem'],
    ['nobody in particular', [], 'problem'],
  ])('%s gets its kind of answer', async (_who, fields, kind) => {
    for (const [target, status] of [
      ['/vod/a', 401],
      ['/nowhere', 404],
      ['/gone/a', 502],
    ] as const) {
      const answer = await ask('GET', target, fields);
      const expected = kind === 'page' ? 'text/html; charset=utf-8' : 'application/problem+json';
      expect([answer.status, answer.header('Content-Type')]).toEqual([status, expected]);
      if (kind === 'page') {
        expect(answer.text).toMatch(/^<!doctype html>[\s\S]*<h1>[\s\S]*<\/html>\n$/);
        // for people: what happened and what to do, in no word of ours
        const words = answer.text.replace(/[\s\S]*<main>|<[^>]+>/g, '');
        expect(words).not.toMatch(
          /\b(token|session|credential|gateway|upstream|route|unauthorized|forbidden|40\d|50\d)\b/i,
        );
        expect(words).toContain(answer.header('X-Request-Id'));
        expect(answer.text.length).toBeLessThan(1800);
      } else expect(JSON.parse(answer.text)).toMatchObject({ status });
    }
  });
});

describe('HEAD', () => {
  test('is answered without a body, and the connection goes on', async () => {
    const client = await RawClient.connect(gateway.port);
    for (const [target, status] of [
      ['/vod/a', 401],
      ['/nowhere', 404],
      ['/gone/a', 502],
    ] as const) {
      client.write(requestText('HEAD', target));
      const head = await client.read('HEAD');
      expect(head.status).toBe(status);
      expect(Number(head.header('Content-Length'))).toBeGreaterThan(50);
    }
    client.write(requestText('GET', '/open/a'));
    expect((await client.read()).text).toBe('content');
    client.destroy();
  });

  test('with a path that has no canonical form gets no body either', async () => {
    const client = await RawClient.connect(gateway.port);
    client.write(requestText('HEAD', '/vod/../a'));
    expect((await client.read('HEAD')).status).toBe(400);
    expect((await client.ended()).toString('latin1')).toBe('');
    client.destroy();
  });
});

describe('the connection after a refusal', () => {
  test('goes on when nothing is left unread', async () => {
    const client = await RawClient.connect(gateway.port);
    client.write(requestText('GET', '/vod/a') + requestText('GET', '/vod/a', [bearer()]));
    expect([(await client.read()).status, (await client.read()).status]).toEqual([401, 200]);
    client.destroy();
  });

  test('ends when a body is unread: a request inside it is never seen', async () => {
    const inner = requestText('GET', '/open/smuggled');
    for (const framing of [`Content-Length: ${inner.length}`, 'Transfer-Encoding: chunked']) {
      const client = await RawClient.connect(gateway.port);
      const body = framing.startsWith('C') ? inner : `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
      client.write(requestText('POST', '/vod/a', [framing]) + body + requestText('GET', '/open/next'));
      const answer = await client.read();
      expect([answer.status, answer.header('Connection')]).toEqual([401, 'close']);
      expect((await client.ended()).length).toBe(0);
      client.destroy();
    }
    expect(upstream.requests).toEqual([]);
  });

  test('an expectation of 100 is not met for a refused request', async () => {
    const client = await RawClient.connect(gateway.port);
    client.write(requestText('PUT', '/vod/a', ['Expect: 100-continue', 'Content-Length: 5']));
    const answer = await client.read();
    expect([answer.status, answer.header('Connection')]).toEqual([401, 'close']);
    client.destroy();
  });

  test('an HTTP/1.0 client is told whether it stays', async () => {
    const client = await RawClient.connect(gateway.port);
    client.write('GET /vod/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect((await client.read()).header('Connection')).toBe('keep-alive');
    client.write('GET /vod/a HTTP/1.0\r\n\r\n');
    expect((await client.read()).header('Connection')).toBe('close');
    await client.ended();
    client.destroy();
  });
});

describe('what the logs say', () => {
  test('a refusal is logged with its reason and its check, and without the token', async () => {
    const token = gateway.mint({ paths: ['/vod/else/*'] });
    await ask('GET', `/vod/logged-refusal?token=${token}`);
    const lines = await gateway.readLog('decisions', '/vod/logged-refusal');
    const line = lines.find(({ path }) => path === '/vod/logged-refusal');
    expect(line).toMatchObject({ decision: 'deny:outside-path', status: 403, route: 'vod' });
    expect(String(line?.token)).toHaveLength(8);
    for (const part of token.split('.')) expect(JSON.stringify(lines) + gateway.said()).not.toContain(part);
  });
});

describe('a playlist that loses its token', () => {
  const player = (name: string) => [`User-Agent: ${name}`];
  const hintOf = async (path: string) =>
    (await gateway.readLog('access', path)).findLast((line) => line.path === path)?.hint;
  const counted = async () =>
    Number(/^latchkey_lost_tokens_total\{route="vod"\} (\d+)/m.exec(await gateway.scrape())?.[1]);

  test('is counted and hinted for the query form', async () => {
    const before = await counted();
    await ask('GET', `/vod/a.m3u8?token=${gateway.mint()}`, player('p1'));
    await ask('GET', '/vod/query-1.ts', player('p1'));
    expect(await hintOf('/vod/query-1.ts')).toMatch(/--in path/);
    expect(await counted()).toBe(before + 1);
  });

  test('is counted and hinted for absolute paths under the path form', async () => {
    const before = await counted();
    await ask('GET', `/.t/${gateway.mint()}/vod/a.m3u8`, player('p2'));
    await ask('GET', '/vod/path-1.ts', player('p2'));
    expect(await hintOf('/vod/path-1.ts')).toMatch(/relative URLs/);
    expect(await counted()).toBe(before + 1);
  });

  test('is nothing of the kind for another player, a bearer token, or a wrong token', async () => {
    const before = await counted();
    await ask('GET', '/vod/a.m3u8', [...player('p3'), bearer()]);
    await ask('GET', '/vod/bearer-1.ts', player('p3'));
    await ask('GET', `/vod/a.m3u8?token=${gateway.mint()}`, player('p4'));
    await ask('GET', '/vod/other-1.ts', player('p5'));
    await ask('GET', '/vod/wrong-1.ts?token=x', player('p4'));
    expect(await counted()).toBe(before);
    expect(await hintOf('/vod/wrong-1.ts')).toBeUndefined();
  });
});
