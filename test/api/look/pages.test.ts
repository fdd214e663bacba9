// Every page of the list is accessible, carries its policy, and opens only on the right host and for the right people; hostile names are shown as text.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { pageScript } from '../../../gateway/api/look/page-script.ts';
import { pages } from '../../../gateway/api/pages.ts';
import { StoreAway } from '../../../gateway/store/port/store.ts';
import { readTimeZone } from '../../../gateway/store/rows/accounts.ts';
import { pageProblems } from '../../support/clients/page-checks.ts';
import { formsOf } from '../../support/clients/page-forms.ts';
import { makePortal, mediaOrigin, type PortalRig, password, type Visitor } from '../../support/rigs/portal-rig.ts';

const email = 'ann@example.org';
const hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`;

async function withPeople(): Promise<{ portal: PortalRig; ann: Visitor; annId: string }> {
  const portal = await makePortal();
  const annId = await portal.addAccount(email, 'admin');
  const ann = portal.visitor();
  await ann.signIn(email);
  return { portal, ann, annId };
}

/** A page without the one script that is allowed. */
function withoutScript(page: string): string {
  return page.replace(`<script>${pageScript}</script>`, '');
}

/** Pages that take no id, so that each can be opened by its path alone. */
const plainPages = pages.filter(({ method, path }) => method === 'GET' && !path.includes(':'));

test('each page works for people who cannot see it, runs only the one script, and loads nothing from elsewhere', async () => {
  const { portal, ann, annId } = await withPeople();
  const visitor = portal.visitor();
  const paths = [...plainPages.map(({ path }) => path), `admin/accounts/${annId}`, 'not/there'];
  let looked = 0;
  for (const who of [ann, visitor]) {
    for (const path of paths) {
      const answer = await who.get(`/.latchkey/${path}`);
      if (answer.status === 303) continue;
      looked += 1;
      expect([path, pageProblems(answer.text)]).toEqual([path, []]);
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    }
  }
  expect(looked).toBeGreaterThan(plainPages.length);
});

test('the checks of pages find faults in a bad page', async () => {
  const page = (await (await makePortal()).visitor().get('/.latchkey/login')).text;
  expect(pageProblems(page)).toEqual([]);
  const broken = [
    page.replace('lang="en"', ''),
    page.replace(/<label[^>]*>/, '<label>'),
    page.replace('<h1>', '<h1>a</h1><h1>'),
    page.replace('<h1>', '<h1 onclick="a()">'),
    page.replace('</main>', '<img src="/a"></main>'),
    page.replace('</main>', '<script></script></main>'),
    page.replace('/.latchkey/portal.css', 'https://elsewhere.example/a.css'),
    page.replace('name="form_token"', 'name="other"'),
  ];
  for (const one of broken) expect(pageProblems(one)).not.toEqual([]);
});

test('each answer carries the policy, and no cache may keep a personal page', async () => {
  const { ann } = await withPeople();
  for (const path of ['', 'account', 'devices', 'admin/accounts', 'nothing', 'logout']) {
    const { headers } = await ann.get(`/.latchkey/${path}`);
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; script-src 'sha256-${createHash('sha256').update(pageScript).digest('base64')}'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    );
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('same-origin');
    expect(headers['x-frame-options']).toBe('DENY');
  }
  const css = await ann.get('/.latchkey/portal.css');
  expect([css.status, css.headers['content-type']]).toEqual([200, 'text/css; charset=utf-8']);
});

test('attack: names that are markup are shown as text, on every page that shows them', async () => {
  const { portal, ann, annId } = await withPeople();
  const account = await ann.get('/.latchkey/account');
  expect((await ann.submit(account, '/account/name', { name: hostile })).status).toBe(303);
  const devices = await ann.get('/.latchkey/devices');
  const form = formsOf(devices.text).find(({ action }) => action.endsWith('/name'));
  const device = /devices\/(dv_[\w-]+)\//.exec(form?.action ?? '')?.[1] ?? '';
  expect((await ann.submit(devices, '/name', { [`name-${device}`]: hostile })).status).toBe(303);
  portal.configure((config) =>
    config.portal === null ? config : { ...config, portal: { ...config.portal, name: hostile } },
  );
  for (const path of [
    'account',
    'devices',
    'admin/accounts',
    `admin/accounts/${annId}`,
    'admin/audit',
    'logout',
    'x',
  ]) {
    const text = withoutScript((await ann.get(`/.latchkey/${path}`)).text);
    expect(text).not.toContain('<script');
    expect(text).not.toContain('<img');
    expect(text, path).toContain('&lt;script&gt;');
  }
  const search = await ann.get(`/.latchkey/admin/accounts?search=${encodeURIComponent(hostile)}`);
  expect(withoutScript(search.text)).not.toContain('<script');
});

test('a person who chose a time zone reads times in it without a script, and in mails; a zone that is none is refused', async () => {
  const { portal, ann, annId } = await withPeople();
  portal.clock.now = Date.UTC(2026, 10, 22, 23, 15) / 1000;
  await ann.signIn(email);
  const account = await ann.get('/.latchkey/account');
  expect(account.text).toContain('<option value="" selected>UTC</option>');
  const none = await ann.submit(account, '/account/zone', { zone: 'Europe/Atlantis' });
  expect([none.status, none.text.includes('Choose a time zone of the list.')]).toEqual([422, true]);
  expect(pageProblems(none.text)).toEqual([]);
  const chosen = await ann.submit(account, '/account/zone', { zone: 'America/Argentina/Buenos_Aires' });
  expect(chosen.location).toBe('/.latchkey/account?done=zone');
  expect((await ann.follow(chosen)).text).toContain('value="America/Argentina/Buenos_Aires" selected');
  const history = (await ann.get('/.latchkey/admin/audit')).text;
  expect(history).toContain('<time datetime="2026-11-22T23:15:00.000Z">22 Nov 2026, 20:15</time>');
  expect((await ann.get('/.latchkey/links/new')).text).toContain(
    '<span data-zone>(America/Argentina/Buenos Aires)</span>',
  );
  expect(await readTimeZone(portal.store.sql, annId)).toBe('America/Argentina/Buenos_Aires');
  // without a zone the same moment is told in UTC, and says so
  await ann.submit(account, '/account/zone', { zone: '' });
  expect((await ann.get('/.latchkey/admin/audit')).text).toContain('>22 Nov 2026, 23:15 UTC</time>');
});

test('pages for accounts lead visitors to sign in, and pages for administrators open for administrators only', async () => {
  const portal = await makePortal();
  await portal.addAccount('ben@example.org');
  const ben = portal.visitor();
  await ben.signIn('ben@example.org');
  for (const { path, who } of plainPages) {
    const answer = await portal.visitor().get(`/.latchkey/${path}`);
    if (who === 'anyone') expect([path, answer.location?.includes('login?return=') ?? false]).toEqual([path, false]);
    else expect(answer.location).toBe(`/.latchkey/login?return=${encodeURIComponent(`/.latchkey/${path}`)}`);
    if (who === 'admin') expect([path, (await ben.get(`/.latchkey/${path}`)).status]).toEqual([path, 403]);
  }
  for (const { method, path, who } of pages) {
    if (method !== 'POST' || who !== 'admin') continue;
    const target = `/.latchkey/${path.replace(/:\w+/g, 'ac_AAAAAAAAAAAAAAAAAAAAAA')}`;
    expect([path, (await ben.post(target, {})).status]).toEqual([path, 403]);
  }
});

test('a host that is not served gets 421; another public host has only sign-in, hand-over and sign-out', async () => {
  const { portal } = await withPeople();
  const visitor = portal.visitor();
  expect((await visitor.get('http://evil.example/.latchkey/login')).status).toBe(421);
  expect((await visitor.get('/.latchkey/login', { 'x-forwarded-host': 'a b' })).status).toBe(421);
  for (const { path, place } of plainPages) {
    const { status } = await visitor.get(`${mediaOrigin}/.latchkey/${path}`);
    if (place === 'portal') expect([path, status]).toEqual([path, 404]);
    else expect([path, status]).not.toEqual([path, 421]);
  }
  expect((await visitor.get('http://evil.example/.latchkey/v1/openapi.json')).status).toBe(421);
});

test('while the store is away the answer is 503 with Retry-After, as a page for people and as a problem document for programs', async () => {
  const { portal, ann } = await withPeople();
  Object.assign(portal.store, { readPosition: () => Promise.reject(new StoreAway('cut off')) });
  const page = await ann.get('/.latchkey/account');
  expect([page.status, page.headers['retry-after']]).toEqual([503, '2']);
  expect(pageProblems(page.text)).toEqual([]);
  const problem = await ann.json('GET', '/.latchkey/v1/me');
  expect([problem.status, problem.headers['content-type']]).toEqual([503, 'application/problem+json']);
});

test('a body that is too long is refused, and so is a form of another media type', async () => {
  const { portal } = await withPeople();
  const visitor = portal.visitor();
  expect((await visitor.post('/.latchkey/login', { email: 'a'.repeat(70_000) })).status).toBe(413);
  const type = { 'content-type': 'multipart/form-data; boundary=a' };
  expect((await visitor.post('/.latchkey/login', { email, password }, type)).status).toBe(415);
});
