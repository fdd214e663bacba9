// A person with a mail about a key, in browsers that keep cookies and some that do not: what the pages show, what a scanner does with them, and
// who gets the key.

import { expect, test } from 'vitest';
import { findShare } from '../../../gateway/store/sharing/shares.ts';
import { pageProblems } from '../../support/clients/page-checks.ts';
import { formsOf } from '../../support/clients/page-forms.ts';
import { addKey, type Offered, type OfferRig } from '../../support/rigs/offer-rig.ts';
import { type Answer, makePortal, type PortalRig, password, type Visitor } from '../../support/rigs/portal-rig.ts';

const anna = 'anna@example.org';
const guest = 'nobody@example.org';
const newPassword = 'nine quiet harbours';

async function makeSite(): Promise<PortalRig & OfferRig> {
  const portal = await makePortal();
  const key = await addKey(portal);
  await portal.addAccount(anna);
  return { ...portal, ...key };
}

/** The page of the mail. Throws when a checker finds something wrong with it. */
async function openMail(visitor: Visitor, { code }: Offered): Promise<Answer> {
  return checked(await visitor.follow(await visitor.get(`/.latchkey/shares/open?code=${code}`)));
}

function checked(page: Answer): Answer {
  const problems = pageProblems(page.text);
  if (problems.length > 0) throw new Error(`${page.url.pathname}: ${problems.join('; ')}`);
  return page;
}

const ask = async (visitor: Visitor, page: Answer) =>
  checked(await visitor.follow(await visitor.submit(page, '/shares/open', { answer: 'ask' })));
const stateOf = async (site: PortalRig, { shareId }: Offered) => (await findShare(site.store.sql, shareId))?.state;

test('a person opens the mail, asks, types the password, and has the key and a session', async () => {
  const site = await makeSite();
  const offered = await site.offer(anna, { words: 'For the <cat>.\nThank you!' });
  const visitor = site.visitor();
  const first = await visitor.get(`/.latchkey/shares/open?code=${offered.code}`);
  expect(first.location).not.toContain(offered.secret);
  const page = await openMail(visitor, offered);
  expect(page.headers['referrer-policy']).toBe('no-referrer');
  for (const text of ['Olive offers you a key', 'Front door', 'Staff card, Hillside', anna, 'For the &lt;cat&gt;.'])
    expect(page.text).toContain(text);
  expect(page.text).not.toContain(offered.secret);
  const asked = await ask(visitor, page);
  expect([asked.status, asked.url.pathname]).toEqual([200, '/.latchkey/shares/accept']);
  expect(asked.text).toContain('Show that it is you');
  const cookie = visitor.cookies.get('portal.localhost')?.get('latchkey_share') ?? '';
  expect(cookie).toMatch(/^[\w-]{16}\.[\w-]{43}$/);
  const wrong = await visitor.submit(asked, '/shares/accept', { password: 'not the password' });
  expect([wrong.status, await stateOf(site, offered)]).toEqual([422, 'pending']);
  const done = await visitor.submit(checked(wrong), '/shares/accept', { password });
  expect(done.location).toBe(`/.latchkey/shares/${offered.shareId}`);
  expect(visitor.cookies.get('portal.localhost')?.has('latchkey_share')).toBe(false);
  const share = checked(await visitor.follow(done));
  expect(share.text).toContain('yours to use');
  expect(await stateOf(site, offered)).toBe('accepted');
  // the mail still leads to the key, and the browser's way back does no harm
  expect((await visitor.follow(await visitor.get(`/.latchkey/shares/open?code=${offered.code}`))).url.pathname).toBe(
    `/.latchkey/shares/${offered.shareId}`,
  );
  expect((await visitor.get(`/.latchkey/shares/accept?share=${offered.shareId}`)).location).toBe(
    `/.latchkey/shares/${offered.shareId}`,
  );
  // given back, after a question
  const question = checked(await visitor.get(`/.latchkey/shares/${offered.shareId}/give-back`));
  const left = checked(await visitor.follow(await visitor.submit(question, '/leave')));
  expect([left.text.includes('You gave the key back'), await stateOf(site, offered)]).toEqual([true, 'declined']);
});

test('a person without an account types the digits of the mail and a new password; two keys in two tabs do not mix', async () => {
  const site = await makeSite();
  const [offered, other] = [await site.offer(guest), await site.offer(anna)];
  const visitor = site.visitor();
  const tab = await ask(visitor, await openMail(visitor, offered));
  const digits = await site.digits(guest);
  const otherTab = await ask(visitor, await openMail(visitor, other));
  expect(tab.text).toContain(`code of six digits is on its way to <strong>${guest}</strong>`);
  const weak = await visitor.submit(tab, '/shares/accept?', { digits, new_password: 'short' });
  expect([weak.status, weak.text.includes('too short')]).toEqual([422, true]);
  // a new code replaces the request of this browser, and the digits of the first mail are worth nothing with it
  const again = checked(await visitor.follow(await visitor.submit(checked(weak), '/shares/accept/code')));
  const wrong = await visitor.submit(again, '/shares/accept?', { digits, new_password: newPassword });
  expect([wrong.status, wrong.text.includes('not the code of the newest mail')]).toEqual([422, true]);
  const fields = { digits: await site.digits(guest), new_password: newPassword };
  // the mail took its time
  site.clock.now += 14 * 60;
  const done = await visitor.submit(again, '/shares/accept?', fields);
  expect([done.location, await stateOf(site, offered)]).toEqual([`/.latchkey/shares/${offered.shareId}`, 'accepted']);
  expect((await visitor.follow(done)).text).toContain('yours to use');
  // the form of the other tab is from before the sign-in; loaded again, it is about the other key and another account
  const reloaded = checked(await visitor.get(otherTab.url.href));
  expect(reloaded.text).toContain(`You are signed in here as <strong>${guest}</strong>`);
  expect((await visitor.submit(reloaded, '/shares/accept', { password: newPassword })).status).toBe(422);
  expect((await visitor.submit(reloaded, '/shares/accept', { password })).status).toBe(303);
  expect(await stateOf(site, other)).toBe('accepted');
});

