// Links over v1 and on the portal's pages: they are made, shown once, listed, revoked and opened again; and opening on another device.

import { beforeEach, expect, test } from 'vitest';
import {
  type Answer,
  makePortal,
  mediaOrigin,
  type PortalRig,
  portalOrigin,
  type Visitor,
} from '../../support/rigs/portal-rig.ts';

const direct = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

let portal: PortalRig;
let owner: Visitor;

beforeEach(async () => {
  portal = await makePortal();
  portal.configure((config) => {
    const [route] = config.routes;
    if (route === undefined) throw new Error('the sample has no route');
    return { ...config, routes: [{ ...route, host: 'media.localhost', path: '/vod/' }] };
  });
  owner = await signedIn('owner@example.org');
});

async function signedIn(email: string): Promise<Visitor> {
  await portal.addAccount(email);
  const visitor = portal.visitor();
  await visitor.signIn(email);
  return visitor;
}

async function api(visitor: Visitor, method: string, path: string, body?: unknown) {
  const answer = await visitor.json(method, `/.latchkey/v1/${path}`, body);
  return { status: answer.status, body: answer.text === '' ? null : JSON.parse(answer.text) };
}

test('over v1 an owner makes, lists, changes and revokes links and sees who came in; others get 404', async () => {
  const made = await api(owner, 'POST', 'links', { collection: 'summer', label: 'Film', claims_allowed: 2 });
  expect(made.status).toBe(201);
  expect(made.body.url).toMatch(/^http:\/\/media\.localhost:8080\/vod\/summer\/\?key=ak_[\w-]{22}&authtoken=li_/);
  const id: string = made.body.link.id;
  expect(made.body.link).toMatchObject({ state: 'open', claims_allowed: 2, claims_used: 0 });

  const anna = await signedIn('anna@example.org');
  // signed in at the portal only, so the way leads over it
  const page = await anna.follow(await anna.get(made.body.url, direct));
  const end = await anna.follow(await anna.submit(page, '/claim'));
  expect(end.url.href).toBe(`${mediaOrigin}/vod/summer/`);
  const members = await api(owner, 'GET', `links/${id}/members`);
  expect(members.body.members).toMatchObject([{ email: 'anna@example.org', revoked_at: null }]);
  const member: string = members.body.members[0].id;
  expect((await api(anna, 'GET', 'access')).body.entries).toMatchObject([{ label: 'Film', kind: 'link' }]);

  for (const [method, path, body] of [
    ['GET', `links/${id}`, undefined],
    ['GET', `links/${id}/members`, undefined],
    ['POST', `links/${id}/revoke`, undefined],
    ['POST', `links/${id}/reopen`, { claims_allowed: 9 }],
    ['POST', `members/${member}/revoke`, undefined],
    ['POST', `members/${member}/give-back`, undefined],
    ['POST', `links/${id}/give-back`, undefined],
    ['POST', 'collections/summer/give-links-back', undefined],
    ['POST', 'collections/summer/revoke-links', undefined],
    ['POST', 'links', { collection: 'summer', label: 'mine' }],
  ] as const) {
    expect((await api(anna, method, path, body)).status, `${method} ${path}`).toBe(404);
    expect((await api(portal.visitor(), method, path, body)).status, `${method} ${path}`).toBeGreaterThanOrEqual(401);
  }
  expect((await api(anna, 'GET', 'links')).body).toEqual({ links: [], next: null });

  expect((await api(owner, 'POST', 'links', { collection: 'summer', label: '' })).body).toMatchObject({
    status: 422,
    reason: 'bad-label',
  });
  expect((await api(owner, 'POST', `links/${id}/reopen`, { claims_allowed: 5 })).body.link.claims_allowed).toBe(5);
  expect((await api(owner, 'POST', `members/${member}/revoke`)).body).toEqual({ was_live: true });
  expect((await api(owner, 'POST', `members/${member}/give-back`)).body).toEqual({ given_back: true });
  const twice = await api(owner, 'POST', `members/${member}/give-back`);
  expect([twice.status, twice.body.reason]).toEqual([409, 'not-ended']);
  expect((await api(owner, 'POST', `links/${id}/revoke`)).body).toEqual({ was_live: true });
  expect((await api(owner, 'POST', `links/${id}/give-back`)).body).toMatchObject({
    id,
    revoked_at: null,
    claims_used: 1,
  });
  expect((await api(owner, 'POST', 'collections/summer/revoke-links')).body).toEqual({ links: 1 });
  expect((await api(owner, 'POST', 'collections/summer/give-links-back')).body).toEqual({ links: 1 });
  expect((await api(owner, 'POST', `links/${id}/revoke`)).body).toEqual({ was_live: true });
  portal.clock.now += 601;
  const late = await api(owner, 'POST', `links/${id}/give-back`);
  expect([late.status, late.body.detail]).toEqual([409, expect.stringContaining('more than ten minutes ago')]);
  expect((await api(owner, 'POST', `links/${id}/revoke`)).body).toEqual({ was_live: false });
  expect((await api(owner, 'POST', `links/${id}/reopen`, { claims_allowed: 9 })).status).toBe(409);
  expect((await api(owner, 'GET', 'links')).body.links).toMatchObject([{ id, state: 'revoked' }]);
  expect((await anna.get(made.body.url, direct)).status).toBe(410);
});

