// Signing in and out as a browser without scripts does: cookies, return addresses, forms of other sites, fixation, hand-overs.
// Rules: gateway/RULES.md "Sessions, links and guessing".

import { describe, expect, test } from 'vitest';
import { makePortal, mediaOrigin, password, portalOrigin } from '../../support/rigs/portal-rig.ts';

const email = 'ann@example.org';

test('a visitor signs in with address and password, and the front page opens', async () => {
  const portal = await makePortal();
  await portal.addAccount(email);
  const ann = portal.visitor();
  const answer = await ann.signIn(email);
  expect(answer.status).toBe(303);
  const home = await ann.follow(answer);
  expect([home.status, home.url.pathname]).toEqual([200, '/.latchkey/']);
  expect(home.text).toContain(email);
});

test('a wrong password and an unknown address get the same page', async () => {
  const portal = await makePortal();
  await portal.addAccount(email);
  const pages = [];
  for (const [address, secret] of [
    [email, 'wrong password here'],
    ['nobody@example.org', password],
  ] as const) {
    const visitor = portal.visitor();
    const answer = await visitor.signIn(address, secret);
    expect(answer.status).toBe(422);
    expect(visitor.cookies.get('portal.localhost')?.has('latchkey')).toBe(false);
    pages.push(answer.text.replaceAll(address, 'ADDRESS').replace(/name="form_token" value="[^"]*"/g, ''));
  }
  expect(pages[0]).toBe(pages[1]);
});

describe('cookies', () => {
  const attributesOf = (line: string): string[] => line.split('; ').slice(1).sort();

  test('over https all cookies have __Host-, Secure, HttpOnly, SameSite=Lax, Path=/', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor({ origin: 'https://portal.localhost:8080', address: '192.0.2.7' });
    const page = await ann.get('/.latchkey/login');
    const answer = await ann.submit(page, '/login', { email, password });
    const lines = [...page.cookies, ...answer.cookies];
    expect(new Set(lines.map((line) => line.split('=')[0]))).toEqual(
      new Set(['__Host-latchkey', '__Host-latchkey_device', '__Host-latchkey_flow']),
    );
    for (const line of lines) {
      expect(attributesOf(line)).toEqual([
        'HttpOnly',
        expect.stringMatching(/^Max-Age=\d+$/),
        'Path=/',
        'SameSite=Lax',
        'Secure',
      ]);
    }
  });

  test('on plain http over loopback cookies lose the prefix __Host- and the attribute Secure, nothing else', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const answer = await portal.visitor().signIn(email);
    expect(new Set(answer.cookies.map((line) => line.split('=')[0]))).toEqual(
      new Set(['latchkey', 'latchkey_device', 'latchkey_flow']),
    );
    for (const line of answer.cookies) {
      expect(attributesOf(line)).toEqual([
        'HttpOnly',
        expect.stringMatching(/^Max-Age=\d+$/),
        'Path=/',
        'SameSite=Lax',
      ]);
    }
  });

  test('on plain http from elsewhere cookies are Secure, so that no browser sends them in the clear', async () => {
    const portal = await makePortal();
    const page = await portal.visitor({ address: '192.0.2.7' }).get('/.latchkey/login');
    expect(page.cookies[0]).toMatch(/^__Host-latchkey_flow=.*; Secure/);
  });

  test('the session cookie with the plain name is not read where the __Host- name is in force', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    await ann.signIn(email);
    const token = ann.cookies.get('portal.localhost')?.get('latchkey') ?? '';
    const https = portal.visitor({ origin: 'https://portal.localhost:8080', address: '192.0.2.7' });
    expect((await https.get('/.latchkey/me', { cookie: `latchkey=${token}` })).status).toBe(401);
    expect((await https.get('/.latchkey/me', { cookie: `__Host-latchkey=${token}` })).status).toBe(200);
  });

  test.each([
    ['a no-break space before its name', (token: string) => `\xa0latchkey=${token}`],
    ['a no-break space behind its name', (token: string) => `latchkey\xa0=${token}`],
    ['quotes around its value', (token: string) => `latchkey="${token}"`],
    ['an encoded value', (token: string) => `latchkey=${token.replace('.', '%2E')}`],
    ['another one beside it', (token: string) => `latchkey=${token}; latchkey=planted`],
  ])('attack: cookie tossing. A session cookie with %s is none', async (_what, cookie) => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    await ann.signIn(email);
    const token = ann.cookies.get('portal.localhost')?.get('latchkey') ?? '';
    const status = async (line: string) => (await portal.visitor().get('/.latchkey/me', { cookie: line })).status;
    expect(await status(`a=1;\t latchkey=${token}`)).toBe(200);
    expect(await status(cookie(token))).toBe(401);
  });
});

