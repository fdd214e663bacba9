// A guest without an account comes in by a link and the six digits of a mail, in pages without scripts: in the browser that opened the link, and
// in another one by the mail's own link. Rules: gateway/RULES.md "Sessions, links and guessing".

import { expect, test } from 'vitest';
import { attributeOf } from '../../support/clients/page-forms.ts';
import { type ClaimRig, direct, makeClaimRig, secretOf } from '../../support/rigs/claim-rig.ts';
import { type Answer, mediaOrigin, type PortalRig, type Visitor } from '../../support/rigs/portal-rig.ts';

const guest = 'mina@example.org';
const known = 'ann@example.org';
const portalHost = 'portal.localhost:8080';

/** Presses "Mail me a code" of a sign-in page. @returns the page where the code is typed */
async function mailMe(visitor: Visitor, page: Answer, email: string): Promise<Answer> {
  const [, button = ''] = /<button([^>]*formaction[^>]*)>Mail me a code/.exec(page.text) ?? [];
  const target = attributeOf(button, 'formaction');
  if (target === null) throw new Error(`no such button on ${page.url.pathname}`);
  const token = /name="form_token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  return visitor.follow(await visitor.post(new URL(target, page.url).href, { form_token: token, email }));
}

async function digitsOf(portal: PortalRig, email: string): Promise<string> {
  const mail = (await portal.mails(email)).at(-1);
  return /Your code: (\d{6})/.exec(mail?.text ?? '')?.[1] ?? '';
}

/** A guest's browser at the sign-in page of a link. */
async function atLink(rig: ClaimRig, fields = {}): Promise<{ visitor: Visitor; page: Answer; url: string }> {
  const { url } = await rig.makeUrl({ claimsAllowed: 5, ...fields });
  const visitor = rig.portal.visitor({ headers: direct });
  return { visitor, page: await visitor.follow(await visitor.get(url)), url };
}

test('a guest without an account types an address and the code of the mail, is asked once more, and comes in', async () => {
  const rig = await makeClaimRig({ registration: 'by_link' });
  const { visitor, page, url } = await atLink(rig);
  for (const words of [
    'Film &lt;night&gt;',
    'owner@example.org',
    'your name and mail address',
    'when you opened it',
    'which browsers you use',
  ])
    expect(page.text).toContain(words);
  const typing = await mailMe(visitor, page, ` ${guest} `);
  expect([typing.url.pathname, typing.text.includes(guest), typing.text.includes('which browsers you use')]).toEqual([
    '/.latchkey/code',
    true,
    true,
  ]);
  // neither the link's secret nor the address stands in an address
  expect(typing.url.href).not.toContain(secretOf(url));
  expect(decodeURIComponent(typing.url.href)).not.toContain(guest);
  const [mail] = await rig.portal.mails(guest);
  expect(mail?.text).toContain('After that you can open “Film <night>”, which owner@example.org shared.');
  const before = await rig.counts();
  const wrong = await visitor.submit(typing, '/code/check', { digits: '12' });
  expect([wrong.status, wrong.text.includes('has six digits')]).toEqual([422, true]);
  const question = await visitor.follow(
    await visitor.submit(wrong, '/code/check', { digits: await digitsOf(rig.portal, guest) }),
  );
  expect([question.url.host, question.url.pathname]).toEqual(['media.localhost:8080', '/.latchkey/claim']);
  expect(question.text).toContain(guest);
  // an account was made, and nothing was claimed before the yes
  expect(JSON.parse(await rig.counts())[0]).toBe(JSON.parse(before)[0]);
  expect((await visitor.submit(question, '/claim')).location).toBe('/vod/summer/');
  expect(JSON.parse((await visitor.get(`http://${portalHost}/.latchkey/me`)).text)).toMatchObject({ email: guest });
});

