// Where a credential may stand, which one decides, and that none of ours gets behind the gateway.
// gateway/RULES.md "Where a credential may stand" and "Tokens and caches" end to end.

import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { askRaw, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { forwardedHead, seenHead } from '../../support/peers/forwarded-head.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { gatewaySecret, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;
let good: string;
let expired: string;
const user = ['X-Forwarded-User: user-1'];

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    users: {},
    config: {
      upstreams: { media: { servers: [upstream.url] } },
      routes: [
        { name: 'vod', path: '/vod/', upstream: 'media', accept: ['token'] },
        { name: 'kids', path: '/vod/kids/', upstream: 'media', accept: ['token'] },
        { name: 'mixed', path: '/mixed/', upstream: 'media', accept: ['anyone', 'token'] },
        { name: 'open', path: '/open/', upstream: 'media', accept: ['anyone'] },
        { name: 'pass', path: '/pass/', upstream: 'media', accept: ['password'] },
        { name: 'keep', path: '/keep/', upstream: 'media', accept: ['token', 'password'], forward_authorization: true },
        { name: 'audience', path: '/aud/', upstream: 'media', accept: ['token'], audience: 'player' },
        { name: 'short', path: '/short/', upstream: 'media', accept: ['token'], max_token_ttl: '60s' },
        { name: 'hosted', host: 'a.example', path: '/vod/', upstream: 'media', accept: ['token'] },
      ],
    },
  });
  good = gateway.mint();
  expired = gateway.mint({ exp: epochSeconds() - 60 });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(method: string, target: string, fields: readonly string[] = []): Promise<RawResponse> {
  return askRaw(gateway.port, requestText(method, target, fields));
}

async function refused(method: string, target: string, fields: readonly string[] = []): Promise<RawResponse> {
  const answer = await ask(method, target, fields);
  expect(upstream.requests.map(({ line }) => line)).toEqual([]);
  return answer;
}

/** A token with a good MAC over any header. */
function forge(header: object | string, claims: object | string = { exp: epochSeconds() + 60, paths: ['/*'] }): string {
  const encode = (value: object | string) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', gatewaySecret).update(signed).digest('base64url')}`;
}