describe('a session does not outlive its sign-in', () => {
  test('attack: session fixation. Each sign-in gives a new id, and the session before is over', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    await portal.addAccount('mallory@example.org');
    const browser = portal.visitor();
    await browser.signIn('mallory@example.org');
    const planted = browser.cookies.get('portal.localhost')?.get('latchkey') ?? '';
    // the sign-in page goes on by itself for who is signed in: a second sign-in needs that session's form
    const page = await browser.get('/.latchkey/account');
    const token = /name="form_token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    await browser.post('/.latchkey/login', { form_token: token, email, password });
    const own = browser.cookies.get('portal.localhost')?.get('latchkey') ?? '';
    expect(own).not.toBe(planted);
    expect(JSON.parse((await browser.get('/.latchkey/me')).text)).toMatchObject({ email });
    expect((await portal.visitor().get('/.latchkey/me', { cookie: `latchkey=${planted}` })).status).toBe(401);
  });

  test('signing out ends the session’s row, so the token alone opens nothing afterwards', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    const home = await ann.follow(await ann.signIn(email));
    const token = ann.cookies.get('portal.localhost')?.get('latchkey') ?? '';
    // whoever wants in with another account comes back to where they were, and nowhere else
    const other = await ann.get('/.latchkey/logout?return=%2Fvod%2Fa');
    expect(other.text).toContain('Use another account');
    expect((await ann.get('/.latchkey/logout?return=%2F%2Fevil.example')).text).not.toContain('evil');
    expect((await portal.visitor().get('/.latchkey/logout?return=%2Fvod%2Fa')).location).toBe(
      '/.latchkey/login?return=%2Fvod%2Fa',
    );
    const out = await ann.follow(await ann.submit(home, '/logout'));
    expect(out.text).toContain('signed out');
    expect(ann.cookies.get('portal.localhost')?.has('latchkey')).toBe(false);
    expect((await portal.visitor().get('/.latchkey/me', { cookie: `latchkey=${token}` })).status).toBe(401);
  });

  test('a token past half its life is renewed, and so is an expired token while the session lives', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    await ann.signIn(email);
    const first = ann.cookies.get('portal.localhost')?.get('latchkey');
    portal.clock.now += 8 * 60;
    expect((await ann.get('/.latchkey/account')).cookies.some((line) => line.startsWith('latchkey='))).toBe(true);
    expect(ann.cookies.get('portal.localhost')?.get('latchkey')).not.toBe(first);
    portal.clock.now += 3 * 24 * 3600;
    expect((await ann.get('/.latchkey/account')).status).toBe(200);
    portal.clock.now += 8 * 24 * 3600;
    expect((await ann.get('/.latchkey/account')).location).toContain('/.latchkey/login?return=');
  });
});