/** The address that stands at the top of a link's page. */
function addressOn(page: Answer): string {
  return /<textarea id="link-address"[^>]*>([^<]+)</.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
}

test('on the pages a link is made once, its address is shown again on demand, and the buttons do what they say', async () => {
  const form = await owner.get('/.latchkey/links/new');
  const wrong = await owner.submit(form, '/links/new', { label: '', people: '0' });
  expect(wrong.status).toBe(422);
  const fields = { label: 'Film <b>', people: '2', notify: 'yes' };
  const made = await owner.submit(form, '/links/new', fields);
  expect(made.status).toBe(303);
  const shown = await owner.follow(made);
  expect([shown.status, shown.headers['referrer-policy'], shown.headers['cache-control']]).toEqual([
    200,
    'no-referrer',
    'no-store',
  ]);
  const url = addressOn(shown);
  expect(url).toMatch(/authtoken=li_/);
  for (const part of [
    'data-copy="link-address"',
    'data-share="link-address"',
    'mailto:?subject=Film%20%3Cb%3E',
    'data:image/svg+xml',
    'download="link.png"',
  ])
    expect(shown.text).toContain(part);
  const id = /links\/(li_[\w-]{22})/.exec(shown.text)?.[1] ?? '';
  // sent once more (double click, back and send): the same link, and nothing new
  const repeated = await owner.submit(form, '/links/new', fields);
  expect(repeated.location).toBe(`/.latchkey/links/${id}`);
  expect(await portal.store.sql.selectFrom('links').select('id').execute()).toEqual([{ id }]);
  // a reload shows the address for ten minutes, and to this session alone
  const ticketed = new URL(made.location ?? '', portalOrigin).href;
  expect(addressOn(await owner.get(ticketed))).toBe(url);
  const elsewhere = portal.visitor();
  await elsewhere.signIn('owner@example.org');
  const unseen = await elsewhere.get(ticketed);
  expect([unseen.status, unseen.text.includes('authtoken')]).toEqual([200, false]);
  portal.clock.now += 601;
  const later = await owner.get(ticketed);
  expect(later.text).not.toContain('authtoken');
  expect(addressOn(await owner.follow(await owner.submit(later, `/${id}/address`)))).toBe(url);
  const audit = await portal.store.sql.selectFrom('audit').select('action').where('subject', '=', id).execute();
  expect(audit.map(({ action }) => action)).toEqual(['link.created', 'link.address-shown']);
  expect(JSON.stringify(await portal.store.sql.selectFrom('links').selectAll().execute())).not.toContain(
    new URL(url).searchParams.get('authtoken')?.split('.')[1],
  );
  const sent = await owner.submit(await owner.get(ticketed), `/${id}/address`);
  const sendForm = await owner.follow(sent);
  expect((await owner.submit(sendForm, '/send', { to: 'no address' })).status).toBe(422);
  expect((await owner.follow(await owner.submit(sendForm, '/send', { to: 'Anna@Example.org' }))).text).toContain(
    'on its way',
  );
  const preview = await owner.get(`/.latchkey/links/${id}/preview`);
  expect([preview.status, preview.text.includes('owner@example.org shared this with you')]).toEqual([200, true]);
  const [mail] = await portal.mails('anna@example.org');
  expect([mail?.kind, mail?.text.includes(url)]).toEqual(['link-for-you', true]);

  const anna = await signedIn('anna@example.org');
  await anna.submit(await anna.follow(await anna.get(url, direct)), '/claim');
  const list = await owner.get('/.latchkey/links');
  expect(list.text).toContain('Film &lt;b&gt;');
  expect(list.text).toContain('1 of 2 people opened it');
  expect(list.text).not.toContain('authtoken');
  const page = await owner.get(`/.latchkey/links/${id}`);
  expect(page.text).toContain('anna@example.org');
  expect(page.text).not.toContain('authtoken');
  const mine = await anna.get('/.latchkey/links');
  expect(mine.text).toContain('From owner');
  expect(mine.text).not.toContain('New link');
  expect((await anna.get(`/.latchkey/links/${id}`)).status).toBe(404);
  expect((await anna.get('/.latchkey/links/new')).status).toBe(404);
  expect((await anna.get('/.latchkey/admin/links')).status).toBe(403);

  const widened = await owner.submit(page, '/reopen', { people: '7', claimUntil: '', accessUntil: '2099-01-01T10:00' });
  expect((await owner.follow(widened)).text).toContain('1 of 7 people opened it');
  const renewed = addressOn(await owner.follow(await owner.submit(page, '/url')));
  expect([renewed.includes('authtoken=li_'), renewed === url]).toEqual([true, false]);

  // each end asks once, and says for how many people
  const remove = /href="([^"]+\/members\/[^"]+\/remove)"/.exec(page.text)?.[1] ?? '';
  const removed = await owner.follow(await owner.submit(await owner.get(remove), '/members/'));
  expect(removed.text).toContain('That person is removed');
  const back = await owner.follow(await owner.submit(removed, '/give-back'));
  expect(back.text).toContain('That person has access again');
  const question = await owner.get(`/.latchkey/links/${id}/stop`);
  expect(question.text).toContain('1 person loses access at once');
  expect(question.text).toContain(`href="/.latchkey/links/${id}"`);
  const stopped = await owner.follow(await owner.submit(question, `/${id}/revoke`));
  expect(stopped.text).toContain('Sharing has stopped');
  const row = () => portal.store.sql.selectFrom('links').selectAll().executeTakeFirstOrThrow();
  expect((await row()).revoked_at).not.toBeNull();
  // the question of a link that has ended leads to its page; a stranger finds neither question nor button
  expect((await owner.get(`/.latchkey/links/${id}/stop`)).location).toBe(`/.latchkey/links/${id}`);
  for (const path of [
    `links/${id}/preview`,
    `links/${id}/stop`,
    'links/stop-all?collection=summer',
    remove.replace('/.latchkey/', ''),
  ])
    expect((await anna.get(`/.latchkey/${path}`)).status, path).toBe(404);
  const again = await owner.follow(await owner.submit(stopped, `/${id}/give-back`));
  expect(again.text).toContain('The link is given back');
  expect((await row()).revoked_at).toBeNull();

  // the page that is open in another tab has no effect twice, and after ten minutes it says so
  await owner.submit(question, `/${id}/revoke`);
  portal.clock.now += 601;
  const late = await owner.follow(await owner.submit(stopped, `/${id}/give-back`));
  expect(late.text).toContain('more than 10 minutes ago');
  expect(late.text).not.toContain('/give-back"');
  expect((await row()).revoked_at).not.toBeNull();
});