describe('each place', () => {
  test('Authorization: Bearer opens, and is gone behind the gateway', async () => {
    const answer = await ask('GET', '/vod/a.m3u8', ['A: 1', `Authorization: Bearer ${good}`, 'B: 2']);
    expect([answer.status, answer.text]).toEqual([200, 'content']);
    expect(seenHead(upstream.last)).toBe(
      forwardedHead('GET /vod/a.m3u8', { fields: ['A: 1', 'B: 2'], identity: user }),
    );
  });

  test('the scheme is read in any case', async () => {
    expect((await ask('GET', '/vod/a', [`Authorization: bEARER  ${good}`])).status).toBe(200);
    expect(upstream.last.header('Authorization')).toBeNull();
  });

  test('the path form opens, and the upstream sees the path alone', async () => {
    expect((await ask('GET', `/.t/${good}/vod/a.m3u8?x=1&y`)).status).toBe(200);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /vod/a.m3u8?x=1&y', { identity: user }));
  });

  test.each([
    ['?token=T', ''],
    ['?a=1&token=T', '?a=1'],
    ['?token=T&a=1&&b', '?a=1&&b'],
    ['?a=%74oken&token=T&mytoken=3&token2=4', '?a=%74oken&mytoken=3&token2=4'],
    ['?xtoken=1&token=T', '?xtoken=1'],
  ])('the query parameter opens, and the rest of %s stays byte for byte', async (sent, kept) => {
    expect((await ask('GET', `/vod/a${sent.replace('T', good)}`)).status).toBe(200);
    expect(seenHead(upstream.last)).toBe(forwardedHead(`GET /vod/a${kept}`, { identity: user }));
  });

  test.each([
    ['latchkey_pass=T', []],
    ['a=1; latchkey_pass=T', ['Cookie: a=1']],
    ['latchkey_pass=T; a="x; y=z;latchkey=old;  last', ['Cookie: a="x; y=z;  last']],
    ['__Host-latchkey=s; latchkey_pass=T; b=2; latchkey_device=d; __Host-latchkey_flow=f', ['Cookie: b=2']],
  ])('the pass cookie opens, and other cookies of %s stay byte for byte', async (sent, kept) => {
    const pass = gateway.mint({}, 'pass');
    expect((await ask('GET', '/vod/a', [`Cookie: ${sent.replace('T', pass)}`])).status).toBe(200);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /vod/a', { fields: kept, identity: user }));
  });

  test('cookies in two fields are read and cleaned one by one', async () => {
    const pass = gateway.mint({}, 'pass');
    expect((await ask('GET', '/vod/a', ['Cookie: a=1', `Cookie: latchkey_pass=${pass}; b=2`])).status).toBe(200);
    expect(upstream.last.all('Cookie')).toEqual(['a=1', 'b=2']);
  });

  test('our cookies never reach an upstream, on a route that takes anyone either', async () => {
    expect((await ask('GET', '/open/a', ['Cookie: x=1; latchkey_pass=whatever; __Host-latchkey=s'])).status).toBe(200);
    expect(upstream.last.all('Cookie')).toEqual(['x=1']);
  });

  test('other schemes pass byte for byte', async () => {
    const digest = 'Digest username="u",  realm="r"';
    const answer = await ask('GET', `/vod/a?token=${good}`, [`Authorization: ${digest}`]);
    expect(answer.status).toBe(200);
    expect(upstream.last.fields).toContain(`Authorization: ${digest}`);
  });

  test('a route can forward the accepted Authorization', async () => {
    expect((await ask('GET', '/keep/a', [`Authorization: Bearer ${good}`])).status).toBe(200);
    expect(upstream.last.header('Authorization')).toBe(`Bearer ${good}`);
  });

  test('a password that nobody checked is not forwarded as if it had been accepted', async () => {
    const guess = Buffer.from('admin:guess').toString('base64');
    expect((await ask('GET', `/.t/${good}/keep/a`, [`Authorization: Basic ${guess}`])).status).toBe(200);
    expect(upstream.last.header('Authorization')).toBeNull();
  });
});

describe('two at once', () => {
  test('a token in two places, or twice in one, is 400', async () => {
    const bearer = `Authorization: Bearer ${good}`;
    for (const [target, fields] of [
      [`/vod/a?token=${good}`, [bearer]],
      [`/.t/${good}/vod/a`, [bearer]],
      [`/.t/${good}/vod/a?token=${good}`, []],
      [`/vod/a?token=${good}&token=${good}`, []],
      [`/vod/a?token=${good}&token`, []],
      ['/vod/a', [bearer, bearer]],
      ['/vod/a', [bearer, 'Authorization: Basic dTpw']],
    ] as const) {
      expect(`${target.slice(0, 12)} ${(await refused('GET', target, fields)).status}`).toMatch(/ 400$/);
    }
  });

  test('a nested path form is 400, also when its prefix is encoded', async () => {
    expect((await refused('GET', `/.t/${good}/.t/${good}/vod/a`)).status).toBe(400);
    expect((await refused('GET', `/.t/${good}/%2Et/${good}/vod/a`)).status).toBe(400);
    expect((await refused('GET', `/%2et/${good}/.t/${good}/vod/a`)).status).toBe(400);
    expect((await refused('GET', `/.t/${good}`)).status).toBe(400);
    expect((await refused('GET', '/.t/')).status).toBe(400);
  });

  test('a pass cookie beside an explicit token is not asked', async () => {
    const answer = await refused('GET', '/vod/a', [
      `Authorization: Bearer ${expired}`,
      `Cookie: latchkey_pass=${gateway.mint({}, 'pass')}`,
    ]);
    expect(answer.status).toBe(401);
    expect(answer.all('Set-Cookie')).toEqual([]);
  });
});

