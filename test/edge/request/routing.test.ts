// Which route a request meets: the host decides first, then the longest path, with no fall-back to another group.
// gateway/RULES.md "Reserved paths".

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
const upstreams: RecordingUpstream[] = [];

/** One upstream per route, so that who answers says which route it was. */
const addresses = {
  any: [null, '/'],
  vod: [null, '/vod/'],
  deep: [null, '/vod/kids/'],
  exact: [null, '/vod/kids/one.mp4'],
  wild: ['*.example.org', '/w/'],
  named: ['a.example.org', '/n/'],
  literal: ['[2001:db8::1]', '/'],
} as const;

beforeAll(async () => {
  const servers: Record<string, { servers: string[] }> = {};
  for (const name of Object.keys(addresses)) {
    const upstream = await RecordingUpstream.start();
    upstream.fallback = okAnswer(name);
    upstreams.push(upstream);
    servers[name] = { servers: [upstream.url] };
  }
  gateway = await startGateway({
    config: {
      upstreams: servers,
      routes: Object.entries(addresses).map(([name, [host, path]]) => ({
        name,
        path,
        upstream: name,
        accept: ['anyone' as const],
        ...(host === null ? {} : { host }),
      })),
    },
  });
});
afterAll(async () => {
  await gateway.close();
  for (const upstream of upstreams) await upstream.close();
});
beforeEach(() => {
  for (const upstream of upstreams) upstream.requests.length = 0;
});

function ask(host: string, target: string): Promise<RawResponse> {
  return askRaw(gateway.port, requestText('GET', target, [`Host: ${host}`]));
}

test.each([
  ['x.example', '/', 'any'],
  ['x.example', '/other', 'any'],
  ['x.example', '/vod', 'any'],
  ['x.example', '/vodka/', 'any'],
  ['x.example', '/vod/', 'vod'],
  ['x.example', '/vod/a/b/c', 'vod'],
  ['x.example', '/vod/kids', 'vod'],
  ['x.example', '/vod/kids/', 'deep'],
  ['x.example', '/vod/kids/one.mp4', 'exact'],
  ['x.example', '/vod/kids/one.mp4/', 'deep'],
  ['x.example', '/VOD/a', 'any'],
  ['b.example.org', '/w/a', 'wild'],
  ['c.b.example.org', '/w/a', 'wild'],
  ['B.EXAMPLE.ORG:8080', '/w/a', 'wild'],
  ['b.example.org.', '/w/a', 'wild'],
  ['a.example.org', '/n/a', 'named'],
  ['A.Example.Org:1', '/n/a', 'named'],
  ['example.org', '/w/a', 'any'],
  ['xexample.org', '/w/a', 'any'],
  ['[2001:DB8:0::1]:8080', '/a', 'literal'],
  ['127.0.0.1:9', '/a', 'any'],
])('Host %s and %s meet the route %s', async (host, target, name) => {
  const answer = await ask(host, target);
  expect([answer.status, answer.text]).toEqual([200, name]);
});

test.each([
  ['a.example.org', '/w/a', 'a wildcard is no second chance for a named host'],
  ['a.example.org', '/', 'nor are routes without a host'],
  ['b.example.org', '/vod/a', 'nor for a host below a wildcard'],
])('Host %s and %s is 404: %s', async (host, target) => {
  expect((await ask(host, target)).status).toBe(404);
  expect(upstreams.flatMap(({ requests }) => requests)).toEqual([]);
});

test.each([
  'a@b',
  'a/b',
  'a?b',
  'a b',
  'a,b',
  'a:',
  'a:0',
  'a:65536',
  'a:1:2',
  '.',
  '..',
  'a..b',
  '.a',
  '[::1',
  '[::g]',
  '[fe80::1%25eth0]',
  'ex%61mple',
  'ex\xe4mple',
])('Host %s is 400', async (host) => {
  const answer = await ask(host, '/vod/a');
  expect([answer.status, answer.header('Connection')]).toEqual([400, 'close']);
  expect(upstreams.flatMap(({ requests }) => requests)).toEqual([]);
});

test.each([
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
  ['no host', 'GET / HTTP/1.1\r\n\r\n'],
  ['an empty host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['an absolute target of another scheme', 'GET https://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n'],
  ['an absolute target with user info', 'GET http://u@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n'],
  ['an authority as the target', 'GET a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n'],
  ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n'],
])('%s is 400', async (_what, bytes) => {
  expect((await askRaw(gateway.port, bytes)).status).toBe(400);
  expect(upstreams.flatMap(({ requests }) => requests)).toEqual([]);
});

test('RFC 9112 §3.2.2: an absolute target decides on the host, and the site hears of no other', async () => {
  const bytes = 'GET http://a.example.org:8080/n/x HTTP/1.1\r\nX-First: 1\r\nHost: b.example\r\n\r\n';
  expect((await askRaw(gateway.port, bytes)).text).toBe('named');
  const seen = upstreams.flatMap(({ requests }) => requests);
  expect(seen.map(({ line }) => line)).toEqual(['GET /n/x HTTP/1.1']);
  expect(seen[0]?.all('Host')).toEqual(['a.example.org:8080']);
  expect(seen[0]?.all('X-Forwarded-Host')).toEqual(['a.example.org:8080']);
});

test('an absolute target of the same host is forwarded in origin form', async () => {
  const answer = await askRaw(gateway.port, requestText('GET', 'http://A.example/vod/a?x=1', ['Host: a.EXAMPLE']));
  expect(answer.text).toBe('vod');
  expect(upstreams[1]?.last.line).toBe('GET /vod/a?x=1 HTTP/1.1');
});

test('a second request on a connection is routed from scratch', async () => {
  const client = await RawClient.connect(gateway.port);
  for (const [host, target, name] of [
    ['b.example.org', '/w/a', 'wild'],
    ['a.example.org', '/n/a', 'named'],
    ['x.example', '/vod/a', 'vod'],
    ['b.example.org', '/w/a', 'wild'],
  ] as const) {
    client.write(requestText('GET', target, [`Host: ${host}`]));
    expect((await client.read()).text).toBe(name);
  }
  client.destroy();
});

test('the reserved prefix is latchkey’s on every host it knows, and nothing else of control is behind it', async () => {
  expect((await ask('x.example', '/.latchkey/jwks.json')).status).toBe(200);
  for (const path of [
    '/.latchkey/',
    '/.latchkey/metrics',
    '/.latchkey/feed',
    '/.latchkey/password',
    '/.latchkey/livez',
  ]) {
    expect(`${path} ${(await ask('x.example', path)).status}`).toBe(`${path} 404`);
  }
  expect(upstreams.flatMap(({ requests }) => requests)).toEqual([]);
});

test('an upstream’s own /.well-known/ stays visible', async () => {
  expect((await ask('x.example', '/.well-known/jwks.json')).text).toBe('any');
});
