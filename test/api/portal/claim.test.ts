// Opening a tokenized URL as browsers, previews and programs do it, on the server of public.sock with a real store.
// From the address with the token to the clean one: sign-in, the question, the claim, the pass, and every page that says why not.
// It is over 400 lines because one visitor goes through all of it, and its rig is the greater part of every piece.

import { beforeEach, describe, expect, test } from 'vitest';
import { createLink } from '../../../gateway/control/links/create-link.ts';
import { revokeLink } from '../../../gateway/control/links/revoke-link.ts';
import { revokeMember } from '../../../gateway/control/links/revoke-member.ts';
import {
  type Answer,
  makePortal,
  mediaOrigin,
  type PortalRig,
  password,
  type Visitor,
} from '../../support/rigs/portal-rig.ts';

type NewLink = Parameters<typeof createLink>[2];

const direct = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
const fromElsewhere = { ...direct, 'sec-fetch-site': 'cross-site' };
const operator = { kind: 'operator' } as const;

let portal: PortalRig;

beforeEach(async () => {
  portal = await makePortal();
  portal.configure((config) => {
    const [route] = config.routes;
    if (route === undefined) throw new Error('the sample has no route');
    return { ...config, routes: [{ ...route, host: 'media.localhost', path: '/vod/' }] };
  });
  await portal.addAccount('owner@example.org');
});

async function makeUrl(fields: Partial<NewLink> = {}): Promise<{ readonly url: string; readonly id: string }> {
  const input = { collection: 'summer', label: 'Film <night>', requestId: null, ...fields };
  const made = await createLink(portal.context, operator, input);
  if (made.kind !== 'created') throw new Error(`no link: ${JSON.stringify(made)}`);
  return { url: made.url, id: made.link.id };
}

/** A browser that is signed in at the portal, and on the content's host as well. */
async function signedIn(email: string): Promise<Visitor> {
  await portal.addAccount(email);
  const visitor = portal.visitor();
  await visitor.signIn(email);
  await visitor.follow(await visitor.get(`${mediaOrigin}/.latchkey/login?return=%2Fvod%2Fsummer%2F`));
  expect(visitor.cookies.get('media.localhost')?.has('latchkey')).toBe(true);
  // whoever signs in in the second in which a link is opened did so for the link
  portal.clock.now += 60;
  return visitor;
}

async function counts(): Promise<string> {
  const of = async (table: 'members' | 'changes' | 'audit' | 'outbox') =>
    (await portal.store.sql.selectFrom(table).selectAll().execute()).length;
  const used = await portal.store.sql.selectFrom('links').select(['id', 'claims_used']).orderBy('id').execute();
  return JSON.stringify([await of('members'), await of('changes'), await of('audit'), await of('outbox'), used]);
}

function passOf(answer: Answer): string | undefined {
  return answer.cookies.find((line) => line.startsWith('latchkey_pass='));
}

function secretOf(url: string): string {
  return new URL(url).searchParams.get('authtoken') ?? '';
}

