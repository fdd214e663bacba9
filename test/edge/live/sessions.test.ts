// Sessions: who is led to sign in, whose cookie counts, how it is renewed, and what goes to our own pages.
// gateway/RULES.md "Where a credential may stand", "Status", "Tokens and caches".

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { askRaw, RawClient, requestText } from '../../support/clients/raw-client.ts';
import { forwardedHead, seenHead } from '../../support/peers/forwarded-head.ts';
import { MemberRig } from '../../support/rigs/member-rig.ts';

let rig: MemberRig;
beforeAll(async () => {
  rig = await MemberRig.start({ seenEveryMs: 50 });
});
afterAll(() => rig.close());
beforeEach(() => rig.reset());

const html = 'Accept: text/html';
const navigates = 'Sec-Fetch-Mode: navigate';
const endsSession = 'latchkey=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax';

describe('without a session', () => {
  test.each([
    ['GET', '/club/a?x=1&y=%2F', 302, '%2Fclub%2Fa%3Fx%3D1%26y%3D%252F'],
    ['HEAD', '/vod/a', 302, '%2Fvod%2Fa'],
    ['POST', '/vod/a', 303, '%2Fvod%2Fa'],
    ['GET', `/club/a?${'x'.repeat(5000)}`, 302, '%2F'],
  ])('a person who %ss %s is led to sign in, and back', async (method, target, status, back) => {
    const { ask } = rig;
    const answer = await ask.call(rig, method, target, navigates, ...(method === 'POST' ? ['Content-Length: 0'] : []));
    expect(answer.status).toBe(status);
    expect(answer.header('Location')).toBe(`/.latchkey/login?return=${back}`);
    expect(answer.header('Cache-Control')).toBe('no-store');
    expect([rig.upstream.requests, rig.questions]).toEqual([[], []]);
  });

  test('a program gets a 401, and so does a browser where there is no portal to sign in at', async () => {
    const program = await rig.ask('GET', '/vod/a', 'Accept: */*');
    expect([program.status, program.header('WWW-Authenticate')]).toEqual([401, 'Bearer realm="vod"']);
    const script = await rig.ask('GET', '/vod/a', html, 'X-Requested-With: fetch');
    expect([script.status, script.header('Location')]).toEqual([401, null]);
    expect((await rig.ask('GET', '/plain/a', html)).status).toBe(401);
  });

  test('a person with a bad token in the URL is not led to sign in: what was presented is refused', async () => {
    expect((await rig.ask('GET', '/vod/a?token=x.y.z', html)).status).toBe(401);
  });
});

