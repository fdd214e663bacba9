// What a route's `paths` and `methods` let through, and what the site then sees; and what no setting lets through.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { askRaw, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  const route = (name: string, rest: object = {}) => ({
    name,
    path: `/${name}/`,
    upstream: 'web',
    accept: ['anyone' as const],
    ...rest,
  });
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [
        route('strict'),
        route('merge', { paths: 'merge' }),
        route('redirect', { paths: 'redirect' }),
        route('keep', { paths: { not_utf8: 'keep', encoded_percent: 'keep', raw_utf8: 'encode' } }),
        route('vod', { paths: 'merge', accept: ['token'] }),
        route('inner', { path: '/merge/inner/', accept: ['token'] }),
        route('secret', { path: '/keep/admin/', accept: ['token'] }),
        route('few', { methods: ['GET', 'PROPFIND'] }),
      ],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(target: string, method = 'GET', fields: readonly string[] = []): Promise<RawResponse> {
  return askRaw(gateway.port, requestText(method, target, fields));
}

const lines = () => upstream.requests.map(({ line }) => line);

test.each([
  ['/merge//a', '/merge/a'],
  ['//merge/a', '/merge/a'],
  ['/merge/./a', '/merge/a'],
  ['/merge/%2e/a//', '/merge/a/'],
  ['/merge/a/.', '/merge/a/'],
  ['/.//merge///a?x=//y', '/merge/a?x=//y'],
  ['/keep/%FC', '/keep/%FC'],
  ['/keep/%fc%80x', '/keep/%FC%80x'],
  ['/keep/%2541', '/keep/%2541'],
  ['/keep/%61%2541', '/keep/a%2541'],
  ['/keep/\xc3\xbc', '/keep/%C3%BC'],
])('%s reaches the site as %s', async (target, seen) => {
  expect([(await ask(target)).status, lines()]).toEqual([200, [`GET ${seen} HTTP/1.1`]]);
});

test('queries reach the site byte by byte: quotes, angle brackets, raw UTF-8', async () => {
  for (const query of ['?q="x"', '?<x>', '?\xc3\xbc=\xe2\x82\xac', "?{}|^`[]'\\", '?a=//./..;%2e%zz%FC%2541']) {
    expect((await ask(`/strict/a${query}`)).status).toBe(200);
    expect(upstream.last.line).toBe(`GET /strict/a${query} HTTP/1.1`);
  }
});

test.each([
  '/strict//a',
  '//strict/a',
  '/strict/./a',
  '/strict/%FC',
  '/strict/%2541',
  '/strict/\xc3\xbc',
  '/merge/%FC',
  '/merge/%2541',
  '/keep//a',
  // a folder with a stricter route inside, in spellings that lead there
  '/keep/%2561dmin/a',
  '/keep/%2525%36%31dmin/a',
  '/keep/x/%252e%252e/admin/a',
  '/keep/%252fadmin/a',
  '/keep/..%c0%afadmin/a',
  '/keep/%c0%ae%c0%ae/admin/a',
  '/keep/%e0%80%ae/a',
  '/keep/%f0%80%80%af',
  // never, whatever a route says
  '/merge/../strict/a',
  '/merge//../strict/a',
  '/merge/..;/strict/a',
  '/merge/%2e%2e/a',
  '/merge/a\\b',
  '/keep/%00',
  '/keep/%5c',
  '//.latchkey/jwks.json',
  '/.latchkey//jwks.json',
  '/./.latchkey/jwks.json',
])('%s is 400, and the site hears nothing', async (target) => {
  expect([(await ask(target)).status, lines()]).toEqual([400, []]);
});

test.each([
  ['/redirect//a', '/redirect/a'],
  ['//redirect/./a?x="//', '/redirect/a?x=%22//'],
  ['///redirect//', '/redirect/'],
])('%s is led to %s', async (target, location) => {
  for (const method of ['GET', 'HEAD']) {
    const answer = await ask(target, method);
    expect([answer.status, answer.header('Location'), lines()]).toEqual([308, location, []]);
  }
  expect([(await ask(target, 'POST')).status, lines()]).toEqual([400, []]);
});

test('a merged path is what routes and tokens are compared with', async () => {
  // another route, which merges nothing
  expect((await ask('/merge//inner/a')).status).toBe(400);
  const token = gateway.mint({ paths: ['/vod/a/*'] });
  const bearer = [`Authorization: Bearer ${token}`];
  expect((await ask('/vod//a/./x', 'GET', bearer)).status).toBe(200);
  expect((await ask('/vod//b/x', 'GET', bearer)).status).toBe(403);
  expect((await ask(`//.t/${token}//vod/a//x`)).status).toBe(200);
  expect(lines()).toEqual(['GET /vod/a/x HTTP/1.1', 'GET /vod/a/x HTTP/1.1']);
});

test('the log names the setting that would take such a path', async () => {
  await ask('/strict//hint');
  const decisions = await gateway.readLog('decisions', '/strict/hint');
  expect(JSON.stringify(decisions.at(-1))).toContain('paths: merge');
});

test('RFC 9110 §15.5.6: a method that the route does not name is 405, with those that it does', async () => {
  for (const method of ['POST', 'DELETE', 'get', 'BREW']) {
    const answer = await ask('/few/a', method);
    expect([answer.status, answer.header('Allow')]).toEqual([405, 'GET, PROPFIND, HEAD']);
  }
  expect(lines()).toEqual([]);
  for (const method of ['GET', 'HEAD', 'PROPFIND']) expect((await ask('/few/a', method)).status).toBe(200);
});

test('a method in a field never arrives where the route has methods', async () => {
  await ask('/few/a', 'PROPFIND', ['X-HTTP-Method-Override: DELETE']);
  expect(upstream.last.header('X-HTTP-Method-Override')).toBe(null);
  await ask('/strict/a', 'POST', ['X-HTTP-Method-Override: DELETE']);
  expect(upstream.last.header('X-HTTP-Method-Override')).toBe('DELETE');
});

test('RFC 9110 §9.1: methods nobody here knows pass as they came', async () => {
  for (const method of ['QUERY', 'SUBSCRIBE', 'PURGE', 'BREW', 'get']) {
    expect((await ask('/strict/a', method)).status).toBe(200);
    expect(upstream.last.line).toBe(`${method} /strict/a HTTP/1.1`);
  }
});

test('our own pages are asked with the query encoded: the server behind them takes no raw letters', async () => {
  const answer = await ask('/.latchkey/jwks.json?q=\xc3\xbc"<>');
  expect(answer.status).toBe(200);
});