describe('where people go afterwards', () => {
  const returns: readonly (readonly [string, string])[] = [
    ['/vod/summer/?a=1', '/vod/summer/?a=1'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https:evil.example', '/'],
    ['https://evil.example/', '/'],
    ['/%09/evil.example', '/'],
    ['/\t/evil.example', '/'],
    ['/%2fevil.example', '/'],
    ['/%5cevil.example', '/'],
    ['/a/../evil', '/'],
    ['/a/%2e%2e/%2e%2e/evil', '/'],
    ['javascript:alert(1)', '/'],
    ['/a#b', '/'],
    ['/a?b=<script>', '/'],
    ['/a\r\nSet-Cookie: a=b', '/'],
    ['', '/'],
  ];

  test('attack: open redirect. A visitor is only sent to a valid path of the same origin', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    expect((await ann.signIn(email, password, '/.latchkey/login?return=%2F%2Fevil.example')).location).toBe('/');
    for (const [back, expected] of returns) {
      // signed in by now, so the page goes on by itself
      const answer = await ann.get(`/.latchkey/login?return=${encodeURIComponent(back)}`);
      expect([back, answer.status, answer.location]).toEqual([back, 303, expected]);
    }
  });
});

describe('forms of other sites', () => {
  test('attack: login CSRF. A form without a token, with a forged token or with another browser’s token signs nobody in', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const other = await portal.visitor().get('/.latchkey/login');
    const theirs = /name="form_token" value="([^"]+)"/.exec(other.text)?.[1] ?? '';
    for (const token of [undefined, '', 'x', theirs, `${theirs}x`]) {
      const victim = portal.visitor();
      await victim.get('/.latchkey/login');
      const fields = { email, password, ...(token === undefined ? {} : { form_token: token }) };
      const answer = await victim.post('/.latchkey/login', fields);
      expect(answer.status, String(token)).toBe(403);
      expect(victim.cookies.get('portal.localhost')?.has('latchkey')).toBe(false);
    }
  });

  test('attack: a token of another session, or from before sign-in, changes nothing', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    await portal.addAccount('mallory@example.org');
    const ann = portal.visitor();
    const before = /name="form_token" value="([^"]+)"/.exec((await ann.get('/.latchkey/login')).text)?.[1] ?? '';
    await ann.signIn(email);
    const mallory = portal.visitor();
    await mallory.signIn('mallory@example.org');
    const theirs = /name="form_token" value="([^"]+)"/.exec((await mallory.get('/.latchkey/account')).text)?.[1] ?? '';
    for (const token of [theirs, before]) {
      const answer = await ann.post('/.latchkey/account/name', { form_token: token, name: 'Mallory' });
      expect(answer.status).toBe(403);
    }
    expect((await ann.get('/.latchkey/account')).text).not.toContain('Mallory');
  });

  test('attack: cross-site POST. A form with a good token is refused by Sec-Fetch-Site and by Origin', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    await ann.signIn(email);
    const page = await ann.get('/.latchkey/account');
    const refused: readonly (readonly [string, Readonly<Record<string, string | undefined>>])[] = [
      ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }],
      ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }],
      ['Sec-Fetch-Site: none', { 'sec-fetch-site': 'none' }],
      ['Origin of another site', { 'sec-fetch-site': undefined, origin: 'https://evil.example' }],
      ['Origin: null', { 'sec-fetch-site': undefined, origin: 'null' }],
      ['Origin of another port', { 'sec-fetch-site': undefined, origin: 'http://portal.localhost:8081' }],
    ];
    for (const [name, headers] of refused) {
      const answer = await ann.submit(page, '/account/name', { name: 'Mallory' }, headers);
      expect([name, answer.status]).toEqual([name, 403]);
    }
    const fine = { 'sec-fetch-site': undefined, origin: portalOrigin };
    expect((await ann.submit(page, '/account/name', { name: 'Ann' }, fine)).status).toBe(303);
    expect((await ann.get('/.latchkey/account')).text).not.toContain('Mallory');
  });

  test('with several tabs each form works, whichever was opened first', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    const first = await ann.get('/.latchkey/login?return=/one');
    const second = await ann.get('/.latchkey/login?return=/two');
    expect((await ann.submit(first, '/login', { email, password })).location).toBe('/one');
    // signed in meanwhile: the second form is old, and the page goes on by itself
    expect((await ann.follow(await ann.submit(second, '/login', { email, password }))).url.pathname).toBe('/two');
  });
});