describe('somebody who is signed in', () => {
  test('opens it: one claim, a pass for the collection, the clean address with what else stood there', async () => {
    const { url } = await makeUrl();
    const anna = await signedIn('anna@example.org');
    const answer = await anna.openLink(`${url}&t=90&part=a%20b`, direct);
    // a site may lead on to another origin, and a browser holds redirects after a form to the form's policy
    expect([answer.status, answer.location]).toEqual([200, '/vod/summer/?t=90&part=a%20b']);
    expect(answer.headers['referrer-policy']).toBe('no-referrer');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(passOf(answer)).toMatch(
      /^latchkey_pass=[\w.-]+; Max-Age=3600; Path=\/vod\/summer\/; HttpOnly; SameSite=Lax$/,
    );

    const claims = JSON.parse(Buffer.from(passOf(answer)?.split('.')[1] ?? '', 'base64url').toString());
    const member = await portal.store.sql.selectFrom('members').selectAll().executeTakeFirstOrThrow();
    expect(claims).toMatchObject({ hosts: ['media.localhost'], paths: ['/vod/summer/*'], grant: member.id });
    expect(claims.n).toEqual(expect.arrayContaining([member.id, member.link_id, member.access_key_id, 'co_summer']));
    expect(claims.n).toEqual(expect.arrayContaining([member.account_id, claims.sid, claims.did]));
    const { epoch, seq } = await portal.store.readPosition();
    expect(claims.v).toEqual([epoch, seq]);
    expect(JSON.stringify(claims)).not.toContain(secretOf(url));
  });

  test('gets a pass that is no wider and no longer than the link', async () => {
    const accessUntilAt = portal.clock.now + 1000;
    const { url } = await makeUrl({ methods: ['GET'], accessUntilAt });
    const anna = await signedIn('anna@example.org');
    const pass = passOf(await anna.openLink(url, direct));
    const { exp, methods } = JSON.parse(Buffer.from(pass?.split('.')[1] ?? '', 'base64url').toString());
    // whoever reads it adds what clocks may differ
    expect([exp, methods]).toEqual([accessUntilAt - 5, ['GET']]);
  });

  test('attack: a redirecting link. Whatever a browser says of where it came from, a page asks first, and names the owner and what they will see', async () => {
    const { url } = await makeUrl();
    const anna = await signedIn('anna@example.org');
    await portal.store.write((unit) =>
      unit.sql
        .updateTable('accounts')
        .set({ display_name: 'Anna <Berg>' })
        .where('email', '=', 'anna@example.org')
        .execute(),
    );
    const before = await counts();
    let page: Answer | null = null;
    const ways: readonly Readonly<Record<string, string | undefined>>[] = [
      // typed, or from a mail over a site that redirects: browsers say the same of both
      direct,
      { ...direct, 'sec-fetch-user': '?1' },
      fromElsewhere,
      { ...direct, 'sec-fetch-site': 'same-site' },
      { ...direct, 'sec-fetch-site': 'same-origin' },
      // browsers that say nothing
      {},
    ];
    for (const way of ways) {
      const site = JSON.stringify(way);
      const answer = await anna.get(url, way);
      expect(answer.status, site).toBe(303);
      expect(answer.location, site).toMatch(/^\/\.latchkey\/claim\?flow=[\w-]+$/);
      page = await anna.get(`${mediaOrigin}${answer.location}`, way);
      expect(page.status, site).toBe(200);
      expect(page.headers['content-security-policy'], site).toContain("frame-ancestors 'none'");
      expect([page.headers['x-frame-options'], page.headers['cache-control']]).toEqual(['DENY', 'no-store']);
      expect(page.text).toContain('Film &lt;night&gt;');
      expect(page.text).toContain('owner@example.org');
      expect(page.text).toContain('your name and address: Anna &lt;Berg&gt;, anna@example.org');
      expect(page.text).toContain('the names of the devices you use');
      expect(page.text).not.toContain(secretOf(url));
    }
    expect(await counts()).toBe(before);
    if (page === null) throw new Error('no page');
    const opened = await anna.submit(page, '/claim');
    expect([opened.status, opened.location]).toEqual([200, '/vod/summer/']);
    expect(passOf(opened)).toBeDefined();
  });

  test('the button of another site claims nothing', async () => {
    const { url } = await makeUrl();
    const anna = await signedIn('anna@example.org');
    const page = await anna.follow(await anna.get(url, fromElsewhere));
    const before = await counts();
    const forged = await anna.submit(page, '/claim', {}, { 'sec-fetch-site': 'cross-site' });
    const tokenless = await anna.submit(page, '/claim', { form_token: '' });
    expect([forged.status, tokenless.status]).toEqual([403, 403]);
    for (const said of [
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': undefined, origin: 'null' },
      { 'sec-fetch-site': undefined, origin: 'http://portal.localhost:8080' },
      { 'sec-purpose': 'prefetch;prerender' },
      // by a frame or a script of the site that shares the host
      ...['iframe', 'frame', 'empty', 'document, iframe'].map((dest) => ({ 'sec-fetch-dest': dest })),
      ...['cors', 'no-cors', 'same-origin'].map((mode) => ({ 'sec-fetch-mode': mode })),
    ]) {
      expect((await anna.submit(page, '/claim', {}, said)).status, JSON.stringify(said)).toBe(403);
    }
    expect(await counts()).toBe(before);
  });

  test('attack: consent of another. The yes to one link, or of one session, is none for another', async () => {
    const [one, other] = [await makeUrl(), await makeUrl({ label: 'Another film' })];
    const anna = await signedIn('anna@example.org');
    const bert = await signedIn('bert@example.org');
    const pageOf = async (visitor: Visitor, url: string) =>
      await visitor.get(`${mediaOrigin}${(await visitor.get(url, direct)).location}`, direct);
    const consentOf = (page: Answer): string => /name="consent" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    const first = await pageOf(anna, one.url);
    const second = await pageOf(anna, other.url);
    const before = await counts();
    const berts = await pageOf(bert, one.url);
    for (const consent of ['', consentOf(first), consentOf(first).slice(0, -2), 'x'.repeat(4000)]) {
      const answer = await bert.submit(berts, '/claim', { consent });
      expect([answer.status, passOf(answer)]).toEqual([400, undefined]);
    }
    // ids that somebody guessed are no yes
    const guessed = /claim\?flow=([\w-]+)/.exec((await anna.get(one.url, direct)).location ?? '')?.[1] ?? '';
    expect((await anna.submit(second, '/claim', { consent: '', flow: guessed })).status).toBe(400);
    expect(await counts()).toBe(before);
    await anna.submit(second, '/claim');
    const rows = await portal.store.sql.selectFrom('members').select('link_id').execute();
    expect(rows).toEqual([{ link_id: other.id }]);
  });

  test('a yes is over with the ten minutes of its page, and with the session', async () => {
    const { url } = await makeUrl();
    const anna = await signedIn('anna@example.org');
    const page = await anna.get(`${mediaOrigin}${(await anna.get(url, direct)).location}`, direct);
    const before = await counts();
    portal.clock.now += 601;
    expect((await anna.submit(page, '/claim')).status).toBe(400);
    expect(await counts()).toBe(before);
  });

  test('who was let in already is asked nothing and spends nothing', async () => {
    const { url } = await makeUrl();
    const anna = await signedIn('anna@example.org');
    await anna.openLink(url, direct);
    const before = await counts();
    for (const way of [direct, fromElsewhere, {}]) {
      const again = await anna.get(url, way);
      expect([again.status, again.location, passOf(again) !== undefined]).toEqual([303, '/vod/summer/', true]);
    }
    expect(await counts()).toBe(before);
  });

  test('the token stays out of every answer, cookie and row', async () => {
    const { url } = await makeUrl({ notify: true });
    const anna = await signedIn('anna@example.org');
    const [, secret = ''] = secretOf(url).split('.');
    const answers = [await anna.get(url, fromElsewhere)];
    answers.push(await anna.follow(answers[0] as Answer));
    answers.push(await anna.submit(answers[1] as Answer, '/claim'));
    for (const { text, headers } of answers) expect(text + JSON.stringify(headers)).not.toContain(secret);
    for (const table of ['links', 'members', 'audit', 'outbox', 'changes'] as const) {
      expect(JSON.stringify(await portal.store.sql.selectFrom(table).selectAll().execute())).not.toContain(secret);
    }
    expect(JSON.stringify(await portal.mails())).not.toContain(secret);
  });
});