test('all links of a collection end after one question, and come back by one button', async () => {
  for (const label of ['One', 'Two']) await api(owner, 'POST', 'links', { collection: 'summer', label });
  const list = await owner.get('/.latchkey/links');
  expect(list.text).toContain('/.latchkey/links/stop-all?collection=summer');
  const question = await owner.get('/.latchkey/links/stop-all?collection=summer');
  expect(question.text).toContain('2 links end. Nobody has access by it yet.');
  const ended = await owner.follow(await owner.submit(question, '/revoke-all'));
  expect(ended.text).toContain('You stopped sharing summer: 2 links');
  const back = await owner.follow(await owner.submit(ended, '/give-back-all'));
  expect(back.text).toContain('The links are given back');
  expect((await api(owner, 'GET', 'links')).body.links.map(({ state }: { state: string }) => state)).toEqual([
    'open',
    'open',
  ]);
});

test('a form with mail addresses makes and mails one link for each, which opens for that address alone', async () => {
  const form = await owner.get('/.latchkey/links/new');
  const bad = await owner.submit(form, '/links/new', {
    label: 'Film',
    to: 'anna@example.org, ben@, <c>',
    bound: 'yes',
  });
  expect(bad.status).toBe(422);
  expect(bad.text).toContain('“ben@” is no mail address. “&lt;c&gt;” is no mail address.');
  const to = 'Anna@Example.org, Ben <ben@example.org>\ncarl@example.org anna@example.org';
  const made = await owner.submit(form, '/links/new', { label: 'Film', path: 'film one.mp4', to, bound: 'yes' });
  const page = await owner.follow(made);
  expect(page.text).toContain('3 links are ready');
  expect((await owner.submit(form, '/links/new', { label: 'Film', to, bound: 'yes' })).location).toBe(made.location);
  const rows = await portal.store.sql.selectFrom('links').selectAll().orderBy('creation_place').execute();
  expect(rows.map(({ for_email, claims_allowed, path }) => [for_email, claims_allowed, path])).toEqual(
    ['anna', 'ben', 'carl'].map((name) => [`${name}@example.org`, 1, '/vod/summer/film%20one.mp4']),
  );
  const [mail] = await portal.mails('anna@example.org');
  expect(mail?.text).toContain('shared “Film” with you');
  const url = /http:\/\/media\S+/.exec(mail?.text ?? '')?.[0] ?? '';

  const ben = await signedIn('ben@example.org');
  const refused = await ben.follow(await ben.get(url, direct));
  expect([refused.status, refused.text.includes('made for another address')]).toEqual([403, true]);
  expect(refused.text).not.toContain('anna@example.org');
  const anna = await signedIn('anna@example.org');
  await anna.submit(await anna.follow(await anna.get(url, direct)), '/claim');
  const members = await portal.store.sql.selectFrom('members').select('link_id').execute();
  expect(members).toEqual([{ link_id: rows[0]?.id }]);
});