test('the link of the mail keeps the way in another browser, names the account first, and a scanner spends nothing', async () => {
  const rig = await makeClaimRig({ registration: 'by_link' });
  const { visitor, page } = await atLink(rig);
  const typing = await mailMe(visitor, page, guest);
  const code = await rig.portal.mailedCode(guest, 'sign-in-code');
  const target = `http://${portalHost}/.latchkey/enter?code=${code}`;
  const scanner = rig.portal.visitor();
  await scanner.send('HEAD', target, null, {});
  await scanner.follow(await scanner.get(target));
  const phone = rig.portal.visitor({ headers: direct });
  const opened = await phone.follow(await phone.get(target));
  expect(opened.url.href).not.toContain(code);
  for (const words of [
    `as <strong>${guest}</strong>`,
    'Film &lt;night&gt;',
    'owner@example.org',
    'which browsers you use',
  ])
    expect(opened.text).toContain(words);
  const question = await phone.follow(await phone.submit(opened, '/enter'));
  expect([question.url.host, question.url.pathname]).toEqual(['media.localhost:8080', '/.latchkey/claim']);
  expect((await phone.submit(question, '/claim')).location).toBe('/vod/summer/');
  // the digits went with it: whoever asked in the first browser is not signed in by what the phone did
  const late = await visitor.submit(typing, '/code/check', { digits: await digitsOf(rig.portal, guest) });
  expect([late.status, visitor.cookies.get('portal.localhost')?.has('latchkey')]).toEqual([410, false]);
});

test('attack: session fixation by mail. Who is signed in reads whose account the link of a mail leads into', async () => {
  const rig = await makeClaimRig({ registration: 'by_link' });
  const victim = await rig.signedIn(known);
  await rig.portal.addAccount('mallory@example.org');
  const mallory = rig.portal.visitor();
  await mailMe(mallory, await mallory.get('/.latchkey/login'), 'mallory@example.org');
  const code = await rig.portal.mailedCode('mallory@example.org', 'sign-in-code');
  const opened = await victim.follow(await victim.get(`/.latchkey/enter?code=${code}`));
  expect(opened.text).toContain('as <strong>mallory@example.org</strong>');
  expect(opened.text).toContain(`You are signed in here as <strong>${known}</strong>, which ends.`);
  expect(JSON.parse((await victim.get('/.latchkey/me')).text)).toMatchObject({ email: known });
});

