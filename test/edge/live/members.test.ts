// Members: control is asked once, its answer becomes a pass, and what changes ends both.
// gateway/RULES.md "Passes", "Freshness", "Status".

import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AccessAnswer } from '../../../gateway/core/decision/state/access.ts';
import { decodeUnverified } from '../../../gateway/core/token/common-key-token.ts';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { forwardedHead, seenHead } from '../../support/peers/forwarded-head.ts';
import { MemberRig, passOf } from '../../support/rigs/member-rig.ts';

let rig: MemberRig;
beforeAll(async () => {
  rig = await MemberRig.start({ users: { alice: 'a long pass phrase' } });
});
afterAll(() => rig.close());
beforeEach(() => rig.reset());

const html = 'Accept: text/html';
const cleared = (path: string) => `latchkey_pass=; Path=${path}; Max-Age=0; HttpOnly; SameSite=Lax`;

function claimsOf(token: string | null): Record<string, unknown> {
  const claims = decodeUnverified(token ?? '')?.claims;
  if (typeof claims !== 'object' || claims === null) throw new Error('no token');
  return { ...claims };
}

/** A promise and what settles it. */
function held<T>(): { readonly promise: Promise<T>; readonly settle: (value: T) => void } {
  let settle: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

describe('an account on the access list', () => {
  test('is asked about once, and passes everywhere in the collection with no further question', async () => {
    const first = await rig.ask('GET', '/vod/summer/a.m3u8', rig.cookie());
    expect(first.status).toBe(200);
    expect(rig.questions).toEqual([
      { account: 'ac_anna', session: 'se_anna', device: 'dv_anna', host: 'media.example', path: '/vod/summer/a.m3u8' },
    ]);
    const pass = passOf(first);
    for (let part = 0; part < 20; part++) {
      expect((await rig.ask('GET', `/vod/summer/${part}.ts`, `Cookie: latchkey_pass=${pass}`)).status).toBe(200);
      expect((await rig.ask('GET', `/vod/summer/x${part}.ts`, rig.cookie())).status).toBe(200);
    }
    expect(rig.questions).toHaveLength(1);
    expect(await rig.gateway.scrape()).toMatch(/latchkey_access_questions_total\{[^}]*outcome="granted"[^}]*\} 1\n/);
  });

  test('gets a pass made from the answer, for the collection, in a cookie on an answer that no cache stores', async () => {
    const answer = await rig.ask('GET', '/vod/summer/a', rig.cookie());
    const { epoch, seq } = rig.log.position;
    const claims = claimsOf(passOf(answer));
    const { iat, exp, ...rest } = claims;
    expect(Number(exp) - Number(iat)).toBe(3600);
    expect(rest).toEqual({
      iss: 'latchkey',
      sub: 'ac_anna',
      email: 'anna@example.org',
      name: 'Anna',
      groups: ['family'],
      grant: 'me_1',
      sid: 'se_anna',
      did: 'dv_anna',
      n: ['ac_anna', 'li_1', 'me_1', 'ak_1', 'se_anna', 'dv_anna'],
      v: [epoch, seq],
      hosts: ['media.example'],
      paths: ['/vod/summer/*'],
    });
    expect(answer.header('Cache-Control')).toBe('private, no-store');
    expect(answer.all('Set-Cookie')).toEqual([
      `latchkey_pass=${passOf(answer)}; Path=/vod/summer/; Max-Age=3600; HttpOnly; SameSite=Lax`,
    ]);
  });

  test('gives no script of the site a token that it could read: the pass is in the cookie alone', async () => {
    const prefers = 'Prefer: token';
    const first = await rig.ask('GET', '/vod/summer/a', rig.cookie(), prefers);
    expect(passOf(first)).not.toBeNull();
    const now = epochSeconds();
    const aged = rig.gateway.mint({ ...claimsOf(passOf(first)), iat: now - 2000, exp: now + 1600 }, 'pass');
    const renewed = await rig.ask('GET', '/vod/summer/b', `${rig.cookie()}; latchkey_pass=${aged}`, prefers);
    expect(passOf(renewed)).not.toBeNull();
    const basic = `Authorization: Basic ${Buffer.from('alice:a long pass phrase').toString('base64')}`;
    const byPassword = await rig.ask('GET', '/either/a', basic, prefers);
    expect(byPassword.header('Latchkey-Token')).toBe(passOf(byPassword));
    const told = [first, renewed].map((answer) => [
      answer.header('Latchkey-Token'),
      answer.header('Preference-Applied'),
    ]);
    expect(told).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  test('looks the same to the upstream by session and by pass, and no cookie of ours gets there', async () => {
    const first = await rig.ask('GET', '/vod/summer/a', `${rig.cookie()}; theirs=1`);
    const identity = [
      'X-Forwarded-User: ac_anna',
      'X-Forwarded-Email: anna@example.org',
      'X-Forwarded-Groups: family',
      'X-Forwarded-Preferred-Username: anna@example.org',
      'X-Latchkey-Grant: me_1',
      'X-Latchkey-Device: dv_anna',
    ];
    const expected = forwardedHead('GET /vod/summer/a', { fields: ['Cookie: theirs=1'], identity });
    expect(seenHead(rig.upstream.last)).toBe(expected);
    await rig.ask('GET', '/vod/summer/a', `Cookie: latchkey_pass=${passOf(first)}; theirs=1`, 'X-Latchkey-Grant: mine');
    expect(seenHead(rig.upstream.last)).toBe(expected);
  });

  test('is not let out of the scope of the answer: another folder, another method, after its end', async () => {
    const untilAt = epochSeconds() + 100;
    rig.answerAccess = async ({ path }) =>
      path === '/vod/summer/a'
        ? rig.granted({ path: '/vod/summer/a', methods: ['GET'], untilAt })
        : rig.none('ac_anna');
    const answer = await rig.ask('GET', '/vod/summer/a', rig.cookie());
    const { exp, paths, methods } = claimsOf(passOf(answer));
    // the end of a token is its exp and the skew
    expect([Number(exp) + 5 <= untilAt, paths, methods]).toEqual([true, ['/vod/summer/a'], ['GET']]);
    expect((await rig.ask('HEAD', '/vod/summer/a', rig.cookie())).status).toBe(200);
    expect((await rig.ask('DELETE', '/vod/summer/a', rig.cookie())).status).toBe(403);
    expect((await rig.ask('GET', '/vod/summer/ab', rig.cookie())).status).toBe(403);
    rig.answerAccess = async () => rig.granted({ untilAt: epochSeconds() - 1 });
    const late = await rig.ask('GET', '/vod/summer/b', rig.cookie());
    expect(passOf(late)).toBeNull();
  });

  test('is known by a pass in the path, which is not renewed', async () => {
    const now = epochSeconds();
    const { epoch, seq } = rig.log.position;
    const pass = rig.gateway.mint(
      {
        sub: 'ac_anna',
        grant: 'me_1',
        sid: 'se_anna',
        did: 'dv_anna',
        n: ['me_1'],
        v: [epoch, seq],
        paths: ['/vod/summer/*'],
        iat: now - 20_000,
        exp: now + 1600,
      },
      'pass',
    );
    const answer = await rig.ask('GET', `/.t/${pass}/vod/summer/a.m3u8`);
    expect([answer.status, answer.all('Set-Cookie'), rig.questions]).toEqual([200, [], []]);
    expect(rig.upstream.last.line).toBe('GET /vod/summer/a.m3u8 HTTP/1.1');
  });
});

describe('a running answer', () => {
  test('of a member ends with the membership, before the revocation is confirmed', async () => {
    const open: Socket[] = [];
    rig.upstream.script((_request, socket) => {
      open.push(socket);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun');
    });
    const client = await RawClient.connect(rig.gateway.port);
    client.write(requestText('GET', '/vod/summer/long', [rig.cookie()]));
    await expect.poll(() => open.length).toBe(1);
    await rig.change('revoke', 'me_1');
    expect((await client.ended()).toString()).toContain('begun');
    client.destroy();
  });
});

describe('an account that is not on the list', () => {
  test('gets a page in plain words, and each path is asked about once', async () => {
    const answer = await rig.ask('GET', '/vod/summer/a', rig.cookie('ben'), html);
    expect([answer.status, answer.header('Content-Type')]).toEqual([403, 'text/html; charset=utf-8']);
    expect(answer.text).toContain('nobody has shared this with your account');
    // both ways on: another account and back here, or what is theirs
    expect([...answer.text.matchAll(/href="([^"]+)"/g)].map(([, target]) => target)).toEqual([
      'http://portal.example/.latchkey/',
      '/.latchkey/logout?return=%2Fvod%2Fsummer%2Fa',
      'http://portal.example/.latchkey/',
      'mailto:help@example.org',
    ]);
    expect((await rig.ask('GET', '/vod/summer/a', rig.cookie('ben'))).status).toBe(403);
    expect(rig.questions).toHaveLength(1);
    expect((await rig.ask('GET', '/vod/summer/b', rig.cookie('ben'))).status).toBe(403);
    expect(rig.questions).toHaveLength(2);
    expect(rig.upstream.requests).toEqual([]);
  });

  test('attack: what stands in the address stays an address on the page', async () => {
    const target = "/vod/summer/%22%3E%3Cb%3E?x='&y=%22";
    const answer = await rig.ask('GET', target, rig.cookie('ben'), html);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain(
      'href="/.latchkey/logout?return=%2Fvod%2Fsummer%2F%2522%253E%253Cb%253E%3Fx%3D&#39;%26y%3D%2522"',
    );
    expect(Number(answer.header('Content-Length'))).toBe(Buffer.byteLength(answer.text));
  });

  test('is let in once it is on the list, and refused once it is off it', async () => {
    expect((await rig.ask('GET', '/vod/summer/a', rig.cookie('ben'))).status).toBe(403);
    rig.answerAccess = async ({ account }) => {
      const answer = rig.granted();
      return answer.kind === 'granted' ? { ...answer, claims: { sub: account }, nodes: ['me_9'] } : answer;
    };
    await rig.change('touch', 'ac_ben');
    const allowed = await rig.ask('GET', '/vod/summer/a', rig.cookie('ben'));
    expect(allowed.status).toBe(200);
    rig.answerAccess = rig.usual;
    await rig.change('revoke', 'me_9');
    const pass = `latchkey_pass=${passOf(allowed)}`;
    const refused = await rig.ask('GET', '/vod/summer/a', `${rig.cookie('ben')}; ${pass}`);
    expect(refused.status).toBe(403);
    expect(refused.all('Set-Cookie')).toEqual([cleared('/vod/summer/')]);
  });

  test('gets the answer that every visitor gets where anyone is let in', async () => {
    expect((await rig.ask('GET', '/open/a', rig.cookie('ben'))).status).toBe(200);
    expect(rig.upstream.last.fields.some((line) => line.startsWith('X-Forwarded-User'))).toBe(false);
  });
});