test('the default end of access holds where the maker says nothing, and a chosen one where they choose', async () => {
  portal.configure((config) => ({ ...config, links: { ...config.links, defaultAccessSeconds: 90 * 86_400 } }));
  const make = async (body: object) =>
    (await api(owner, 'POST', 'links', { collection: 'summer', label: 'x', ...body })).body.link.access_until_at;
  expect([await make({}), await make({ access_until_at: null })]).toEqual([portal.clock.now + 90 * 86_400, null]);
  portal.configure((config) => ({
    ...config,
    collections: config.collections.map((each) => ({ ...each, defaultAccessSeconds: null })),
  }));
  expect(await make({})).toBeNull();
});

test('a code for another device opens one place once within ten minutes, wherever it is typed in, and signs in nowhere', async () => {
  const url = `${mediaOrigin}/vod/summer/`;
  const offer = await api(owner, 'POST', 'access/open-elsewhere', { url });
  expect(offer.status).toBe(201);
  expect(offer.body.code).toMatch(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/);
  expect(offer.body.qr_svg).toContain('<svg');
  expect(Buffer.from(offer.body.qr_png, 'base64').subarray(1, 4).toString()).toBe('PNG');
  expect(JSON.stringify(await portal.store.sql.selectFrom('one_time_codes').selectAll().execute())).not.toContain(
    offer.body.code.replace('-', ''),
  );

  const television = portal.visitor();
  const typing = await television.get(`${portalOrigin}/.latchkey/open`);
  const sent = await television.submit(typing, '/open', { code: ` ${offer.body.code.toLowerCase()} ` });
  expect(sent.location).toBe(offer.body.url);
  // a preview of the QR code's address spends nothing
  await television.send('HEAD', offer.body.url, null, {});
  const page = await television.follow(sent);
  const opened = await television.submit(page, '/open');
  expect([opened.status, opened.location]).toEqual([200, '/vod/summer/']);
  expect(opened.cookies.find((line) => line.startsWith('latchkey_pass='))).toContain('Path=/vod/summer/');
  expect(television.cookies.get('media.localhost')?.has('latchkey')).toBe(false);

  expect((await television.submit(page, '/open')).status).toBe(422);
  const overTls = portal.visitor({ address: '192.0.2.9', origin: mediaOrigin.replace('http:', 'https:') });
  const again = await api(owner, 'POST', 'access/open-elsewhere', { url });
  const form = await overTls.get(`/.latchkey/open?code=${again.body.code}`);
  const secure = (await overTls.submit(form, '/open')).cookies.find((line) => line.startsWith('latchkey_pass='));
  expect(secure?.split('; ').slice(2)).toEqual(['Path=/vod/summer/', 'HttpOnly', 'Secure', 'SameSite=Lax']);
  const late = await api(owner, 'POST', 'access/open-elsewhere', { url });
  portal.clock.now += 600;
  const tooLate = await television.get(late.body.url);
  expect((await television.submit(tooLate, '/open')).status).toBe(422);

  const nobody = await signedIn('nobody@example.org');
  expect((await api(nobody, 'POST', 'access/open-elsewhere', { url })).status).toBe(404);
  expect((await api(nobody, 'POST', 'access/player-url', { url })).status).toBe(404);
});