test('a scanner loads the page of the mail and posts its form, with and without cookies, five times each; the person accepts a minute later', async () => {
  const site = await makeSite();
  for (const email of [anna, guest]) {
    const offered = await site.offer(email);
    for (let times = 0; times < 5; times++) {
      const scanner = site.visitor({ headers: { 'user-agent': 'Mozilla/5.0', 'sec-fetch-site': undefined } });
      const page = await openMail(scanner, offered);
      for (const { action, hidden } of formsOf(page.text)) {
        const url = new URL(action, page.url).href;
        const bare = await site.visitor().post(url, hidden);
        expect(bare.status).toBe(403);
        const posted = await scanner.follow(await scanner.post(url, hidden));
        expect([posted.status, posted.url.pathname]).toEqual([200, '/.latchkey/shares/accept']);
        // and the button of the page behind it, with nothing typed
        expect((await scanner.submit(posted, '/shares/accept?')).status).toBe(422);
      }
      const headers = { 'sec-purpose': 'prefetch' };
      expect((await scanner.get(`/.latchkey/shares/open?code=${offered.code}`, headers)).status).toBe(503);
    }
    expect(await stateOf(site, offered)).toBe('pending');
    const visitor = site.visitor();
    const page = await openMail(visitor, offered);
    const full = await visitor.submit(page, '/shares/open', { answer: 'ask' });
    expect([full.status, full.headers['retry-after']]).toEqual([429, '60']);
    site.clock.now += 60;
    const asked = await ask(visitor, await openMail(visitor, offered));
    const fields = email === anna ? { password } : { digits: await site.digits(guest), new_password: newPassword };
    await visitor.submit(asked, '/shares/accept?', fields);
    expect([email, await stateOf(site, offered)]).toEqual([email, 'accepted']);
  }
});

test('authenticating without a request, in another browser, or by a session alone gives nothing', async () => {
  const site = await makeSite();
  const offered = await site.offer(anna);
  const [one, other] = [site.visitor(), site.visitor()];
  await other.signIn(anna);
  const asked = await ask(one, await openMail(one, offered));
  const fields = { share: offered.shareId, password };
  const home = await other.follow(await other.get('/.latchkey/'));
  const token = formsOf(home.text)[0]?.hidden.form_token ?? '';
  const without = await other.post('/.latchkey/shares/accept', { ...fields, form_token: token });
  expect([without.status, await stateOf(site, offered)]).toEqual([410, 'pending']);
  expect((await other.get(asked.url.href)).status).toBe(410);
  // signed in with the address, the portal's own page asks as well, and the password is asked for all the same
  const page = checked(await other.get(`/.latchkey/shares/${offered.shareId}`));
  const own = checked(await other.follow(await other.submit(page, '/ask')));
  expect(own.text).toContain('Show that it is you');
  expect((await other.submit(own, '/shares/accept', { password: '' })).status).toBe(422);
  expect(await stateOf(site, offered)).toBe('pending');
  expect((await other.submit(own, '/shares/accept', { password })).status).toBe(303);
  expect(await stateOf(site, offered)).toBe('accepted');
});

test('no thanks, a blocked sender, and every offer that is over have a page that says so; a wrong code tells nothing', async () => {
  const site = await makeSite();
  const visitor = site.visitor();
  const declined = await site.offer(guest);
  const page = await openMail(visitor, declined);
  // the page has one form, so that a scanner that presses every button says no to nothing
  expect(formsOf(page.text).map(({ hidden }) => hidden.answer)).toEqual(['ask']);
  const sure = checked(await visitor.get(`${page.url.href}&answer=decline`));
  expect([sure.text.includes('Say no to'), await stateOf(site, declined)]).toEqual([true, 'pending']);
  expect(checked(await visitor.submit(sure, '/shares/open')).text).toContain('You said no');
  const late = await visitor.submit(page, '/shares/open', { answer: 'ask' });
  expect([late.status, checked(late).text.includes('This offer is over')]).toEqual([410, true]);
  const blocked = await site.offer(guest);
  const other = await openMail(visitor, blocked);
  const block = checked(await visitor.get(`${other.url.href}&answer=block`));
  expect(checked(await visitor.submit(block, '/shares/open')).text).toContain('is blocked');
  expect(await stateOf(site, blocked)).toBe('declined');
  const own = await site.offer(anna);
  const signedIn = site.visitor();
  await signedIn.signIn(anna);
  const share = checked(await signedIn.get(`/.latchkey/shares/${own.shareId}`));
  const refused = checked(await signedIn.follow(await signedIn.submit(share, '/decline')));
  expect([refused.url.pathname, await stateOf(site, own)]).toEqual(['/.latchkey/shares/got', 'declined']);

  const answers = new Set<string>();
  for (const code of ['x', `${own.shareId}.${'A'.repeat(43)}`, `sh_nobody0000000000000000.${own.secret}`]) {
    const { status, text } = await openMail(site.visitor(), { ...own, code });
    expect(status).toBe(404);
    answers.add(text.replace(/content="[^"]*"|value="[^"]*"/g, ''));
  }
  expect(answers.size).toBe(1);
  expect((await site.visitor().post('/.latchkey/shares/other/ask', {})).location).toContain('/login');
});