describe('a question', () => {
  test('is asked once for many requests, and for each account by itself', async () => {
    const answer = held<AccessAnswer>();
    rig.answerAccess = (question) => (question.account === 'ac_anna' ? answer.promise : rig.usual(question));
    const waiting = Array.from({ length: 12 }, () => rig.ask('GET', '/vod/summer/a', rig.cookie()));
    await expect.poll(() => rig.questions.length).toBe(1);
    // another account does not wait for the answer about the first one
    expect((await rig.ask('GET', '/vod/summer/a', rig.cookie('ben'))).status).toBe(403);
    answer.settle(rig.granted());
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(12).fill(200));
    expect(rig.questions.map(({ account }) => account)).toEqual(['ac_anna', 'ac_ben']);
  });

  test('is asked again when a change overtook its answer, which lets no request in', async () => {
    const first = held<AccessAnswer>();
    const old = rig.granted();
    rig.answerAccess = () => (rig.questions.length === 1 ? first.promise : Promise.resolve(rig.none('ac_anna')));
    const waiting = rig.ask('GET', '/vod/summer/a', rig.cookie());
    await expect.poll(() => rig.questions.length).toBe(1);
    await rig.change('revoke', 'me_1');
    first.settle(old);
    expect((await waiting).status).toBe(403);
    expect([rig.questions.length, rig.upstream.requests]).toEqual([2, []]);
  });

  test('that has no answer is a 503 with Retry-After, and no verdict', async () => {
    rig.answerAccess = () => Promise.reject(new Error('the store is away'));
    const away = await rig.ask('GET', '/vod/summer/a', rig.cookie(), html);
    expect([away.status, away.header('Retry-After'), away.all('Set-Cookie')]).toEqual([503, '1', []]);
    rig.answerAccess = rig.usual;
    expect((await rig.ask('GET', '/vod/summer/a', rig.cookie(), html)).status).toBe(200);
  });

  test('about a session that control ended is answered as without a session, for that session alone', async () => {
    rig.answerAccess = async (question) => (question.session === 'se_old' ? { kind: 'ended' } : rig.usual(question));
    const ended = await rig.ask('GET', '/vod/summer/a', rig.cookie('anna', { sid: 'se_old' }));
    expect(ended.status).toBe(401);
    expect(ended.all('Set-Cookie')).toEqual(['latchkey=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax']);
    expect((await rig.ask('GET', '/vod/summer/a', rig.cookie())).status).toBe(200);
  });
});

