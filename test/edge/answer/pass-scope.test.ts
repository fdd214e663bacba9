// What a pass opens: what the answer opens that the pass was made from, and nothing more. Passes come from the gateway itself, as a
// visitor gets them for a password or a place on the access list; passes that a holder of the common key makes come last.

import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { askRaw, type RawResponse } from '../../support/clients/raw-client.ts';
import { handshakeFields } from '../../support/clients/websocket.ts';
import { MemberRig, passOf } from '../../support/rigs/member-rig.ts';

const at = (name: string, path: string, accept: string[], more: object = {}) => ({
  ...{ name, path, upstream: 'media', accept, ...more },
});
const rig = await MemberRig.start({
  users: { alice: 'a long pass phrase' },
  config: {
    routes: [
      at('guarded', '/guarded/', ['password']),
      at('guarded-inner', '/guarded/inner/', ['token']),
      at('guarded-again', '/guarded/again/', ['token', 'password']),
      at('guarded-club', '/guarded/club/', ['member']),
      at('both', '/both/', ['token', 'password']),
      at('both-inner', '/both/inner/', ['token']),
      at('vod', '/vod/', ['member']),
      at('vod-inner', '/vod/summer/inner/', ['token']),
      at('vod-again', '/vod/summer/again/', ['token', 'member']),
      at('vod-guarded', '/vod/summer/guarded/', ['password']),
      at('vod-open', '/vod/summer/open/', ['anyone', 'token']),
      at('wild', '/wild/', ['password'], { host: '*.wild.example' }),
    ] as never,
  },
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

const basic = `Authorization: Basic ${Buffer.from('alice:a long pass phrase').toString('base64')}`;
const claimsOf = (token: string | null): Record<string, unknown> =>
  JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString());

async function passFor(target: string, ...fields: string[]): Promise<string> {
  const pass = passOf(await rig.ask('GET', target, ...fields));
  if (pass === null) throw new Error(`no pass from ${target}`);
  rig.upstream.clear();
  return pass;
}

/** Statuses of a pass as a cookie, as a bearer token, in the path, and in the query. */
async function present(pass: string, path: string, ...fields: string[]): Promise<number[]> {
  const answers = [
    await rig.ask('GET', path, `Cookie: latchkey_pass=${pass}`, ...fields),
    await rig.ask('GET', path, `Authorization: Bearer ${pass}`, ...fields),
    await rig.ask('GET', `/.t/${pass}${path}`, ...fields),
    await rig.ask('GET', `${path}?token=${pass}`, ...fields),
  ];
  return answers.map(({ status }) => status);
}

/** The pass with other claims, under the common key: aged, or what a holder of that key makes of it. */
const remade = (pass: string, changes: object) => rig.gateway.mint({ ...claimsOf(pass), ...changes }, 'pass');
const old = (pass: string) => remade(pass, { iat: epochSeconds() - 2000, exp: epochSeconds() + 1600 });
const everywhere = (status: number) => [status, status, status, status];

describe('a pass for a password', () => {
  test('attack: opens no nested route that takes no password', async () => {
    const pass = await passFor('/guarded/a', basic);
    expect(await present(pass, '/guarded/b')).toEqual(everywhere(200));
    expect(await present(pass, '/guarded/again/b')).toEqual(everywhere(200));
    rig.upstream.clear();
    expect(await present(pass, '/guarded/inner/b')).toEqual(everywhere(401));
    expect(await present(pass, '/guarded/club/b')).toEqual(everywhere(401));
    // where the way in was one of several it was the password all the same
    expect(await present(await passFor('/both/a', basic), '/both/inner/b')).toEqual(everywhere(401));
    expect(rig.upstream.requests).toEqual([]);
  });

  test('attack: is for the host that was asked, on a route without one and below a wildcard', async () => {
    for (const [path, host, other] of [
      ['/guarded/a', 'Host: one.example', 'Host: two.example'],
      ['/wild/a', 'Host: one.wild.example', 'Host: two.wild.example'],
      ['/wild/a', 'Host: one.wild.example', 'Host: sub.one.wild.example'],
    ] as const) {
      const pass = await passFor(path, basic, host);
      expect(claimsOf(pass)).toMatchObject({ hosts: [host.slice(6)] });
      expect(await present(pass, path, host)).toEqual(everywhere(200));
      rig.upstream.clear();
      expect(await present(pass, path, other)).toEqual(everywhere(403));
      expect(rig.upstream.requests).toEqual([]);
    }
  });

  test('is not renewed by use where it opens nothing, and keeps its scope where it is', async () => {
    const pass = old(await passFor('/guarded/a', basic, 'Host: one.example'));
    const cookie = `Cookie: latchkey_pass=${pass}`;
    for (let part = 0; part < 5; part++) {
      expect((await rig.ask('GET', `/guarded/inner/${part}`, cookie, 'Host: one.example')).status).toBe(401);
    }
    let answer: RawResponse | null = null;
    await expect
      .poll(async () => {
        answer = await rig.ask('GET', '/guarded/again/a', cookie, 'Host: one.example');
        return passOf(answer);
      })
      .not.toBeNull();
    const renewed = claimsOf(passOf(answer as unknown as RawResponse));
    expect(renewed).toMatchObject({ sub: 'alice', hosts: ['one.example'], paths: ['/guarded/*'] });
  });

  test('made before passes named their host gets one with its renewal', async () => {
    const pass = remade(old(await passFor('/guarded/a', basic)), { hosts: undefined });
    let renewed: string | null = null;
    await expect
      .poll(async () => {
        renewed = passOf(await rig.ask('GET', '/guarded/a', `Cookie: latchkey_pass=${pass}`, 'Host: two.example'));
        return renewed;
      })
      .not.toBeNull();
    expect(claimsOf(renewed)).toMatchObject({ hosts: ['two.example'] });
  });

  test('of another store is a token of somebody with the common key: good where tokens are taken', async () => {
    const pass = remade(await passFor('/guarded/a', basic), { v: ['elsewhere', 7] });
    expect(await present(pass, '/guarded/inner/b')).toEqual(everywhere(200));
    expect(await present(pass, '/guarded/club/b')).toEqual(everywhere(401));
  });

  test('is not given to a client that names no host', async () => {
    const answer = await askRaw(rig.gateway.port, `GET /guarded/a HTTP/1.0\r\n${basic}\r\n\r\n`);
    expect([answer.status, passOf(answer)]).toEqual([200, null]);
  });

  test('goes on where its route has another name after a reload, and ends where its route takes no password any more', async () => {
    const pass = await passFor('/guarded/a', basic);
    const routes = (accept: string[]) => ({
      portal: { public_url: 'http://portal.example' },
      upstreams: { media: { servers: [rig.upstream.url] } },
      routes: [at('renamed', '/guarded/', accept)] as never,
    });
    const before = rig.gateway.snapshot;
    try {
      await rig.gateway.reload(routes(['password']));
      expect(await present(pass, '/guarded/b')).toEqual(everywhere(200));
      await rig.gateway.reload(routes(['token']));
      expect(await present(pass, '/guarded/b')).toEqual(everywhere(401));
    } finally {
      rig.gateway.edge.feed.snapshot({ ...before, seq: rig.gateway.snapshot.seq + 1 });
    }
  });
});

describe('a pass of a member', () => {
  test('attack: opens no nested route that takes no member', async () => {
    const pass = await passFor('/vod/summer/a', rig.cookie());
    expect(await present(pass, '/vod/summer/b')).toEqual(everywhere(200));
    expect(await present(pass, '/vod/summer/again/b')).toEqual(everywhere(200));
    rig.upstream.clear();
    expect(await present(pass, '/vod/summer/inner/b')).toEqual(everywhere(401));
    expect(await present(pass, '/vod/summer/guarded/b')).toEqual(everywhere(401));
    expect(rig.upstream.requests).toEqual([]);
  });

  test('says nobody’s name where anyone may pass and no member is taken', async () => {
    const pass = await passFor('/vod/summer/a', rig.cookie());
    const answer = await rig.ask('GET', '/vod/summer/open/b', `Cookie: latchkey_pass=${pass}`);
    // it is good elsewhere, so it stays
    expect([answer.status, answer.all('Set-Cookie'), rig.upstream.last.header('X-Forwarded-User')]).toEqual([
      200,
      [],
      null,
    ]);
  });

  test('opens no tunnel on a nested route that takes no member', async () => {
    const pass = await passFor('/vod/summer/a', rig.cookie());
    const upgrade = (path: string) =>
      rig.ask('GET', path, `Cookie: latchkey_pass=${pass}`, ...handshakeFields(), 'Origin: http://media.example');
    expect((await upgrade('/vod/summer/inner/b')).status).toBe(401);
    expect(rig.upstream.requests).toEqual([]);
    expect((await upgrade('/vod/summer/b')).status).toBe(200);
  });

  test('that was given for less is renewed for no more: paths, methods and host', async () => {
    const pass = await passFor('/vod/summer/a', rig.cookie());
    const less = remade(old(pass), { paths: ['/vod/summer/film/*'], methods: ['GET', 'PUT'], grant: 'me_less' });
    rig.answerAccess = async () => rig.granted({ path: '/vod/', methods: ['GET', 'POST'] });
    let renewed: string | null = null;
    await expect
      .poll(async () => {
        renewed = passOf(await rig.ask('GET', '/vod/summer/film/1', `Cookie: latchkey_pass=${less}`));
        return renewed;
      })
      .not.toBeNull();
    expect(claimsOf(renewed)).toMatchObject({
      ...{ paths: ['/vod/summer/film/*'], methods: ['GET'], hosts: ['media.example'] },
    });
  });
});

describe('what a holder of the common key can write', () => {
  const forge = (changes: object) => {
    const { epoch, seq } = rig.log.position;
    const own = { sub: 'ac_anna', grant: 'me_1', sid: 'se_anna', did: 'dv_anna', n: ['me_1'], v: [epoch, seq] };
    const scope = { hosts: ['media.example'], paths: ['/vod/summer/*'], iat: epochSeconds(), exp: epochSeconds() + 60 };
    return rig.gateway.mint({ ...own, ...scope, ...changes }, 'pass');
  };
  const far = Number.MAX_SAFE_INTEGER;

  test('attack: a pass that hangs on nothing is refused', async () => {
    for (const changes of [{ n: [] }, { n: [], v: ['first', far] }, { n: undefined, v: undefined }, { n: undefined }]) {
      expect(await present(forge(changes), '/vod/summer/a')).toEqual(everywhere(401));
      expect(await present(forge({ ...changes, grant: undefined }), '/vod/summer/a')).toEqual(everywhere(401));
    }
    for (const type of [
      { cred: { id: 'c', v: 1 }, grant: 'me_1' },
      { cred: undefined, grant: undefined },
    ]) {
      expect(await present(forge(type), '/vod/summer/a')).toEqual(everywhere(401));
    }
    expect(rig.upstream.requests).toEqual([]);
  });

  test('attack: a pass far ahead of the log is refused', async () => {
    const { epoch, seq } = rig.log.position;
    for (const ahead of [far, seq + 1_000_000, 1e9]) {
      expect(await present(forge({ v: [epoch, ahead] }), '/vod/summer/a')).toEqual(everywhere(401));
    }
    expect(rig.upstream.requests).toEqual([]);
  });

  test('a pass that is a little ahead of the log is not known yet: nobody is signed out, and it holds once the log is there', async () => {
    const { epoch, seq } = rig.log.position;
    const pass = forge({ v: [epoch, seq + 1] });
    const bearer = await rig.ask('GET', '/vod/summer/a', `Authorization: Bearer ${pass}`);
    expect([bearer.status, bearer.header('Retry-After')]).toEqual([503, '1']);
    const cookie = await rig.ask('GET', '/vod/summer/a', `Cookie: latchkey_pass=${pass}`);
    expect([cookie.status, cookie.header('Retry-After'), cookie.all('Set-Cookie')]).toEqual([503, '1', []]);
    expect(rig.upstream.requests).toEqual([]);
    const beside = await rig.ask('GET', '/vod/summer/a', `${rig.cookie()}; latchkey_pass=${pass}`);
    expect([beside.status, beside.all('Set-Cookie').some((line) => line.includes('Max-Age=0'))]).toEqual([200, false]);
    await rig.change('touch', 'co_other');
    expect(await present(pass, '/vod/summer/a')).toEqual(everywhere(200));
  });

  test('a session minted ahead of what the edge knows is one: its key never leaves', async () => {
    const { epoch, seq } = rig.log.position;
    expect((await rig.ask('GET', '/vod/summer/a', rig.cookie('anna', { v: [epoch, seq + 3] }))).status).toBe(200);
  });

  test('attack: neither place nor nodes save a pass from its jti, its subject, and its key', async () => {
    const mine = await passFor('/vod/summer/a', rig.cookie());
    for (const node of ['jti:j1', 'sub:ac_anna', 'kid:k1']) {
      const own = await MemberRig.start({
        config: { routes: [at('vod', '/vod/', ['token', 'member'])] as never },
      });
      try {
        await own.change('touch', 'co_other');
        const { epoch, seq } = own.log.position;
        const claims = { ...claimsOf(mine), jti: 'j1', v: [epoch, seq] };
        const passes = [
          own.gateway.mint({ ...claims, n: ['me_unheard_of'] }, 'pass'),
          own.gateway.mint({ ...claims, grant: undefined, n: ['me_unheard_of'] }, 'pass'),
          own.gateway.mint(claims, 'pass'),
        ];
        const ask = async (pass: string) =>
          (await own.ask('GET', '/vod/summer/a', `Authorization: Bearer ${pass}`)).status;
        for (const pass of passes) expect(await ask(pass)).toBe(200);
        await own.change('outside', node);
        for (const pass of passes) expect(`${node} ${await ask(pass)}`).toBe(`${node} 401`);
      } finally {
        await own.close();
      }
    }
  });

  test('attack: no pass lives longer than the longest that latchkey gives, and none comes from the future', async () => {
    const now = epochSeconds();
    const lives = (seconds: number) => forge({ iat: now, exp: now + seconds });
    expect(await present(lives(6 * 3600), '/vod/summer/a')).toEqual(everywhere(200));
    rig.upstream.clear();
    expect(await present(lives(6 * 3600 + 1), '/vod/summer/a')).toEqual(everywhere(401));
    expect(await present(lives(365 * 86_400), '/vod/summer/a')).toEqual(everywhere(401));
    expect(await present(forge({ iat: now + 20, exp: now + 60 }), '/vod/summer/a')).toEqual(everywhere(401));
    expect(rig.upstream.requests).toEqual([]);
  });
});
