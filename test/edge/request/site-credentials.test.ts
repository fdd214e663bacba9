// What the application behind the gateway uses for itself: its own bearer tokens, parameters and passwords beside our cookies.
// What names no key of ours is the site's where a cookie opens, byte for byte; and what decided is asked of the permit, so that
// a decoy changes no protection.

import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { handshakeFields } from '../../support/clients/websocket.ts';
import { MemberRig, passOf } from '../../support/rigs/member-rig.ts';

const rig = await MemberRig.start({
  users: { alice: 'a long pass phrase' },
  config: {
    routes: [
      { name: 'vod', path: '/vod/', upstream: 'media', accept: ['token', 'member'] },
      { name: 'club', path: '/club/', upstream: 'media', accept: ['session'] },
      { name: 'either', path: '/either/', upstream: 'media', accept: ['password', 'member'] },
      {
        ...{ name: 'own', path: '/vod/summer/own/', upstream: 'media', accept: ['password', 'member'] },
        forward_authorization: true,
      },
      { name: 'strict', path: '/vod/summer/strict/', upstream: 'media', accept: ['password', 'member'] },
      { name: 'mixed', path: '/mixed/', upstream: 'media', accept: ['anyone', 'token'] },
      { name: 'public', path: '/public/', upstream: 'media', accept: ['anyone'] },
    ],
  },
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

/** A JWT of the application's own. */
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const sites = `${encode({ alg: 'RS256', kid: 'app-2026', typ: 'at+jwt' })}.${encode({ sub: 'app' })}.c2lnbmF0dXJl`;
const opaque = 'glpat-Zx9_kq-1';
const member = async () => `Cookie: latchkey_pass=${passOf(await rig.ask('GET', '/vod/summer/a', rig.cookie()))}`;
const wrong = () => rig.gateway.mint({ exp: epochSeconds() - 60 });

describe('what names no key of ours', () => {
  test.each([
    ['a JWT of the site', sites],
    ['an opaque token', opaque],
    ['nothing', ''],
    ['a JWT without a key id', `${encode({ alg: 'HS256' })}.${encode({})}.AAAA`],
    ['five KiB', 'a'.repeat(5000)],
    ['dots', 'x.y.z'],
  ])('is the site’s beside a session and beside a pass, byte for byte: %s', async (_what, token) => {
    const bearer = `Authorization: Bearer  ${token}`.trimEnd();
    for (const cookie of [rig.cookie(), await member()]) {
      expect((await rig.ask('GET', '/vod/summer/a', cookie, bearer)).status).toBe(200);
      expect(rig.upstream.last.fields).toContain(bearer);
      expect(rig.upstream.last.header('X-Forwarded-User')).toBe('ac_anna');
      expect((await rig.ask('GET', `/vod/summer/a?a=1&token=${token}&b`, cookie)).status).toBe(200);
      expect(rig.upstream.last.line).toBe(`GET /vod/summer/a?a=1&token=${token}&b HTTP/1.1`);
      const both = `/vod/summer/a?token=${token}&token=${opaque}`;
      expect((await rig.ask('POST', both, cookie, bearer, 'Content-Length: 0')).status).toBe(200);
      expect(rig.upstream.last.line).toBe(`POST ${both} HTTP/1.1`);
      expect(rig.upstream.last.fields).toContain(bearer);
    }
  });

  test('is 401 where no cookie opens, also where anyone may pass who presents nothing', async () => {
    for (const path of ['/vod/summer/a', '/mixed/a']) {
      for (const [target, ...fields] of [
        [path, `Authorization: Bearer ${sites}`],
        [`${path}?token=${opaque}`],
      ] as const) {
        const answer = await rig.ask('GET', target, ...fields);
        expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([
          401,
          `Bearer realm="${path.startsWith('/vod') ? 'vod' : 'mixed'}", error="invalid_token"`,
        ]);
      }
    }
    const run = `Cookie: latchkey_pass=${rig.gateway.mint({ exp: epochSeconds() - 60 }, 'pass')}`;
    expect((await rig.ask('GET', '/mixed/a', run, `Authorization: Bearer ${sites}`)).status).toBe(401);
    expect(rig.upstream.requests).toEqual([]);
  });

  test('is nobody’s business where no token is taken', async () => {
    for (const [target, ...fields] of [['/public/a'], ['/club/a', rig.cookie()]] as const) {
      const bearer = `Authorization: Bearer ${opaque}`;
      expect((await rig.ask('GET', `${target}?token=x`, ...fields, bearer)).status).toBe(200);
      expect([rig.upstream.last.line, rig.upstream.last.fields]).toEqual([
        `GET ${target}?token=x HTTP/1.1`,
        expect.arrayContaining([bearer]),
      ]);
    }
  });

  test('stands beside one of ours, which decides and goes no further', async () => {
    const ours = rig.gateway.mint();
    const bearer = `Authorization: Bearer ${ours}`;
    expect((await rig.ask('GET', `/vod/a?token=${opaque}`, bearer)).status).toBe(200);
    expect([rig.upstream.last.line, rig.upstream.last.header('Authorization')]).toEqual([
      `GET /vod/a?token=${opaque} HTTP/1.1`,
      null,
    ]);
    expect((await rig.ask('GET', `/vod/a?x=1&token=${ours}`, `Authorization: Bearer ${sites}`)).status).toBe(200);
    expect([rig.upstream.last.line, rig.upstream.last.header('Authorization')]).toEqual([
      'GET /vod/a?x=1 HTTP/1.1',
      `Bearer ${sites}`,
    ]);
    expect((await rig.ask('GET', `/.t/${ours}/vod/a?token=${opaque}`, `Authorization: Bearer ${sites}`)).status).toBe(
      200,
    );
    expect([rig.upstream.last.line, rig.upstream.last.header('Authorization')]).toEqual([
      `GET /vod/a?token=${opaque} HTTP/1.1`,
      `Bearer ${sites}`,
    ]);
  });

  test('beside one of ours under the same name is two at once', async () => {
    const ours = rig.gateway.mint();
    for (const query of [`token=${ours}&token=${opaque}`, `token=${opaque}&token=${ours}`, `token&token=${ours}`]) {
      expect((await rig.ask('GET', `/vod/summer/a?${query}`, rig.cookie())).status).toBe(400);
    }
    expect((await rig.ask('GET', `/vod/summer/a?${'token=x&'.repeat(17)}`, rig.cookie())).status).toBe(400);
    expect(rig.upstream.requests).toEqual([]);
  });
});

describe('what names a key of ours', () => {
  const flip = (token: string) => token.slice(0, -2) + (token.at(-2) === 'A' ? 'B' : 'A') + token.slice(-1);
  test.each([
    ['expired', wrong],
    ['with a changed signature', () => flip(rig.gateway.mint())],
    ['of another algorithm', () => `${encode({ alg: 'none', kid: 'k1' })}.${encode({ sub: 'a' })}.`],
    ['of another type', () => `${encode({ alg: 'HS256', kid: 'k1', typ: 'at+jwt' })}.${encode({ sub: 'a' })}.AAAA`],
    ['with more members', () => `${encode({ alg: 'HS256', kid: 'k1', jku: 'https://evil.example' })}.e30.AAAA`],
    ['of the inner key', () => rig.session()],
    ['without claims', () => encode({ kid: 'k1' })],
  ])('decides alone, whatever cookie is beside it: %s', async (_what, make) => {
    const token = make();
    for (const cookie of [rig.cookie(), await member()]) {
      rig.upstream.clear();
      expect((await rig.ask('GET', '/vod/summer/a', cookie, `Authorization: Bearer ${token}`)).status).toBe(401);
      expect((await rig.ask('GET', `/vod/summer/a?token=${token}`, cookie)).status).toBe(401);
      expect(rig.upstream.requests).toEqual([]);
    }
  });

  test('the path form is ours whatever stands in it', async () => {
    expect((await rig.ask('GET', `/.t/${opaque}/vod/summer/a`, rig.cookie())).status).toBe(401);
    expect(rig.upstream.requests).toEqual([]);
  });
});

describe('a password', () => {
  const basic = (name: string, password: string) =>
    `Authorization: Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  const sitesOwn = basic('bob', 'of the application');

  test('that is the application’s is passed on beside a cookie that opens, where the route forwards it', async () => {
    for (const cookie of [rig.cookie(), await member()]) {
      expect((await rig.ask('GET', '/vod/summer/own/a', cookie, sitesOwn)).status).toBe(200);
      expect(rig.upstream.last.fields).toContain(sitesOwn);
      expect(rig.upstream.last.header('X-Forwarded-User')).toBe('ac_anna');
    }
  });

  test('may be ours where we take one, and goes no further unless the route says so', async () => {
    for (const cookie of [rig.cookie(), await member()]) {
      expect((await rig.ask('GET', '/vod/summer/strict/a', cookie, sitesOwn)).status).toBe(200);
      expect(rig.upstream.last.header('Authorization')).toBeNull();
    }
  });

  test('decides where the session opens nothing', async () => {
    const alice = basic('alice', 'a long pass phrase');
    expect((await rig.ask('GET', '/either/a', rig.cookie('ben'), alice)).status).toBe(200);
    expect(rig.upstream.last.header('X-Forwarded-User')).toBe('alice');
    rig.upstream.clear();
    expect((await rig.ask('GET', '/either/a', rig.cookie('ben'), basic('alice', 'wrong'))).status).toBe(401);
    expect(rig.upstream.requests).toEqual([]);
  });
});

describe('attack: a decoy beside a cookie', () => {
  const decoys = [
    ['?token=x', []],
    ['', ['Authorization: Bearer x']],
    [`?token=${sites}`, ['Authorization: Basic eDp5']],
  ] as const;

  test('does not take the Origin of a WebSocket off the cookie that decides', async () => {
    for (const [query, fields] of decoys) {
      for (const [path, cookie] of [
        ['/club/a', rig.cookie()],
        ['/vod/summer/a', rig.cookie()],
        ['/vod/summer/a', await member()],
      ] as const) {
        rig.upstream.clear();
        const upgrade = (...origin: string[]) =>
          rig.ask('GET', `${path}${query}`, cookie, ...handshakeFields(), ...fields, ...origin);
        expect((await upgrade('Origin: http://evil.example')).status).toBe(403);
        expect((await upgrade()).status).toBe(403);
        expect(rig.upstream.requests).toEqual([]);
        expect((await upgrade('Origin: http://media.example')).status).toBe(200);
      }
    }
  });

  test('with a token of ours where none is taken changes nothing either', async () => {
    const ours = rig.gateway.mint();
    for (const [target, ...fields] of [
      [`/club/a?token=${ours}`],
      ['/club/a', `Authorization: Bearer ${ours}`],
      [`/.t/${ours}/club/a`],
    ] as const) {
      const upgrade = (origin: string) => rig.ask('GET', target, rig.cookie(), ...handshakeFields(), ...fields, origin);
      expect((await upgrade('Origin: http://evil.example')).status).toBe(403);
      expect(rig.upstream.requests).toEqual([]);
    }
  });

  test('a password that decides needs an Origin of this site where a page says one', async () => {
    const alice = `Authorization: Basic ${Buffer.from('alice:a long pass phrase').toString('base64')}`;
    const upgrade = (...origin: string[]) =>
      rig.ask('GET', '/either/a?token=x', alice, ...handshakeFields(), ...origin);
    expect((await upgrade('Origin: http://evil.example')).status).toBe(403);
    expect((await upgrade('Origin: http://media.example')).status).toBe(200);
    expect((await upgrade()).status).toBe(200);
  });

  test('the log names the token that decided, and none that did not', async () => {
    await rig.ask('GET', '/vod/summer/decoy?token=x', await member());
    await rig.ask('GET', '/vod/decided', `Authorization: Bearer ${rig.gateway.mint()}`);
    const lines = await rig.gateway.readLog('access', '/vod/decided');
    expect(lines.find(({ path }) => path === '/vod/summer/decoy')).not.toHaveProperty('token');
    expect(lines.find(({ path }) => path === '/vod/decided')).toHaveProperty('token');
  });
});