describe('a session', () => {
  test('opens a route for sessions, and the upstream learns the account and the device', async () => {
    const answer = await rig.ask('GET', '/club/a', rig.cookie('ben', { name: 'Ben', groups: ['staff'] }));
    expect([answer.status, answer.all('Set-Cookie')]).toEqual([200, []]);
    const identity = [
      'X-Forwarded-User: ac_ben',
      'X-Forwarded-Email: ben@example.org',
      'X-Forwarded-Groups: staff',
      'X-Forwarded-Preferred-Username: ben@example.org',
      'X-Latchkey-Device: dv_ben',
    ];
    expect(seenHead(rig.upstream.last)).toBe(forwardedHead('GET /club/a', { identity }));
    expect([rig.questions, rig.renewals]).toEqual([[], []]);
  });

  test.each<[string, () => string]>([
    ['of another host', () => rig.session('anna', { aud: ['other.example'] })],
    ['without an audience', () => rig.session('anna', { aud: undefined })],
    ['without a session id', () => rig.session('anna', { sid: undefined })],
    ['that is a pass', () => rig.gateway.mint({ sub: 'ac_anna', aud: ['media.example'] }, 'pass')],
    ['that is an outside token', () => rig.gateway.mint({ sub: 'ac_anna', aud: ['media.example'] })],
    ['with a byte changed', () => `${rig.session().slice(0, -2)}AA`],
    ['of another epoch', () => rig.session('anna', { v: ['other', 0] })],
  ])('%s counts as none, and is cleared', async (_what, make) => {
    for (const path of ['/club/a', '/vod/summer/a']) {
      const answer = await rig.ask('GET', path, `Cookie: latchkey=${make()}`);
      expect([answer.status, answer.all('Set-Cookie')]).toEqual([401, [endsSession]]);
    }
    expect([rig.upstream.requests, rig.questions, rig.renewals]).toEqual([[], [], []]);
  });

  test('that was revoked counts as none, and is cleared', async () => {
    const cookie = rig.cookie('carl');
    expect((await rig.ask('GET', '/club/a', cookie)).status).toBe(200);
    await rig.change('revoke', 'se_carl');
    const answer = await rig.ask('GET', '/club/a', cookie, navigates);
    expect([answer.status, answer.all('Set-Cookie')]).toEqual([302, [endsSession]]);
  });

  test('is taken from its cookie alone: not as bearer, in the path, in the query or as a pass', async () => {
    const session = rig.session();
    for (const [target, ...fields] of [
      ['/vod/summer/a', `Authorization: Bearer ${session}`],
      [`/.t/${session}/vod/summer/a`],
      [`/vod/summer/a?token=${session}`],
      ['/vod/summer/a', `Cookie: latchkey_pass=${session}`],
      // the name that only https has
      ['/vod/summer/a', `Cookie: __Host-latchkey=${session}`],
    ]) {
      expect((await rig.ask('GET', target ?? '', ...fields)).status, target).toBe(401);
    }
    expect([rig.upstream.requests, rig.questions]).toEqual([[], []]);
  });

  test.each<[string, (session: string) => readonly string[]]>([
    ['a no-break space before its name', (session) => [`\xa0latchkey=${session}`]],
    ['a no-break space as UTF-8 before its name', (session) => [`\xc2\xa0latchkey=${session}`]],
    ['a next-line byte before its name', (session) => [`\x85latchkey=${session}`]],
    ['a byte order mark before its name', (session) => [`\xef\xbb\xbflatchkey=${session}`]],
    ['a no-break space behind its name', (session) => [`latchkey\xa0=${session}`]],
    ['an em space behind its name', (session) => [`latchkey\xe2\x80\x83=${session}`]],
    ['quotes around its name', (session) => [`"latchkey"=${session}`]],
    ['a no-break space before its value', (session) => [`latchkey=\xa0${session}`]],
    ['a no-break space behind its value', (session) => [`latchkey=${session}\xa0`]],
    ['quotes around its value', (session) => [`latchkey="${session}"`]],
    ['no name at all', (session) => [`=latchkey=${session}`]],
    ['the name of another case', (session) => [`Latchkey=${session}`]],
    ['another one beside it', (session) => [`latchkey=planted; latchkey=${session}`]],
    ['another one behind it', (session) => [`latchkey=${session}; latchkey=planted`]],
    ['another one in another field', (session) => [`latchkey=${session}`, 'a=1; latchkey=planted']],
  ])('RFC 6265 §5.4: a cookie with %s is no session', async (_what, cookies) => {
    const fields = cookies(rig.session('ben')).map((cookie) => `Cookie: ${cookie}`);
    const answer = await rig.ask('GET', '/club/a', ...fields);
    expect(answer.status).toBe(401);
    expect([rig.upstream.requests, rig.questions, rig.renewals]).toEqual([[], [], []]);
  });

  test.each([' ', '\t', ' \t '])('with blanks of HTTP around its name and value is one: %j', async (blank) => {
    const cookie = `a=1;${blank}latchkey${blank}=${blank}${rig.session('ben')}${blank};b=2`;
    expect((await rig.ask('GET', '/club/a', `Cookie: ${cookie}`)).status).toBe(200);
    expect(seenHead(rig.upstream.last)).toContain('\r\nCookie: a=1;b=2\r\n');
  });

  test('that was sent twice with the same value counts once', async () => {
    const session = rig.session('ben');
    expect((await rig.ask('GET', '/club/a', `Cookie: latchkey=${session}; latchkey=${session}`)).status).toBe(200);
  });

  test('that has run out is renewed by control before the request goes on, once for all that wait', async () => {
    const now = epochSeconds();
    const old = rig.cookie('anna', { iat: now - 3600, exp: now - 2700 });
    const token = rig.session();
    rig.answerSession = async () => ({ kind: 'renewed', token, maxAgeSeconds: 600_000 });
    const answer = await rig.ask('GET', '/club/a', old);
    expect(answer.status).toBe(200);
    expect(answer.all('Set-Cookie')).toEqual([`latchkey=${token}; Path=/; Max-Age=600000; HttpOnly; SameSite=Lax`]);
    expect(answer.header('Cache-Control')).toBe('private, no-store');
    expect(rig.renewals).toEqual([
      { account: 'ac_anna', session: 'se_anna', device: 'dv_anna', host: 'media.example' },
    ]);
    // and then the access list is asked, for the same request
    const member = await rig.ask('GET', '/vod/summer/a', old);
    expect([member.status, member.all('Set-Cookie').length, rig.questions.length]).toEqual([200, 2, 1]);
  });

  test('that has run out and is over is cleared; while control is away it is a 503', async () => {
    const now = epochSeconds();
    const old = rig.cookie('anna', { iat: now - 3600, exp: now - 2700 });
    const over = await rig.ask('GET', '/club/a', old, navigates);
    expect([over.status, over.all('Set-Cookie')]).toEqual([302, [endsSession]]);
    rig.answerSession = () => Promise.reject(new Error('the store is away'));
    const away = await rig.ask('GET', '/club/a', old, navigates);
    expect([away.status, away.all('Set-Cookie')]).toEqual([503, []]);
    // control cannot make it another account's
    rig.answerSession = async () => ({ kind: 'renewed', token: rig.session('ben'), maxAgeSeconds: 60 });
    expect((await rig.ask('GET', '/club/a', old)).status).toBe(503);
    expect(rig.upstream.requests).toEqual([]);
  });

  test('past half its life is renewed in the background, and cleared when it is over', async () => {
    const now = epochSeconds();
    const times = { iat: now - 600, exp: now + 300 };
    const token = rig.session('dora');
    rig.answerSession = async () => ({ kind: 'renewed', token, maxAgeSeconds: 1000 });
    const aged = rig.cookie('dora', times);
    let cookies: string[] = [];
    for (let attempt = 0; cookies.length === 0 && attempt < 200; attempt++) {
      const answer = await rig.ask('GET', '/club/a', aged);
      expect(answer.status).toBe(200);
      cookies = answer.all('Set-Cookie');
    }
    expect(cookies).toEqual([`latchkey=${token}; Path=/; Max-Age=1000; HttpOnly; SameSite=Lax`]);
    expect(rig.renewals).toHaveLength(1);

    rig.answerSession = async () => ({ kind: 'ended' });
    const over = rig.cookie('emil', times);
    cookies = [];
    for (let attempt = 0; cookies.length === 0 && attempt < 200; attempt++) {
      cookies = (await rig.ask('GET', '/club/a', over)).all('Set-Cookie');
    }
    expect(cookies).toEqual([endsSession]);
  });

  test('over TLS that ends before us has the name with the prefix, and the attribute Secure', async () => {
    const behind = await MemberRig.start({ config: { trusted_proxies: ['127.0.0.1'] } });
    try {
      const session = behind.session();
      const https = 'X-Forwarded-Proto: https';
      expect((await behind.ask('GET', '/club/a', https, `Cookie: __Host-latchkey=${session}`)).status).toBe(200);
      // anybody with a site under the same domain can set the plain name
      const plain = await behind.ask('GET', '/club/a', https, `Cookie: latchkey=${session}`);
      expect(plain.status).toBe(401);
      const bad = await behind.ask('GET', '/club/a', https, 'Cookie: __Host-latchkey=x');
      expect(bad.all('Set-Cookie')).toEqual(['__Host-latchkey=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure']);
    } finally {
      await behind.close();
    }
  });

  test('does not let a page of another site open a WebSocket', async () => {
    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Origin: http://evil.example',
    ];
    for (const path of ['/club/a', '/vod/summer/a']) {
      const answer = await rig.ask(
        'GET',
        path,
        ...upgrade,
        `Sec-WebSocket-Key: ${btoa('0123456789abcdef')}`,
        rig.cookie(),
      );
      expect(answer.status).toBe(403);
    }
    expect(rig.upstream.requests).toEqual([]);
  });
});