describe('what is wrong with an explicit token is 401, and nothing else is tried', () => {
  const head = { alg: 'HS256', kid: 'k1', typ: 'JWT' };
  const later = () => epochSeconds() + 60;
  const flip = (token: string) => token.slice(0, -2) + (token.at(-2) === 'A' ? 'B' : 'A') + token.slice(-1);
  test.each([
    ['expired', () => expired],
    ['with a changed signature', () => flip(good)],
    ['with a changed message', () => good.replace(/\.[^.]+\./, `.${good.split('.')[1]?.replace(/^./, 'f')}.`)],
    ['truncated', () => good.slice(0, -1)],
    ['longer', () => `${good}A`],
    ['padded', () => `${good}=`],
    ['of four parts', () => `${good}.AAAA`],
    ['with alg none', () => `${Buffer.from('{"alg":"none","kid":"k1"}').toString('base64url')}.${good.split('.')[1]}.`],
    ['with another algorithm', () => forge({ ...head, alg: 'HS512' })],
    ['with a key id in escapes', () => forge('{"alg":"HS256","kid":"\\u006b1"}')],
    ['with a key of ours and another', () => forge('{"alg":"HS256","kid":"k1","kid":"k2"}')],
    ['of our key, and five KiB long', () => `${good}${'A'.repeat(5000)}`],
    ['with jku', () => forge({ ...head, jku: 'https://evil.example/jwks' })],
    ['with an embedded key', () => forge({ ...head, jwk: { kty: 'oct', k: 'AAAA' } })],
    ['with crit', () => forge({ ...head, crit: ['exp'] })],
    ['of an unknown type', () => forge({ ...head, typ: 'at+jwt' })],
    ['of the session type', () => forge({ ...head, typ: 'ls+jwt' })],
    ['of the assertion type', () => forge({ ...head, typ: 'la+jwt' })],
    ['without exp', () => forge(head, { paths: ['/*'] })],
    ['with exp as text', () => forge(head, { exp: String(later()), paths: ['/*'] })],
    ['with an infinite exp', () => forge(head, '{"exp":1e999,"paths":["/*"]}')],
    ['with an exp of null', () => forge(head, { exp: null, paths: ['/*'] })],
    ['not yet valid', () => forge(head, { exp: later(), nbf: later() - 20, paths: ['/*'] })],
    ['issued in the future', () => forge(head, { exp: later(), iat: later() - 20, paths: ['/*'] })],
    ['that lives longer than the route allows', () => forge(head, { exp: later() + 90_000, paths: ['/*'] })],
    ['without paths', () => forge(head, { exp: later() })],
    ['for an audience, on a route without one', () => forge(head, { exp: later(), aud: 'player', paths: ['/*'] })],
  ])('a token %s', async (_what, make) => {
    const token = make();
    for (const [target, fields] of [
      ['/mixed/a', [`Authorization: Bearer ${token}`]],
      [`/mixed/a?token=${token}`, []],
      [`/.t/${token}/mixed/a`, []],
    ] as const) {
      const answer = await refused('GET', target, [...fields, `Cookie: latchkey_pass=${gateway.mint({}, 'pass')}`]);
      expect(answer.status).toBe(401);
      expect(answer.header('WWW-Authenticate')).toBe('Bearer realm="mixed", error="invalid_token"');
      expect(answer.text).not.toContain(token);
    }
  });

  test('a route that takes only passwords takes no outside token, but the pass that it issued', async () => {
    expect((await refused('GET', '/pass/a', [`Authorization: Bearer ${good}`])).status).toBe(401);
    const cred = { id: 'c_1', v: 1 };
    expect((await ask('GET', '/pass/a', [`Authorization: Bearer ${gateway.mint({ cred }, 'pass')}`])).status).toBe(200);
    upstream.clear();
    // whoever holds the common key can give the type to anything
    expect((await refused('GET', '/pass/a', [`Authorization: Bearer ${gateway.mint({}, 'pass')}`])).status).toBe(401);
  });

  test('the same token is decided anew on each route: audience, life, host', async () => {
    const forPlayer = gateway.mint({ aud: 'player' });
    const bearer = (token: string) => [`Authorization: Bearer ${token}`];
    for (let round = 0; round < 2; round++) {
      expect((await ask('GET', '/aud/a', bearer(forPlayer))).status).toBe(200);
      expect((await ask('GET', '/vod/a', bearer(forPlayer))).status).toBe(401);
      expect((await ask('GET', '/aud/a', bearer(good))).status).toBe(401);
      expect((await ask('GET', '/vod/a', bearer(good))).status).toBe(200);
      expect((await ask('GET', '/short/a', bearer(good))).status).toBe(401);
    }
  });
});