test('guessing codes from one address is slowed', async () => {
  const guesser = portal.visitor({ address: '192.0.2.66', origin: mediaOrigin });
  const statuses: number[] = [];
  let last: Answer | undefined;
  for (let guess = 0; guess < 11; guess++) {
    const page = await guesser.get('/.latchkey/open');
    last = await guesser.submit(page, '/open', { code: 'ABCDEFG2' });
    statuses.push(last.status);
  }
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 422), 429]);
  expect([last?.headers['retry-after'], last?.text]).toEqual(['30', expect.stringContaining('Wait 30 seconds')]);
});

test('attack: others locked out. A client that guesses codes all day keeps neighbours waiting for a minute at most', async () => {
  const url = `${mediaOrigin}/vod/summer/`;
  const wrong = async (address: string): Promise<Answer> => {
    const guesser = portal.visitor({ address, origin: mediaOrigin });
    return await guesser.submit(await guesser.get('/.latchkey/open'), '/open', { code: 'ABCDEFG2' });
  };
  let answer = await wrong('192.0.2.1');
  // as fast as it goes, behind one address
  for (let guess = 0; guess < 60; guess++) {
    if (answer.status === 429) portal.clock.now += Number(answer.headers['retry-after']);
    answer = await wrong('192.0.2.1');
  }
  const { body } = await api(owner, 'POST', 'access/open-elsewhere', { url });
  const neighbour = portal.visitor({ address: '192.0.2.1', origin: mediaOrigin });
  const open = async () => await neighbour.submit(await neighbour.get('/.latchkey/open'), '/open', { code: body.code });
  const first = await open();
  if (first.status === 429) {
    const seconds = Number(first.headers['retry-after']);
    expect(seconds).toBeLessThanOrEqual(60);
    portal.clock.now += seconds;
  }
  expect((first.status === 429 ? await open() : first).location).toBe('/vod/summer/');
});

test('a media player gets the pass inside the path, for six hours at most', async () => {
  const made = await api(owner, 'POST', 'access/player-url', { url: `${mediaOrigin}/vod/summer/master.m3u8` });
  expect(made.status).toBe(201);
  expect(made.body.url).toMatch(/^http:\/\/media\.localhost:8080\/\.t\/[\w.-]+\/vod\/summer\/master\.m3u8$/);
  expect(made.body.expires_at).toBe(portal.clock.now + 6 * 3600);
});

test('the code page has its form, and the QR page shows the code and the picture', async () => {
  const list = await owner.get('/.latchkey/links');
  const page = await owner.submit(list, '/elsewhere');
  expect(page.status).toBe(200);
  expect(page.text).toMatch(/<img class="qr" src="data:image\/svg\+xml;base64,/);
  expect(page.text).toMatch(/[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}/);
  expect(page.headers['referrer-policy']).toBe('no-referrer');
});
