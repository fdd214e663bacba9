// `%2F` in a path: kept where the route says so, 400 everywhere else, and never a way into another route or scope.
// gateway/RULES.md "Path and route", Envoy CVE-2021-29492.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [
        { name: 'root', path: '/', upstream: 'web', accept: ['anyone'] },
        { name: 'api', path: '/api/', upstream: 'web', accept: ['token'], encoded_slash: 'keep' },
        { name: 'open', path: '/open/', upstream: 'web', accept: ['anyone'], encoded_slash: 'keep' },
        { name: 'admin', path: '/open/admin/', upstream: 'web', accept: ['token'], encoded_slash: 'keep' },
      ],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(target: string, fields: readonly string[] = []): Promise<RawResponse> {
  return askRaw(gateway.port, requestText('GET', target, fields));
}

test('a kept slash reaches the upstream encoded, in upper case, as policy saw it', async () => {
  expect((await ask('/open/group%2fproject?a=%2f')).status).toBe(200);
  expect(upstream.last.line).toBe('GET /open/group%2Fproject?a=%2f HTTP/1.1');
});

test.each([
  '/a%2Fb',
  '/open%2Fa',
  '/api%2Fa',
  '/open/admin%2Fa',
  '/open/admin;x%2Fa',
  '/open/..%2Fadmin/a',
  '/open/%2e%2e%2Fadmin/a',
  '/open/x%2F../admin/a',
  '/open/x%2F..%2Fadmin/a',
  '/open/%2Fadmin/a',
  '/open/a%2F%2Fb',
  '/open/a%5cb',
  '/open/a%252Fb',
  '/.latchkey%2Fjwks.json',
  '/.latchkey/jwks%2Fjson',
  '/.t%2Fx/open/a',
  '/.t/x%2Fy/open/a',
  '/.t/x/.t%2Fy/open/a',
  '/.t/x/.latchkey%2Fjwks.json',
])('%s is 400, and the upstream sees nothing', async (target) => {
  expect((await ask(target)).status).toBe(400);
  expect(upstream.requests).toEqual([]);
});

describe('a token', () => {
  test.each([
    ['/api/*', '/api/a%2Fb', 200],
    ['/api/a%2Fb', '/api/a%2fb', 200],
    ['/api/a%2F*', '/api/a%2Fb', 200],
    ['/api/*%2Fb', '/api/a%2Fb', 200],
    ['/api/*/c', '/api/a/c', 200],
    ['/api/*/c', '/api/a%2Fb/c', 403],
    ['/api/a*', '/api/a%2Fb', 403],
    ['/api/a%2F*', '/api/a%2Fb%2Fc', 403],
    ['/api/a/*', '/api/a%2Fb', 403],
    ['/api/a%2Fb', '/api/a/b', 403],
    ['/api/a/*', '/api/a/%2F..%2Fb', 400],
    ['/api/a/*', '/api/a/x%2F..%2F..%2Fb', 400],
  ])('for %s and the path %s: %i', async (pattern, target, status) => {
    const token = gateway.mint({ paths: [pattern] });
    expect((await ask(target, [`Authorization: Bearer ${token}`])).status).toBe(status);
    expect(upstream.requests).toHaveLength(status === 200 ? 1 : 0);
  });

  test('in the path form stands in front of a kept slash', async () => {
    const token = gateway.mint({ paths: ['/api/*'] });
    expect((await ask(`/.t/${token}/api/a%2Fb`)).status).toBe(200);
    expect(upstream.last.line).toBe('GET /api/a%2Fb HTTP/1.1');
  });
});

test('a gateway without such a route refuses the message itself', async () => {
  const strict = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [{ name: 'root', path: '/', upstream: 'web', accept: ['anyone'] }],
    },
  });
  const answer = await askRaw(strict.port, requestText('GET', '/a%2Fb'));
  expect([answer.status, answer.header('Connection')]).toEqual([400, 'close']);
  await strict.close();
});