test('a session counts for nothing while it is not known well enough what was revoked, and nobody is sent away for it', async () => {
  const brief = { upstream: 'media', max_staleness: '1s' };
  const other = await MemberRig.start({
    config: {
      routes: [
        { name: 'club', path: '/club/', accept: ['session'], ...brief },
        { name: 'vod', path: '/vod/', accept: ['member'], ...brief },
      ],
    },
  });
  const ask = () =>
    Promise.all(['/club/a', '/vod/summer/a'].map((path) => other.ask('GET', path, other.cookie(), navigates)));
  try {
    expect((await ask()).map(({ status }) => status)).toEqual([200, 200]);
    await other.gateway.control.close();
    await expect
      .poll(async () => (await ask()).map(({ status }) => status), { interval: 50, timeout: 20_000 })
      .toEqual([503, 503]);
    other.upstream.clear();
    for (const answer of await ask()) {
      expect([answer.header('Retry-After'), answer.all('Set-Cookie')]).toEqual(['1', []]);
    }
    expect(other.upstream.requests).toEqual([]);
  } finally {
    await other.close();
  }
});

describe('a link', () => {
  const target = '/vod/summer/a?key=ak_1&authtoken=sel.secret';

  test.each<[string, () => string[]]>([
    ['by a person without a session', () => [html]],
    ['by somebody who is signed in', () => [html, `${rig.cookie()}; latchkey_flow=f; latchkey_pass=p`]],
    ['by a program', () => []],
  ])('presented %s goes to our pages as it came, and never to the site', async (_who, fields) => {
    const sent = fields();
    const answer = await rig.ask('GET', target, ...sent, 'X-Forwarded-User: evil', 'X-Latchkey-Grant: evil');
    expect([answer.status, answer.text]).toEqual([200, 'a page']);
    const [page, ...others] = rig.pages;
    expect([page?.method, page?.url, others, rig.upstream.requests]).toEqual(['GET', target, [], []]);
    expect(page?.headers.cookie).toBe(sent.find((line) => line.startsWith('Cookie: '))?.slice('Cookie: '.length));
    expect(page?.headers['x-forwarded-host']).toBe('media.example');
    expect([page?.headers['x-forwarded-user'], page?.headers['x-latchkey-grant']]).toEqual([undefined, undefined]);
    // our pages alone may set our cookies
    expect(answer.all('Set-Cookie')).toEqual([
      'latchkey=new; Path=/; HttpOnly',
      'latchkey_flow=f; Path=/; HttpOnly',
      'other=1',
    ]);
    const [line] = (await rig.gateway.readLog('access', '/vod/summer/a')).slice(-1);
    expect(JSON.stringify(line)).not.toContain('secret');
  });

  test('beside another credential, or twice, is a 400', async () => {
    const token = rig.gateway.mint();
    for (const [where, ...fields] of [
      [`${target}&authtoken=other`],
      [target, `Authorization: Bearer ${token}`],
      [`${target}&token=${token}`],
      [`/.t/${token}${target}`],
      [target.replace('/vod/', '/either/'), `Authorization: Basic ${btoa('a:b')}`],
    ]) {
      expect((await rig.ask('GET', where ?? '', ...fields)).status, where).toBe(400);
    }
    expect([rig.pages, rig.upstream.requests]).toEqual([[], []]);
  });

  test('on a route that takes no members is a parameter of the site’s', async () => {
    const { status } = await rig.ask('GET', '/plain/a?authtoken=x', `Authorization: Bearer ${rig.gateway.mint()}`);
    expect([status, rig.upstream.last.line]).toEqual([200, 'GET /plain/a?authtoken=x HTTP/1.1']);
    expect(rig.pages).toEqual([]);
  });
});