describe('a good token outside its scope is 403', () => {
  test.each([
    ['path', { paths: ['/vod/other/*'] }],
    ['path, with an empty list', { paths: [] }],
    ['path, where the folder is meant and not its name', { paths: ['/vod/a/'] }],
    ['method', { methods: ['POST'] }],
    ['host', { hosts: ['other.example'] }],
    ['address', { ips: ['192.0.2.0/24'] }],
  ])('wrong %s', async (_what, claims) => {
    const answer = await refused('GET', '/vod/a', [`Authorization: Bearer ${gateway.mint(claims)}`]);
    expect(answer.status).toBe(403);
    expect(answer.all('WWW-Authenticate')).toEqual([]);
  });

  test('GET includes HEAD, and no other method', async () => {
    const token = [`Authorization: Bearer ${gateway.mint({ methods: ['GET'] })}`];
    expect((await ask('HEAD', '/vod/a', token)).status).toBe(200);
    upstream.clear();
    expect((await refused('DELETE', '/vod/a', token)).status).toBe(403);
  });

  test('a method that a good path form may not have is 405, on every route', async () => {
    for (const route of ['vod', 'mixed', 'open']) {
      const answer = await refused('POST', `/.t/${good}/${route}/a`);
      expect([answer.status, answer.header('Allow')]).toEqual([405, 'GET, HEAD']);
    }
  });
});

