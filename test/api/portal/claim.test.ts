// Opens tokenized URLs as browsers do, on the server of public.sock with a real store.
// The way from the address with the token to the clean address: sign-in, the question, the claim and the pass. Links that open nothing, and
// programs that are no visitors, are in claim-refused.test.ts.

import { beforeEach, describe, expect, test } from 'vitest';
import { revokeLink } from '../../../gateway/control/links/revoke-link.ts';
import {
  type ClaimRig,
  direct,
  fromElsewhere,
  makeClaimRig,
  operator,
  passOf,
  secretOf,
} from '../../support/rigs/claim-rig.ts';
import { type Answer, mediaOrigin, type PortalRig, password, type Visitor } from '../../support/rigs/portal-rig.ts';

let rig: ClaimRig;
let portal: PortalRig;
const makeUrl: ClaimRig['makeUrl'] = (fields) => rig.makeUrl(fields);
const signedIn: ClaimRig['signedIn'] = (email) => rig.signedIn(email);
const counts: ClaimRig['counts'] = () => rig.counts();

beforeEach(async () => {
  rig = await makeClaimRig();
  portal = rig.portal;
});

describe('a visitor who is signed in', () => {
  test('opens a link with one claim, a pass for the collection, and the clean address with the rest of its query', async () => {
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

  test('attack: a redirecting link. Whatever the browser reports as the origin, a page asks first, and names the owner and what the owner will see', async () => {
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
      expect(page.text).toContain('which browsers you use');
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

  test('attack: consent of another. The yes to one link, or in one session, does not count for another link or session', async () => {
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

  test('a yes expires ten minutes after its page, and ends with the session', async () => {
    const { url } = await makeUrl();
    const anna = await signedIn('anna@example.org');
    const page = await anna.get(`${mediaOrigin}${(await anna.get(url, direct)).location}`, direct);
    const before = await counts();
    portal.clock.now += 601;
    expect((await anna.submit(page, '/claim')).status).toBe(400);
    expect(await counts()).toBe(before);
  });

  test('a visitor who was let in before is not asked and spends no claim', async () => {
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

describe('a visitor who is not signed in', () => {
  test('is told what they are about to open, signs in, is asked, and is let in', async () => {
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
    expect((await bert.follow(await bert.get(url, fromElsewhere))).text).toContain('shared this with you');
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

  test('is asked even when the portal knows them already and needs no sign-in', async () => {
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

  test('is told at once that a link was revoked, and learns nothing of a link that never existed', async () => {
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