describe('our own pages', () => {
  test('get our cookies and Authorization, and set our cookies; a site does neither', async () => {
    const cookie = `${rig.cookie()}; theirs=1`;
    const answer = await rig.ask('GET', '/.latchkey/me', cookie, 'Authorization: Bearer x', 'Remote-User: evil');
    expect(answer.all('Set-Cookie')).toHaveLength(3);
    const headers = rig.pages[0]?.headers;
    expect([headers?.cookie, headers?.authorization]).toEqual([cookie.slice('Cookie: '.length), 'Bearer x']);
    expect(headers?.['remote-user']).toBeUndefined();
    rig.upstream.fallback = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: latchkey=evil\r\n\r\n';
    expect((await rig.ask('GET', '/club/a', cookie)).all('Set-Cookie')).toEqual([]);
    expect(rig.upstream.last.fields.filter((line) => line.startsWith('Cookie'))).toEqual(['Cookie: theirs=1']);
  });

  test('are told the host that was decided on, whatever a proxy passes on; and bodies in drips keep nobody out', async () => {
    const behind = await MemberRig.start({ config: { trusted_proxies: ['127.0.0.1'] } });
    try {
      const said = ['X-Forwarded-Host: portal.example', 'X-Forwarded-Proto: https', 'X-Forwarded-For: 203.0.113.7'];
      for (const path of ['/.latchkey/login', '/vod/summer/a?authtoken=x']) {
        await behind.ask('GET', path, 'Host: media.example:8443', ...said);
        const headers = behind.pages.at(-1)?.headers;
        expect(headers?.['x-forwarded-host'], path).toBe('media.example:8443');
        expect(headers?.['x-forwarded-proto'], path).toBe('https');
        expect(headers?.['x-forwarded-for'], path).toBe('203.0.113.7, 127.0.0.1');
      }
      await dripAway(behind, (number) => (number < 9 ? '203.0.113.7' : `198.51.100.${number}`));
    } finally {
      await behind.close();
    }
  });

  /** Many bodies that come in drips: of one client, and then of many. Each makes room in the end, and a form that is whole passes. */
  async function dripAway(behind: MemberRig, addressOf: (number: number) => string): Promise<void> {
    const clients: RawClient[] = [];
    const answers: number[] = [];
    const drip = async (): Promise<void> => {
      const from = [`X-Forwarded-For: ${addressOf(clients.length)}`, 'Content-Type: application/json'];
      const client = await RawClient.connect(behind.gateway.port);
      clients.push(client);
      client.write(`${requestText('POST', '/.latchkey/login', [...from, 'Content-Length: 100'])}{`);
      client.read().then(
        ({ status }) => answers.push(status),
        () => undefined,
      );
    };
    const whole = () =>
      askRaw(
        behind.gateway.port,
        `${requestText('POST', '/.latchkey/login', ['Content-Type: application/json', 'Content-Length: 2'])}{}`,
      );
    try {
      while (clients.length < 9) await drip();
      await expect.poll(() => answers).toEqual([408]);
      while (clients.length < 33) await drip();
      expect((await whole()).status).toBe(200);
      await drip();
      await expect.poll(() => answers.length).toBeGreaterThan(1);
      expect(new Set(answers)).toEqual(new Set([408]));
      expect((await behind.ask('GET', '/.latchkey/login')).status).toBe(200);
    } finally {
      for (const client of clients) client.destroy();
    }
  }

  test('are on the portal’s host, which has no route', async () => {
    expect((await rig.ask('GET', '/.latchkey/login', 'Host: portal.example')).status).toBe(200);
  });
});