describe('hand-over to another host', () => {
  test('leads back to the page that was asked for, with a session of that host only', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    const start = await ann.get(`${mediaOrigin}/.latchkey/login?return=${encodeURIComponent('/vod/summer/?a=1')}`);
    expect(start.location).toMatch(/^http:\/\/portal\.localhost:8080\/\.latchkey\/login\?handover=[\w.-]+$/);
    const page = await ann.follow(start);
    expect(page.text).toContain('media.localhost');
    const answer = await ann.submit(page, '/login', { email, password });
    expect(answer.location).toMatch(/^http:\/\/media\.localhost:8080\/\.latchkey\/handover\?code=[\w.-]+&flow=[\w-]+$/);
    const back = await ann.get(answer.location ?? '');
    expect([back.status, back.location, back.headers['referrer-policy']]).toEqual([
      303,
      '/vod/summer/?a=1',
      'no-referrer',
    ]);
    const token = ann.cookies.get('media.localhost')?.get('latchkey') ?? '';
    expect(token).not.toBe('');
    // v1 takes the portal's session only
    expect((await portal.visitor().get('/.latchkey/v1/me', { cookie: `latchkey=${token}` })).status).toBe(401);
  });

  test('happens without a question when the portal knows the visitor already', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    await ann.signIn(email);
    const start = await ann.get(`${mediaOrigin}/.latchkey/login?return=/vod/summer/`);
    const portalAnswer = await ann.get(start.location ?? '');
    expect(portalAnswer.location).toContain(`${mediaOrigin}/.latchkey/handover?code=`);
  });

  test('attack: a stolen code. The code opens nothing in another browser, a second time, at another host, or too late', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const codeOf = async (): Promise<{ browser: ReturnType<typeof portal.visitor>; url: string }> => {
      const browser = portal.visitor();
      await browser.signIn(email);
      const start = await browser.get(`${mediaOrigin}/.latchkey/login?return=/vod/`);
      return { browser, url: (await browser.get(start.location ?? '')).location ?? '' };
    };
    const stolen = await codeOf();
    const thief = portal.visitor();
    await thief.get(`${mediaOrigin}/.latchkey/login?return=/vod/`);
    expect((await thief.get(stolen.url)).status).toBe(410);
    expect(thief.cookies.get('media.localhost')?.has('latchkey')).toBe(false);

    // the thief's own flow with the stolen code: the nonce does not fit, and the code is spent
    const flow = new URL((await codeOf()).url).searchParams.get('flow') ?? '';
    expect(flow).not.toBe('');
    const own = await codeOf();
    const forged = new URL(own.url);
    forged.searchParams.set('code', new URL(stolen.url).searchParams.get('code') ?? '');
    expect((await own.browser.get(forged.href)).status).toBe(410);

    const twice = await codeOf();
    expect((await twice.browser.get(twice.url)).status).toBe(303);
    expect((await twice.browser.get(twice.url)).status).toBe(410);

    const late = await codeOf();
    portal.clock.now += 61;
    expect((await late.browser.get(late.url)).status).toBe(410);

    const elsewhere = await codeOf();
    expect((await elsewhere.browser.get(elsewhere.url.replace('media.', 'portal.'))).status).toBe(410);
  });

  test('HEAD spends no code', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    await ann.signIn(email);
    const start = await ann.get(`${mediaOrigin}/.latchkey/login?return=/vod/`);
    const url = (await ann.get(start.location ?? '')).location ?? '';
    await ann.send('HEAD', url, null, {});
    expect((await ann.get(url)).status).toBe(303);
  });

  test('attack: a forged hand-over. A request that latchkey did not make, or for a host that it does not serve, is refused', async () => {
    const portal = await makePortal();
    await portal.addAccount(email);
    const ann = portal.visitor();
    await ann.signIn(email);
    expect((await ann.get('/.latchkey/login?handover=s1.AAAA')).status).toBe(410);
    const start = await ann.get(`${mediaOrigin}/.latchkey/login`);
    portal.configure((config) => ({
      ...config,
      collections: [],
      portal: config.portal === null ? null : { ...config.portal, hosts: [] },
    }));
    expect((await ann.get(start.location ?? '')).status).toBe(410);
  });
});