describe('a pass past half its life', () => {
  const aged = (changes: object = {}) => {
    const now = epochSeconds();
    const { epoch, seq } = rig.log.position;
    const nodes = ['ac_anna', 'me_1', 'se_anna', 'dv_anna'];
    const own = { sub: 'ac_anna', grant: 'me_1', sid: 'se_anna', did: 'dv_anna', n: nodes, v: [epoch, seq] };
    const claims = { ...own, hosts: ['media.example'], paths: ['/vod/summer/*'], iat: now - 2000, exp: now + 1600 };
    return rig.gateway.mint({ ...claims, ...changes }, 'pass');
  };

  /** Asks until an answer carries a pass. */
  async function askUntilRenewed(target: string, cookie: string): Promise<RawResponse> {
    for (let attempt = 0; ; attempt++) {
      const answer = await rig.ask('GET', target, cookie);
      expect(answer.status).toBe(200);
      if (passOf(answer) !== null || attempt === 200) return answer;
    }
  }

  test('is renewed in the background of a request for a segment, by one question', async () => {
    const answer = held<AccessAnswer>();
    rig.answerAccess = () => answer.promise;
    const cookie = `Cookie: latchkey_pass=${aged()}`;
    // the request does not wait for control
    expect(passOf(await rig.ask('GET', '/vod/summer/1.ts', cookie))).toBeNull();
    expect(passOf(await rig.ask('GET', '/vod/summer/2.ts', cookie))).toBeNull();
    answer.settle(rig.granted());
    const renewed = await askUntilRenewed('/vod/summer/3.ts', cookie);
    expect(rig.questions).toHaveLength(1);
    expect(Number(claimsOf(passOf(renewed)).exp) - epochSeconds()).toBeGreaterThan(3590);
    expect(renewed.header('Cache-Control')).toBe('private, no-store');
    const again = await rig.ask('GET', '/vod/summer/4.ts', `Cookie: latchkey_pass=${passOf(renewed)}`);
    expect([again.status, passOf(again), rig.questions.length]).toEqual([200, null, 1]);
  });

  test('is renewed at once from a known answer when the session is there too', async () => {
    await rig.ask('GET', '/vod/summer/a', rig.cookie());
    const answer = await rig.ask(
      'GET',
      '/vod/summer/1.ts',
      `${rig.cookie()}; latchkey_pass=${aged({ grant: 'me_3' })}`,
    );
    expect(passOf(answer)).not.toBeNull();
    expect(rig.questions).toHaveLength(1);
  });

  test('is not renewed when the list does not have its account any more', async () => {
    rig.answerAccess = async () => rig.none('ac_anna');
    const cookie = `Cookie: latchkey_pass=${aged({ grant: 'me_2' })}`;
    expect((await rig.ask('GET', '/vod/summer/1.ts', cookie)).status).toBe(200);
    await expect.poll(() => rig.questions.length).toBe(1);
    for (let part = 2; part < 6; part++)
      expect(passOf(await rig.ask('GET', `/vod/summer/${part}.ts`, cookie))).toBeNull();
    expect(rig.questions).toHaveLength(1);
  });

  test('that a password made is renewed while its record stands', async () => {
    const basic = `Authorization: Basic ${Buffer.from('alice:a long pass phrase').toString('base64')}`;
    const { cred } = claimsOf(passOf(await rig.ask('GET', '/guarded/a', basic)));
    const now = epochSeconds();
    const times = { sub: 'alice', paths: ['/guarded/*'], iat: now - 2000, exp: now + 1600 };
    const pass = rig.gateway.mint({ ...times, cred }, 'pass');
    const renewed = await askUntilRenewed('/guarded/b', `Cookie: latchkey_pass=${pass}`);
    const { id } = Object(cred);
    const { epoch, seq } = rig.log.position;
    const hangsOn = { n: [`cr_${id}`], v: [epoch, seq] };
    expect(claimsOf(passOf(renewed))).toMatchObject({ sub: 'alice', cred, paths: ['/guarded/*'], ...hangsOn });
    const gone = rig.gateway.mint({ ...times, cred: { id: 'c_other', v: 1 } }, 'pass');
    for (let part = 0; part < 5; part++) {
      expect(passOf(await rig.ask('GET', `/guarded/${part}`, `Cookie: latchkey_pass=${gone}`))).toBeNull();
    }
  });
});

