// Every kind of form, sent as people send forms: twice, in two tabs, after the browser's way back. What it asks for happens once, and the second
// answer says what holds now.

import { beforeEach, expect, test } from 'vitest';
import { type Answer, makePortal, type PortalRig, password, type Visitor } from '../../support/rigs/portal-rig.ts';

const direct = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
const page = '/.latchkey/';
const ann = 'ann@example.org';

let portal: PortalRig;
let owner: Visitor;

beforeEach(async () => {
  portal = await makePortal();
  portal.configure((config) => ({
    ...config,
    routes: config.routes.map((route) => ({ ...route, host: 'media.localhost', path: '/vod/' })),
  }));
  await portal.addAccount('owner@example.org', 'admin');
  owner = portal.visitor();
  await owner.signIn('owner@example.org');
  await portal.addAccount(ann);
});

async function makeLink(label: string): Promise<{ id: string; url: string }> {
  const made = JSON.parse(
    (await owner.json('POST', '/.latchkey/v1/links', { collection: 'summer', label, claims_allowed: 2 })).text,
  );
  return { id: made.link.id, url: made.url };
}

/** Where a visitor stands after a form: status and, where they are led on, where to. */
const led = ({ status, location }: Answer) => [
  status,
  location === null ? null : new URL(location, 'http://x').pathname,
];

test('sign-in: a second tab, and the same form after the way back, lead on', async () => {
  const visitor = portal.visitor();
  const [one, two] = [
    await visitor.get(`${page}login`),
    await visitor.get(`${page}login?return=%2F.latchkey%2Faccount`),
  ];
  const fields = { email: ann, password };
  expect(led(await visitor.submit(one, '/login', fields))).toEqual([303, page]);
  const second = await visitor.submit(two, '/login', fields);
  expect((await visitor.follow(second)).status).toBe(200);
  expect((await visitor.follow(await visitor.submit(one, '/login', fields))).status).toBe(200);
});

test('a form from before the sign-in says that somebody is signed in by now, and does nothing', async () => {
  const visitor = portal.visitor();
  const forgot = await visitor.get(`${page}forgot`);
  await visitor.signIn(ann);
  const mails = async () => (await portal.store.sql.selectFrom('outbox').select('id').execute()).length;
  const before = await mails();
  const late = await visitor.submit(forgot, '/forgot', { email: ann });
  expect(late.status).toBe(403);
  expect(late.text).toContain('You are signed in by now');
  expect(late.text).toContain('Nothing was done a second time.');
  expect(await mails()).toBe(before);
});

test('a form that is sent after the session ended leads over the sign-in back to its page', async () => {
  const form = await owner.get(`${page}links/new`);
  owner.cookies.clear();
  const sent = await owner.submit(form, '/links/new', { label: 'Late' });
  expect(sent.location).toBe(`${page}login?return=%2F.latchkey%2Flinks%2Fnew`);
});

test('sign-out: the second press of the button says that nobody is signed in', async () => {
  const visitor = portal.visitor();
  await visitor.signIn(ann);
  const out = await visitor.get(`${page}logout`);
  expect(led(await visitor.submit(out, '/logout'))).toEqual([303, `${page}login`]);
  const again = await visitor.follow(await visitor.submit(out, '/logout'));
  expect([again.status, again.text.includes('You are signed out')]).toEqual([200, true]);
});

test('the question of a link: two tabs, the way back, and a reload all end at the resource, with one claim', async () => {
  const { id, url } = await makeLink('Deep sea');
  const visitor = portal.visitor();
  await visitor.signIn(ann);
  const [one, two] = [
    await visitor.follow(await visitor.get(url, direct)),
    await visitor.follow(await visitor.get(url, direct)),
  ];
  for (const question of [one, two, one, one]) {
    const answer = await visitor.submit(question, '/claim');
    // a site's own page is reached by a page that goes on by itself
    expect(led(answer)).toEqual([200, '/vod/summer/']);
  }
  const { body } = { body: JSON.parse((await owner.json('GET', `/.latchkey/v1/links/${id}/members`)).text) };
  expect(body.members).toHaveLength(1);
  // what was said yes to is for this session alone, and on this host alone
  const other = portal.visitor();
  await portal.addAccount('ben@example.org');
  await other.signIn('ben@example.org');
  const mine = await other.follow(await other.get(url, direct));
  const consent = /name="consent" value="([^"]+)"/.exec(one.text)?.[1] ?? '';
  expect(consent).not.toBe('');
  expect((await other.submit(mine, '/claim', { consent })).status).toBe(400);
  expect((await other.submit(mine, '/claim', { consent: '' })).status).toBe(400);
});

test('ends and what comes back: asked twice, they say what holds now', async () => {
  const { id, url } = await makeLink('Garden');
  const visitor = portal.visitor();
  await visitor.signIn(ann);
  await visitor.follow(await visitor.submit(await visitor.follow(await visitor.get(url, direct)), '/claim'));
  const before = await owner.get(`${page}links/${id}`);
  for (const name of before.text.matchAll(/action="([^"]+(?:revoke|end|stop|give-back)[^"]*)"/g)) {
    const action = name[1] ?? '';
    const statuses = [await owner.submit(before, action), await owner.submit(before, action)].map(
      ({ status }) => status,
    );
    expect(
      statuses.every((status) => status === 303 || status === 200),
      `${action}: ${statuses}`,
    ).toBe(true);
  }
});

test('one’s own browsers and sign-ins: signed out twice, the list says so', async () => {
  const [laptop, phone] = [portal.visitor(), portal.visitor()];
  await laptop.signIn(ann);
  await phone.signIn(ann);
  const list = await laptop.get(`${page}devices`);
  const action = /action="([^"]+devices\/dv_[^"]+\/end)"/.exec(list.text)?.[1] ?? '';
  for (let time = 0; time < 2; time++) {
    expect(led(await laptop.submit(list, action))).toEqual([303, `${page}devices`]);
  }
  const { devices } = JSON.parse((await laptop.json('GET', '/.latchkey/v1/devices')).text);
  expect(devices).toHaveLength(1);
  expect((await phone.get(`${page}account`)).status).toBe(303);
});

test('a new link, a name and a code for another device: the way back and a second press make nothing twice', async () => {
  const form = await owner.get(`${page}links/new`);
  const made = [
    await owner.submit(form, '/links/new', { label: 'Twice' }),
    await owner.submit(form, '/links/new', { label: 'Twice' }),
  ];
  expect(new Set(made.map((answer) => led(answer)[1])).size).toBe(1);
  const { links } = JSON.parse((await owner.json('GET', '/.latchkey/v1/links')).text);
  expect(links.filter(({ label }: { label: string }) => label === 'Twice')).toHaveLength(1);
  const account = await owner.get(`${page}account`);
  for (const name of ['Olga', 'Olga', 'Olga the Owner']) {
    expect((await owner.submit(account, '/account/name', { name })).status).toBe(303);
  }
  expect((await owner.get(`${page}account`)).text).toContain('Olga the Owner');
});