describe('last use', () => {
  test('of sessions and grants is reported in batches; refused requests are not', async () => {
    await rig.ask('GET', '/club/a', rig.cookie('fay'));
    await rig.ask('GET', '/vod/summer/a', rig.cookie('anna'));
    await rig.ask('GET', '/vod/summer/a', rig.cookie('gus'));
    const told = () =>
      rig.seen.flatMap(({ seen }) => seen.map(({ session, device, member }) => ({ session, device, member })));
    const [fay, anna] = [
      { session: 'se_fay', device: 'dv_fay', member: null },
      { session: 'se_anna', device: 'dv_anna', member: 'me_1' },
    ];
    await expect.poll(told).toEqual(expect.arrayContaining([fay, anna]));
    expect(told().filter(({ session }) => session === 'se_gus')).toEqual([]);
    expect(rig.seen[0]?.edge).toBe('e1');
  });

  test('is reported once more when an edge ends', async () => {
    const other = await MemberRig.start({ seenEveryMs: 600_000 });
    try {
      await other.ask('GET', '/club/a', other.cookie());
      expect(other.seen).toEqual([]);
      await other.gateway.edge.drain(0);
      expect(other.seen[0]?.seen).toMatchObject([{ session: 'se_anna', member: null }]);
    } finally {
      await other.close();
    }
  });
});