describe('somebody who is not signed in', () => {
  test('is told what they are about to open, signs in, is asked, and is through', async () => {
    const { url } = await makeUrl();
    await portal.addAccount('bert@example.org');
    const bert = portal.visitor();
    const start = await bert.get(url, fromElsewhere);
    expect(start.status).toBe(303);
    expect(start.location).toMatch(/^http:\/\/portal\.localhost:8080\/\.latchkey\/login\?handover=/);
    expect(start.location).not.toContain(secretOf(url));
    const signIn = await bert.follow(start);
    expect(signIn.text).toContain('Film &lt;night&gt;');
    expect(signIn.text).toContain('owner@example.org');

    const answer = await bert.submit(signIn, '/login', { email: 'bert@example.org', password: 'seven green lanterns' });
    // whoever sent the visitor here has asked for the sign-in: it is no yes to what the owner will see
    const page = await bert.follow(answer);
    expect([page.url.pathname, page.status]).toEqual(['/.latchkey/claim', 200]);
    expect(await portal.store.sql.selectFrom('members').selectAll().execute()).toEqual([]);
    const end = await bert.follow(await bert.submit(page, '/claim'));
    expect(end.url.href).toBe(`${mediaOrigin}/vod/summer/`);
    expect(bert.cookies.get('media.localhost')?.has('latchkey_pass')).toBe(true);
    expect(await portal.store.sql.selectFrom('members').selectAll().execute()).toHaveLength(1);
  });

  test('attack: a link that a site opened in another tab is not claimed by a sign-in that did not name it', async () => {
    await portal.addAccount('bert@example.org');
    const { url } = await makeUrl();
    const before = await counts();
    const bert = portal.visitor();
    const own = await bert.get('/.latchkey/login');
    expect((await bert.follow(await bert.get(url, fromElsewhere))).text).toContain('You are about to open');
    const answer = await bert.submit(own, '/login', { email: 'bert@example.org', password });
    expect(answer.location).toBe('/.latchkey/');
    await bert.follow(answer);
    expect(JSON.parse(await counts()).at(-1)).toEqual(JSON.parse(before).at(-1));
  });

  test('reads the longest name that a link can have', async () => {
    const label = '🎬'.repeat(120);
    const signIn = await portal.visitor().get((await makeUrl({ label })).url, direct);
    expect((await portal.visitor().get(signIn.location ?? '')).text).toContain(label);
  });

  test('and was at the portal already, so nobody asked them anything: the question comes', async () => {
    const { url } = await makeUrl();
    await portal.addAccount('bert@example.org');
    const bert = portal.visitor();
    await bert.signIn('bert@example.org');
    portal.clock.now += 60;
    const page = await bert.follow(await bert.get(url, fromElsewhere));
    expect(page.url.pathname).toBe('/.latchkey/claim');
    expect(page.text).toContain('Open it');
    expect(await portal.store.sql.selectFrom('members').selectAll().execute()).toEqual([]);
    expect((await bert.submit(page, '/claim')).location).toBe('/vod/summer/');
  });

  test('a revoked link says so at once, and a link that never was says nothing', async () => {
    const { url, id } = await makeUrl();
    await revokeLink(portal.context, operator, id, null);
    const nobody = portal.visitor();
    expect((await nobody.get(url, direct)).status).toBe(410);
    const wrong = await nobody.get(url.replace(/key=ak_.{4}/, 'key=ak_AAAA'), direct);
    const cut = await nobody.get(url.slice(0, -1), direct);
    expect([wrong.status, cut.status]).toEqual([404, 404]);
    expect(wrong.text).toBe(cut.text);
    expect(wrong.headers['referrer-policy']).toBe('no-referrer');
  });
});

