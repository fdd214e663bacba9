// One path, one meaning: what rules see is what the upstream gets, and what could be read in two ways gets nowhere.
// gateway/RULES.md "Path and route": Oathkeeper CVE-2026-33494, Envoy CVE-2021-29492, Caddy CVE-2026-52844, oauth2-proxy CVE-2026-41059.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { askRaw, RawClient, requestText } from '../../support/clients/raw-client.ts';
import { forwardedHead, seenHead } from '../../support/peers/forwarded-head.ts';
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
        { name: 'public', path: '/public/', upstream: 'web', accept: ['anyone'] },
        { name: 'admin', path: '/admin/', upstream: 'web', accept: ['token'] },
      ],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

test.each([
  '/public/../admin/a',
  '/public/%2e%2e/admin/a',
  '/public/%2E./admin/a',
  '/public/.%2e/admin/a',
  '/public/..;/admin/a',
  '/public/..;x=1/admin/a',
  '/public/..%3b/admin/a',
  '/public/./a',
  '/public/%2e/a',
  '/public/..',
  '/public/a/..',
  '/public//a',
  '//public/a',
  '/public/%2fadmin/a',
  '/public/..%2fadmin/a',
  '/public%2Fa',
  '/public/..%5cadmin/a',
  '/public/..\\admin/a',
  '/public\\..\\admin/a',
  '/public/%00',
  '/public/a%0d%0aX-Injected:%201',
  '/public/%7f',
  '/public/%c0%ae%c0%ae/admin/a',
  '/public/%c0%af',
  '/public/%e0%80%af',
  '/public/%ed%a0%80',
  '/public/%f4%90%80%80',
  '/public/%ff',
  '/public/%252e%252e/admin/a',
  '/public/%25%32%66admin',
  '/public/%252f',
  '/public/%',
  '/public/%2',
  '/public/%zz',
  '/public/%u002e',
  '/public/a#/../admin',
  '/public/a\x01',
  '/public/\xc3\xa4',
  '/public/"',
  '/public/<a>',
  '/public/a?b#c',
  '/public/a?b\x80',
])('%s is 400, and the next request on the connection is never read', async (target) => {
  const client = await RawClient.connect(gateway.port);
  client.write(requestText('GET', target) + requestText('GET', '/public/next'));
  const answer = await client.read();
  expect([answer.status, answer.header('Connection')]).toEqual([400, 'close']);
  expect((await client.ended()).length).toBe(0);
  expect(upstream.requests).toEqual([]);
  expect((await askRaw(gateway.port, requestText('GET', '/public/innocent'))).text).toBe('content');
  client.destroy();
});

test.each([
  ['/%70ublic/a', '/public/a'],
  ['/public/%41%7e%2D%5f.b', '/public/A~-_.b'],
  ['/public/%c3%a4', '/public/%C3%A4'],
  ['/public/a%20b%2bc%3F', '/public/a%20b%2Bc%3F'],
  ['/public/a%25b', '/public/a%25b'],
  ['/public/...', '/public/...'],
  ['/public/..a/.b/a..', '/public/..a/.b/a..'],
  ["/public/a!$&'()*+,=:@", "/public/a!$&'()*+,=:@"],
  ['/public/', '/public/'],
  ['/public/a?../../admin', '/public/a?../../admin'],
  ['/public/a?x=%2e%2e%2f&y=|{}^[]\\`', '/public/a?x=%2e%2e%2f&y=|{}^[]\\`'],
  ['/public/a?', '/public/a?'],
  ['/public/a??b?c', '/public/a??b?c'],
])('%s is decided and forwarded as %s', async (target, canonical) => {
  expect((await askRaw(gateway.port, requestText('GET', target))).status).toBe(200);
  expect(seenHead(upstream.last)).toBe(forwardedHead(`GET ${canonical}`));
});

test('an encoded path meets the stricter rule as the plain one does', async () => {
  for (const target of ['/admin/a', '/%61dmin/a', '/%61%64%6d%69%6e/a', '/admin/a?x=/public/', '/admin/a?/public/']) {
    expect((await askRaw(gateway.port, requestText('GET', target))).status).toBe(401);
  }
  expect(upstream.requests).toEqual([]);
});

test('a token’s paths are compared with the canonical form', async () => {
  const token = gateway.mint({ paths: ['/admin/%C3%A4/*'] });
  const bearer = [`Authorization: Bearer ${token}`];
  expect((await askRaw(gateway.port, requestText('GET', '/%61dmin/%c3%a4/x', bearer))).status).toBe(200);
  expect(upstream.last.line).toBe('GET /admin/%C3%A4/x HTTP/1.1');
  expect((await askRaw(gateway.port, requestText('GET', '/admin/%c3%a5/x', bearer))).status).toBe(403);
});

test('the path behind a path token is held to the same rules', async () => {
  const token = gateway.mint({ paths: ['/public/*'] });
  for (const rest of ['/public/../admin/a', '/public/%2e%2e/admin/a', '//admin/a', '/public/%2fa', '/%2e./admin/a']) {
    expect((await askRaw(gateway.port, requestText('GET', `/.t/${token}${rest}`))).status).toBe(400);
  }
  expect(upstream.requests).toEqual([]);
  expect((await askRaw(gateway.port, requestText('GET', `/%2E%74/${token}/%70ublic/a`))).status).toBe(200);
  expect(upstream.last.line).toBe('GET /public/a HTTP/1.1');
});