describe('a pass that a password made', () => {
  const basic = `Authorization: Basic ${Buffer.from('alice:a long pass phrase').toString('base64')}`;

  test('ends with its record, at once and everywhere, and the password makes a new one while it is good', async () => {
    const before = passOf(await rig.ask('GET', '/guarded/a', basic));
    const cookie = `Cookie: latchkey_pass=${before}`;
    expect((await rig.ask('GET', '/guarded/a', cookie)).status).toBe(200);
    const [node] = Object(claimsOf(before)).n;
    await rig.change('revoke', node);
    expect((await rig.ask('GET', '/guarded/a', cookie)).status).toBe(401);
    const again = passOf(await rig.ask('GET', '/guarded/a', basic));
    expect((await rig.ask('GET', '/guarded/a', `Cookie: latchkey_pass=${again}`)).status).toBe(200);
  });

  test('holds when a gateway with another store made it, until its subject is revoked', async () => {
    const claims = claimsOf(passOf(await rig.ask('GET', '/guarded/a', basic)));
    const { seq } = rig.log.position;
    const theirs = rig.gateway.mint({ ...claims, sub: 'bertha', v: ['another store', seq] }, 'pass');
    expect((await rig.ask('GET', '/guarded/a', `Cookie: latchkey_pass=${theirs}`)).status).toBe(200);
    await rig.change('outside', 'sub:bertha');
    expect((await rig.ask('GET', '/guarded/a', `Cookie: latchkey_pass=${theirs}`)).status).toBe(401);
  });
});