describe('a pass cookie', () => {
  test('that is wrong or expired counts as absent, and is cleared', async () => {
    for (const bad of [gateway.mint({ exp: epochSeconds() - 60 }, 'pass'), 'nonsense', '']) {
      upstream.clear();
      const denied = await refused('GET', '/vod/a', [`Cookie: latchkey_pass=${bad}`]);
      expect(denied.status).toBe(401);
      expect(denied.header('WWW-Authenticate')).toBe('Bearer realm="vod"');
      const isPass = bad.includes('.');
      // a pass that has run out says where its cookie is; for what is no pass the route's path is the likely place
      const clears = (path: string) => [`latchkey_pass=; Path=${path}; Max-Age=0; HttpOnly; SameSite=Lax`];
      expect(denied.all('Set-Cookie')).toEqual(clears(isPass ? '/' : '/vod/'));
      const open = await ask('GET', '/mixed/a', [`Cookie: latchkey_pass=${bad}`]);
      expect(open.status).toBe(200);
      expect(open.all('Set-Cookie')).toEqual(clears(isPass ? '/' : '/mixed/'));
      expect(upstream.last.all('X-Forwarded-User')).toEqual([]);
    }
  });

  test('of the inner collection and of the outer one are both sent, and either opens', async () => {
    const inner = gateway.mint({ sub: 'inner', paths: ['/vod/kids/*'] }, 'pass');
    const outer = gateway.mint({ sub: 'outer', paths: ['/vod/*'] }, 'pass');
    const cookies = [`Cookie: latchkey_pass=${inner}; latchkey_pass=${outer}`];
    expect((await ask('GET', '/vod/kids/a', cookies)).status).toBe(200);
    expect(upstream.last.header('X-Forwarded-User')).toBe('inner');
    expect((await ask('GET', '/vod/a', cookies)).status).toBe(200);
    expect(upstream.last.header('X-Forwarded-User')).toBe('outer');
  });

  test('is found behind any number of planted ones that do not verify', async () => {
    const header = Buffer.from('{"alg":"HS256","kid":"k1","typ":"lp+jwt"}').toString('base64url');
    const planted = (count: number) =>
      Array.from(
        { length: count },
        (_, at) => `latchkey_pass=${header}.${btoa(`{"x":${100 + at}}`)}.${'A'.repeat(43)}`,
      );
    const pass = `latchkey_pass=${gateway.mint({}, 'pass')}`;
    for (const before of [['latchkey_pass=a', 'latchkey_pass=b', 'latchkey_pass=c', 'latchkey_pass='], planted(100)]) {
      const answer = await ask('GET', '/vod/a', [`Cookie: ${[...before, pass].join('; ')}`]);
      expect(answer.status).toBe(200);
      // one line clears them all
      expect(answer.all('Set-Cookie')).toHaveLength(1);
    }
  });

  test('is found behind any number of others that hold, for something else or no longer', async () => {
    const pass = `latchkey_pass=${gateway.mint({}, 'pass')}`;
    const now = Math.floor(Date.now() / 1000);
    const elsewhere = Array.from({ length: 30 }, (_, at) => gateway.mint({ paths: [`/other/${at}/*`] }, 'pass'));
    const over = Array.from({ length: 30 }, (_, at) => gateway.mint({ iat: now - 900, exp: now - 300 - at }, 'pass'));
    for (const planted of [elsewhere, over, Array(30).fill(elsewhere[0])]) {
      const cookies = [...planted.map((token) => `latchkey_pass=${token}`), pass].join('; ');
      expect((await ask('GET', '/vod/a', [`Cookie: ${cookies}`])).status).toBe(200);
    }
  });

  test('that holds, but for something else, is 403 and stays', async () => {
    const pass = gateway.mint({ paths: ['/vod/other/*'] }, 'pass');
    const answer = await refused('GET', '/vod/a', [`Cookie: latchkey_pass=${pass}`]);
    expect([answer.status, answer.all('Set-Cookie')]).toEqual([403, []]);
  });
});

describe('a key', () => {
  test('that was retired ends its tokens at once: conditional requests and remembered tokens too', async () => {
    const routes = [{ name: 'vod', path: '/vod/', upstream: 'media', accept: ['token' as const] }];
    const upstreams = { media: { servers: [upstream.url] } };
    const spare = { id: 'k2', secret_file: './k2.secret', state: 'signing' as const };
    const own = await startGateway({ config: { upstreams, routes } });
    try {
      const token = own.mint();
      const request = requestText('GET', '/vod/a', [`Authorization: Bearer ${token}`, 'If-None-Match: "x"']);
      upstream.fallback = 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n';
      expect((await askRaw(own.port, request)).status).toBe(304);
      upstream.clear();
      await own.reload({
        upstreams,
        routes,
        common_keys: [spare, { id: 'k1', secret_file: './k1.secret', state: 'retired' }],
      });
      expect((await askRaw(own.port, request)).status).toBe(401);
      expect(upstream.requests).toEqual([]);
      await own.reload({
        upstreams,
        routes,
        common_keys: [spare, { id: 'k1', secret_file: './k1.secret', state: 'verifying' }],
      });
      expect((await askRaw(own.port, request)).status).toBe(200);
    } finally {
      await own.close();
    }
  });
});

test('bad tokens fill nothing: the one good token stays remembered', async () => {
  const before = await entries();
  expect((await ask('GET', '/vod/a', [`Authorization: Bearer ${gateway.mint({ jti: 'flood' })}`])).status).toBe(200);
  for (let index = 0; index < 50; index++) {
    expect((await ask('GET', `/.t/${good.slice(0, -5)}${10_000 + index}/vod/a`)).status).toBe(401);
  }
  expect(await entries()).toBe(before + 1);
});

async function entries(): Promise<number> {
  return Number(/^latchkey_decision_cache_entries (\d+)/m.exec(await gateway.scrape())?.[1]);
}
