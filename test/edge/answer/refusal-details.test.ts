// The decision log says of a token that was refused both numbers that were compared; the answer says neither.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    users: {},
    config: {
      upstreams: { media: { servers: [upstream.url] } },
      routes: [
        { name: 'vod', path: '/vod/', upstream: 'media', accept: ['token'] },
        { name: 'app', path: '/app/', upstream: 'media', accept: ['token'], audience: ['app', 'tv'] },
        { name: 'pass', path: '/pass/', upstream: 'media', accept: ['password'] },
      ],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const now = epochSeconds();
const vod = '/vod/';
test.each([
  ['expired', vod, { exp: now - 200 }, /^expired 3 min ago$/],
  ['not-yet', vod, { nbf: now + 7300 }, /^holds in 2 h only, with 5 s of clock skew$/],
  ['ahead', vod, { iat: now + 130, exp: now + 300 }, /^was issued 2 min from now, with 5 s of clock skew$/],
  ['long', vod, { iat: now, exp: now + 30 * 86_400 }, /^lives 30 d, the route takes 24 h$/],
  ['long-without-iat', vod, { exp: now + 30 * 86_400 }, /^lives .+ from now and says no iat, the route takes 24 h$/],
  ['milliseconds', vod, { exp: (now + 60) * 1000 }, /the route takes 24 h; exp looks like milliseconds/],
  ['audience', '/app/', { aud: ['web'] }, /^aud is web, the route wants app, tv$/],
  ['no-audience', '/app/', {}, /^aud is missing, the route wants app, tv$/],
  ['unasked-audience', vod, { aud: 'web' }, /^aud is web, the route has no audience$/],
  ['unscoped', vod, { paths: undefined }, /^has no paths/],
  ['path', vod, { paths: ['/a/*', '/b'] }, /^opens \/a\/\*, \/b, the path is \/vod\/path$/],
  ['method', vod, { methods: ['PUT'] }, /^is for PUT, the method is GET$/],
  ['host', vod, { hosts: ['a.example'] }, /^is for a\.example, the host is media\.example$/],
  ['address', vod, { ips: ['192.0.2.0/24'] }, /^is for 192\.0\.2\.0\/24, the client is 127\.0\.0\.1$/],
  ['kind', '/pass/', {}, /^a token of somebody who holds the common key, which the route does not take$/],
  ['many', vod, { hosts: Array.from({ length: 9 }, (_, at) => `h${at}.example`) }, /h4\.example and 4 more, the host/],
] as const)('%s', async (name, folder, claims, detail) => {
  const token = gateway.mint({ ...claims });
  const answer = await askRaw(gateway.port, requestText('GET', `${folder}${name}`, [`Authorization: Bearer ${token}`]));
  expect([401, 403]).toContain(answer.status);
  const lines = await gateway.readLog('decisions', `${folder}${name}`);
  const said = String(lines.find(({ path }) => path === `${folder}${name}`)?.detail);
  expect(said).toMatch(detail);
  expect(answer.head + answer.text).not.toContain(said);
  expect(said).not.toContain(token.split('.')[2]);
  expect(upstream.requests).toEqual([]);
});

test('a key that nobody knows, and a pass that names two answers, are named as such', async () => {
  const cases = [
    [
      'unknown',
      `${Buffer.from('{"alg":"HS256","kid":"k9"}').toString('base64url')}.e30.${'A'.repeat(43)}`,
      'no key "k9"',
    ],
    ['two', gateway.mint({ grant: 'me_1', cred: { id: 'c', v: 1 } }, 'pass'), 'a pass with both cred and grant'],
    ['none', gateway.mint({ n: [], v: ['none', 0] }, 'pass'), 'a pass whose n is empty'],
    [
      'far',
      gateway.mint({ n: ['li_1'], v: ['none', 1e9] }, 'pass'),
      'was made 1000000000 places of the change log ahead of what is known here, further than an index can lag',
    ],
  ] as const;
  for (const [name, token, detail] of cases) {
    await askRaw(gateway.port, requestText('GET', `/vod/${name}`, [`Authorization: Bearer ${token}`]));
    const lines = await gateway.readLog('decisions', `/vod/${name}`);
    expect(lines.find(({ path }) => path === `/vod/${name}`)?.detail).toBe(detail);
  }
});