describe('pages that say why not', () => {
  const statusFor = async (visitor: Visitor, url: string): Promise<readonly [number, string]> => {
    const before = await counts();
    const answer = await visitor.get(url, direct);
    expect(await counts()).toBe(before);
    return [answer.status, /<h1>([^<]*)<\/h1>/.exec(answer.text)?.[1] ?? ''];
  };

  test('each has its status and its words, and none writes anything', async () => {
    const now = portal.clock.now + 600;
    const full = await makeUrl();
    const early = await makeUrl({ claimFromAt: now + 60 });
    const late = await makeUrl({ claimUntilAt: now + 60 });
    const over = await makeUrl({ accessUntilAt: now + 60 });
    const revoked = await makeUrl();
    const removed = await makeUrl({ claimsAllowed: 5 });
    const anna = await signedIn('anna@example.org');
    const bert = await signedIn('bert@example.org');
    await bert.openLink(full.url, direct);
    await revokeLink(portal.context, operator, revoked.id, null);

    expect(await statusFor(anna, full.url)).toEqual([403, 'This link is already used']);
    // whoever came in with another account gets back in by it, and the way there holds no token
    expect((await anna.get(full.url, direct)).text).toContain('logout?return=%2Fvod%2Fsummer%2F"');
    expect(await statusFor(anna, early.url)).toEqual([403, 'Not yet']);
    expect(await statusFor(anna, revoked.url)).toEqual([410, 'This link was taken back']);
    portal.clock.now = now + 60;
    expect(await statusFor(anna, late.url)).toEqual([410, 'This link came too late']);
    expect(await statusFor(anna, over.url)).toEqual([410, 'The time for this is over']);
    expect(await statusFor(anna, `${full.url}x`)).toEqual([404, 'This link does not work']);
    expect(await statusFor(anna, `${full.url}&authtoken=a`)).toEqual([404, 'This link does not work']);

    await anna.openLink(removed.url, direct);
    const rows = await portal.store.sql.selectFrom('members').selectAll().execute();
    const member = rows.find(({ link_id }) => link_id === removed.id);
    await revokeMember(portal.context, operator, member?.id ?? '', null);
    expect(await statusFor(anna, removed.url)).toEqual([410, 'Your access was taken back']);
  });
});