test('the page is the same for an account, a guest whom the link lets in, and an address that gets no mail', async () => {
  const rig = await makeClaimRig({ registration: 'by_link' });
  await rig.portal.addAccount(known);
  rig.portal.configure((config) => ({ ...config, accounts: { ...config.accounts, domains: ['example.org'] } }));
  const texts = [];
  for (const email of [known, guest, 'mina@elsewhere.example']) {
    const { visitor, page } = await atLink(rig);
    const typing = await mailMe(visitor, page, email);
    const wrong = await visitor.submit(typing, '/code/check', { digits: '000000' });
    const text = `${typing.status} ${typing.text} ${wrong.status} ${wrong.text}`;
    texts.push(text.replaceAll(email, 'ADDRESS').replace(/(handover|flow)=[\w.-]+|value="[^"]*"/g, ''));
  }
  expect(new Set(texts).size).toBe(1);
  expect(await rig.portal.mails('mina@elsewhere.example')).toEqual([]);
});

test('where accounts are by invitation, the page of a link says whom to ask, by name', async () => {
  const rig = await makeClaimRig({ registration: 'invited' });
  const { visitor, page } = await atLink(rig);
  expect(page.text).toContain('Ask <strong>owner@example.org</strong> to have your address invited.');
  const closed = await visitor.get('/.latchkey/register');
  expect([closed.status, closed.text.includes('Ask owner@example.org to have your address invited')]).toEqual([
    403,
    true,
  ]);
  await mailMe(visitor, page, guest);
  expect(await rig.portal.mails(guest)).toEqual([]);
});

test('without mail nothing is offered that mail would be needed for', async () => {
  const rig = await makeClaimRig({ registration: 'by_link' });
  rig.portal.configure((config) => ({ ...config, mail: null }));
  const { page } = await atLink(rig);
  expect(page.text).not.toContain('Mail me a code');
  expect(page.text).toContain('Ask <strong>owner@example.org</strong> to have your address invited.');
});

test('a code that was asked for twice works in both tabs of the browser, and in no other browser', async () => {
  const rig = await makeClaimRig();
  await rig.portal.addAccount(known);
  const ann = rig.portal.visitor();
  const first = await mailMe(ann, await ann.get('/.latchkey/login?return=%2F.latchkey%2Flinks'), known);
  const again = await ann.follow(await ann.submit(first, '/.latchkey/code?', { email: known }));
  expect(again.url.pathname).toBe('/.latchkey/code');
  const digits = await digitsOf(rig.portal, known);
  const other = rig.portal.visitor();
  const foreign = await other.get(again.url.href);
  expect([foreign.status, foreign.text.includes('in the browser that asked for it')]).toEqual([410, true]);
  const answer = await ann.submit(first, '/code/check', { digits });
  expect(answer.location).toBe('/.latchkey/links');
});

test('a code that is typed after the way of its page ended still leads there', async () => {
  const rig = await makeClaimRig({ registration: 'by_link' });
  const { visitor, page } = await atLink(rig);
  rig.portal.clock.now += 9 * 60;
  const typing = await mailMe(visitor, page, guest);
  rig.portal.clock.now += 5 * 60;
  const answer = await visitor.submit(typing, '/code/check', { digits: await digitsOf(rig.portal, guest) });
  expect(answer.location).toContain(`${mediaOrigin}/vod/summer/?key=`);
  const question = await visitor.follow(answer);
  expect(question.url.pathname).toBe('/.latchkey/claim');
});

test('who registers by a page of a link, and confirms in another browser, is led on to that link', async () => {
  const rig = await makeClaimRig({ registration: 'open' });
  const { visitor } = await atLink(rig);
  await visitor.submit(await visitor.get('/.latchkey/register'), '/register', { email: guest });
  const code = await rig.portal.mailedCode(guest, 'verify-address');
  expect((await rig.portal.mails(guest)).at(-1)?.text).toContain('“Film <night>”, which owner@example.org shared');
  const phone = rig.portal.visitor({ headers: direct });
  const opened = await phone.follow(await phone.get(`/.latchkey/verify?code=${code}`));
  expect(opened.text).toContain('which browsers you use');
  const done = await phone.submit(opened, '/verify', { password: 'nine quiet rivers', name: 'Mina' });
  const question = await phone.follow(done);
  expect([question.url.host, question.url.pathname]).toEqual(['media.localhost:8080', '/.latchkey/claim']);
});

test('a new password that is chosen in another browser leads on to the link as well', async () => {
  const rig = await makeClaimRig({ registration: 'by_link' });
  await rig.portal.addAccount(known);
  const { visitor } = await atLink(rig);
  await visitor.submit(await visitor.get('/.latchkey/forgot'), '/forgot', { email: known });
  const code = await rig.portal.mailedCode(known, 'reset-password');
  const spend = async (browser: Visitor) => {
    const opened = await browser.follow(await browser.get(`/.latchkey/reset?code=${code}`));
    return browser.submit(opened, '/reset', { password: 'nine quiet rivers' });
  };
  const done = await spend(rig.portal.visitor({ headers: direct }));
  expect(done.location).toContain(`${mediaOrigin}/vod/summer/?key=`);
  await visitor.submit(await visitor.get('/.latchkey/forgot'), '/forgot', { email: known });
  const second = await rig.portal.mailedCode(known, 'reset-password');
  const opened = await visitor.follow(await visitor.get(`/.latchkey/reset?code=${second}`));
  const here = await visitor.submit(opened, '/reset', { password: 'nine quiet rivers' });
  expect(here.location).toContain('/.latchkey/login?done=reset&handover=');
});