describe('a pass', () => {
  test('that has run out is cleared at its own path, and the session makes a new one', async () => {
    const now = epochSeconds();
    const old = rig.gateway.mint({ sub: 'ac_anna', paths: ['/vod/old/*'], iat: now - 4000, exp: now - 400 }, 'pass');
    const answer = await rig.ask('GET', '/vod/summer/a', `${rig.cookie()}; latchkey_pass=${old}`);
    expect(answer.status).toBe(200);
    expect(answer.all('Set-Cookie')).toHaveLength(2);
    expect(answer.all('Set-Cookie')[0]).toBe(cleared('/vod/old/'));
    expect(passOf(answer)).not.toBeNull();
  });

  test('of another host opens nothing here', async () => {
    const pass = rig.gateway.mint({ hosts: ['other.example'], paths: ['/vod/*'] }, 'pass');
    expect((await rig.ask('GET', '/vod/summer/a', `Cookie: latchkey_pass=${pass}`)).status).toBe(403);
    expect(rig.upstream.requests).toEqual([]);
  });

  test('made for a password is no membership, and is left where it is good', async () => {
    await rig.gateway.reload({
      portal: { public_url: 'http://portal.example' },
      upstreams: { media: { servers: [rig.upstream.url] } },
      routes: [
        { name: 'guarded', path: '/', upstream: 'media', accept: ['password'] },
        { name: 'vod', path: '/vod/', upstream: 'media', accept: ['member'] },
      ],
    });
    const pass = rig.gateway.mint({ sub: 'alice', cred: { id: 'c_a', v: 1 }, paths: ['/*'] }, 'pass');
    expect((await rig.ask('GET', '/a', `Cookie: latchkey_pass=${pass}`)).status).toBe(200);
    rig.upstream.clear();
    const refused = await rig.ask('GET', '/vod/a', `Cookie: latchkey_pass=${pass}`);
    expect([refused.status, refused.all('Set-Cookie'), rig.upstream.requests]).toEqual([401, [], []]);
  });
});