test('a link whose time is over lets in whom something else lets in, and nobody else', async () => {
  const other = await makeUrl();
  const over = await makeUrl({ accessUntilAt: portal.clock.now + 600, claimsAllowed: 5 });
  const anna = await signedIn('anna@example.org');
  const bert = await signedIn('bert@example.org');
  await anna.openLink(other.url, direct);
  await bert.openLink(over.url, direct);
  portal.clock.now += 600;
  const before = await counts();
  for (const way of [direct, fromElsewhere]) {
    const opened = await anna.get(over.url, way);
    expect([opened.status, opened.location, passOf(opened) !== undefined]).toEqual([303, '/vod/summer/', true]);
    expect((await bert.get(over.url, way)).status).toBe(410);
  }
  const nobody = await portal.visitor().get(over.url, direct);
  expect([nobody.status, nobody.location, passOf(nobody)]).toEqual([410, null, undefined]);
  expect(nobody.text).toContain('href="/.latchkey/login?return=%2Fvod%2Fsummer%2F"');
  expect(nobody.text).not.toContain(secretOf(over.url));
  expect(await counts()).toBe(before);
});

describe('what is nobody', () => {
  const visits: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
    ['HEAD', direct, 200],
    ['GET', { ...direct, 'sec-purpose': 'prefetch;prerender' }, 503],
    ['GET', { ...direct, purpose: 'prefetch' }, 503],
    ['GET', { 'x-moz': 'prefetch' }, 503],
    ['GET', { 'user-agent': 'facebookexternalhit/1.1' }, 200],
    ['GET', { 'user-agent': 'WhatsApp/2.23.20.0' }, 200],
    ['GET', { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }, 200],
    ['GET', { ...direct, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 403],
    ['GET', { ...direct, 'sec-fetch-dest': 'iframe' }, 403],
    ['GET', { ...direct, 'sec-fetch-dest': 'fencedframe' }, 403],
    ['GET', { ...direct, 'sec-fetch-dest': 'empty' }, 403],
    ['GET', { ...direct, 'sec-fetch-dest': 'document, iframe' }, 403],
    ['GET', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, 403],
    ['GET', { 'sec-fetch-site': 'none' }, 403],
    ['GET', { ...direct, 'sec-purpose': 'prefetch;anonymous-client-ip' }, 503],
    ['GET', { accept: '*/*' }, 403],
  ];

  test('previews, prefetches, bots, frames and programs claim nothing and learn nothing', async () => {
    const { url, id } = await makeUrl();
    const anna = await signedIn('anna@example.org');
    const before = await counts();
    const look = async () => {
      const answers: (readonly [number, string])[] = [];
      for (const [method, headers] of visits) {
        const { status, text } = await anna.send(method, url, null, headers);
        answers.push([status, text]);
      }
      return answers;
    };
    const good = await look();
    expect(await counts()).toBe(before);
    await revokeLink(portal.context, operator, id, null);
    expect(await look()).toEqual(good);
    expect(good.map(([status]) => status)).toEqual(visits.map(([, , status]) => status));
    for (const [, text] of good) expect(text).not.toContain('Film');
  });

  test('other methods are 405 or worse, and claim nothing', async () => {
    const { url } = await makeUrl();
    const anna = await signedIn('anna@example.org');
    const before = await counts();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect((await anna.send(method, url, null, direct)).status, method).toBeGreaterThanOrEqual(400);
    }
    expect(await counts()).toBe(before);
  });
});
