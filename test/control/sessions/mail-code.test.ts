// Six digits by mail: five tries in the browser that asked, a link for every other browser, and an account for who has none and holds a good
// link. Rules: gateway/RULES.md "Sessions, links and guessing".

import { expect, test } from 'vitest';
import { adminDisable } from '../../../gateway/control/accounts/administer-accounts.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { describeCode } from '../../../gateway/control/accounts/describe-code.ts';
import { createLink } from '../../../gateway/control/links/create-link.ts';
import { revokeLink } from '../../../gateway/control/links/revoke-link.ts';
import type { CarriedWay } from '../../../gateway/control/proof/carried-way.ts';
import { windowPolicies } from '../../../gateway/control/proof/throttle-policies.ts';
import { requestMailCode } from '../../../gateway/control/sessions/request-mail-code.ts';
import { signInByCode } from '../../../gateway/control/sessions/sign-in-by-code.ts';
import { signInByDigits } from '../../../gateway/control/sessions/sign-in-by-mail.ts';
import { findVerifiedAccount } from '../../../gateway/store/rows/accounts.ts';
import { browser, makeContext, type TestContext } from '../../support/rigs/control-context.ts';
import { describeEngines } from '../../support/store/stores.ts';

const operator = { kind: 'operator' } as const;
const known = 'anna@example.org';
const guest = 'nobody@example.org';
const collection =
  'collections: [{ name: summer, host: media.localhost, path: /vod/summer/, owners: [owner@example.org] }]\n';

async function makeSite(registration = 'by_link', engine: 'sqlite' | 'postgres' = 'sqlite'): Promise<TestContext> {
  const site = await makeContext({ engine, yaml: `${collection}accounts: { registration: ${registration} }\n` });
  await createAccount(site.context, operator, { email: known, invited: false });
  return site;
}

async function ask(site: TestContext, email: string, changes: Partial<Parameters<typeof requestMailCode>[1]> = {}) {
  const outcome = await requestMailCode(site.context, { ...browser, email, way: null, ...changes });
  if (outcome.kind !== 'accepted') throw new Error(outcome.kind);
  await site.context.afterwards.settled();
  return outcome.request;
}

async function digitsOf(site: TestContext, email: string): Promise<string> {
  const mail = (await site.mails(email)).filter(({ kind }) => kind === 'sign-in-code').at(-1);
  return /Your code: (\d{6})/.exec(mail?.text ?? '')?.[1] ?? '';
}

const otherThan = (digits: string): string => String((Number(digits) + 1) % 1_000_000).padStart(6, '0');

/** A link as a browser carries it, and its id. */
async function makeLink(
  site: TestContext,
  fields: Partial<Parameters<typeof createLink>[2]> = {},
): Promise<{ readonly way: CarriedWay; readonly id: string }> {
  const made = await createLink(site.context, operator, {
    collection: 'summer',
    label: 'Films https://evil.example',
    requestId: null,
    ...fields,
  });
  if (made.kind !== 'created') throw new Error(made.kind);
  const url = new URL(made.url);
  const [key, token] = ['key', 'authtoken'].map((name) => url.searchParams.get(name) ?? '');
  const about = { label: made.link.label, owner: 'Olive' };
  return {
    id: made.link.id,
    way: { host: 'media.localhost', returnPath: url.pathname, link: { key: key ?? '', token: token ?? '' }, about },
  };
}

test('the digits sign in the browser that asked, once, within ten minutes; spaces and dashes do not count', async () => {
  const site = await makeSite();
  const request = await ask(site, known);
  const digits = await digitsOf(site, known);
  expect(await signInByDigits(site.context, { ...browser, request, digits: '12345' })).toEqual({ kind: 'malformed' });
  const typed = ` ${digits.slice(0, 3)}-${digits.slice(3)} `;
  const outcome = await signInByDigits(site.context, { ...browser, request, digits: typed });
  if (outcome.kind !== 'signed-in') throw new Error(outcome.kind);
  expect((await site.actor(outcome.session)).email).toBe(known);
  expect(await signInByDigits(site.context, { ...browser, request, digits })).toEqual({ kind: 'refused' });
  const late = await ask(site, known);
  site.clock.now += 600;
  const lateDigits = await digitsOf(site, known);
  expect(await signInByDigits(site.context, { ...browser, request: late, digits: lateDigits })).toEqual({
    kind: 'refused',
  });
});

test('attack: digits that somebody was talked into telling are no code in another browser', async () => {
  const site = await makeSite();
  const request = await ask(site, known);
  const digits = await digitsOf(site, known);
  const [selector = ''] = request.split('.');
  const [, foreign = ''] = (await ask(site, 'mallory@example.org')).split('.');
  for (const forged of [`${selector}.${foreign}`, selector, '', `${selector}.${'A'.repeat(43)}`]) {
    const outcome = await signInByDigits(site.context, { ...browser, request: forged, digits });
    expect(outcome.kind).not.toBe('signed-in');
  }
});

test('the newest code of an address counts, whichever browser asked for it', async () => {
  const site = await makeSite();
  const first = await ask(site, known);
  const before = await digitsOf(site, known);
  const second = await ask(site, known);
  expect(await signInByDigits(site.context, { ...browser, request: first, digits: before })).toEqual({
    kind: 'refused',
  });
  const digits = await digitsOf(site, known);
  expect((await signInByDigits(site.context, { ...browser, request: second, digits })).kind).toBe('signed-in');
});

test('attack: who asks for a code of another person gets nothing when that person opens the link of the mail', async () => {
  const site = await makeSite();
  const strangers = { deviceCookie: null, clientAddress: '203.0.113.66' };
  const request = await ask(site, known, strangers);
  const digits = await digitsOf(site, known);
  const code = await site.mailedCode(known, 'sign-in-code');
  expect(await describeCode(site.context, code)).toMatchObject({ kind: 'usable', purpose: 'mail-code', email: known });
  const outcome = await signInByCode(site.context, { ...browser, code });
  expect(outcome.kind).toBe('signed-in');
  expect(await signInByDigits(site.context, { ...browser, ...strangers, request, digits })).toEqual({
    kind: 'refused',
  });
});

test('known and unknown addresses have the same tries and the same answers; only the mails differ', async () => {
  const site = await makeSite();
  const answers = [];
  for (const email of [known, guest]) {
    const request = await ask(site, email);
    const wrong = otherThan(await digitsOf(site, email));
    const outcomes = [];
    for (let times = 0; times < 6; times++)
      outcomes.push(await signInByDigits(site.context, { ...browser, request, digits: wrong }));
    answers.push(outcomes);
  }
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]?.map((outcome) => ('triesLeft' in outcome ? outcome.triesLeft : outcome.kind))).toEqual([
    4,
    3,
    2,
    1,
    0,
    'refused',
  ]);
  expect(await site.mails(guest)).toEqual([]);
  expect((await site.store.sql.selectFrom('accounts').select('email').execute()).map(({ email }) => email)).toEqual([
    known,
  ]);
});

test('an unknown address gets an account where a good link is about to be opened, and by digits or link of that mail alone', async () => {
  const site = await makeSite();
  const { way } = await makeLink(site);
  const request = await ask(site, guest, { way });
  const [mail] = await site.mails(guest);
  expect(mail?.text).toContain('After that you can open “Films https: //evil.example”, which Olive shared.');
  // nothing is planted by the request
  expect(await findVerifiedAccount(site.store.sql, guest)).toBeNull();
  const stored = JSON.stringify(await site.store.sql.selectFrom('one_time_codes').selectAll().execute());
  for (const secret of [guest, way.link?.token ?? '', await digitsOf(site, guest)])
    expect(stored).not.toContain(secret);
  const outcome = await signInByDigits(site.context, { ...browser, request, digits: await digitsOf(site, guest) });
  if (outcome.kind !== 'signed-in') throw new Error(outcome.kind);
  expect(outcome.way).toEqual(way);
  expect(await findVerifiedAccount(site.store.sql, guest)).toMatchObject({ passwordHash: null, role: 'user' });
});

test('a mail that is read in another browser carries the link there', async () => {
  const site = await makeSite();
  const { way } = await makeLink(site);
  await ask(site, guest, { way });
  const code = await site.mailedCode(guest, 'sign-in-code');
  expect(await describeCode(site.context, code)).toMatchObject({ kind: 'usable', email: guest, way });
  const outcome = await signInByCode(site.context, { ...browser, deviceCookie: null, code });
  expect(outcome).toMatchObject({ kind: 'signed-in', way });
});

test.each([
  ['without a link', 'by_link', async () => null],
  [
    'with a link whose secret is wrong',
    'by_link',
    async (site: TestContext) => wrongSecret((await makeLink(site)).way),
  ],
  ['with a link that was ended', 'by_link', async (site: TestContext) => ended(site)],
  [
    'with a link for another place',
    'by_link',
    async (site: TestContext) => ({ ...(await makeLink(site)).way, returnPath: '/other/' }),
  ],
  [
    'with a good link, where accounts are by invitation',
    'invited',
    async (site: TestContext) => (await makeLink(site)).way,
  ],
  [
    'with a good link, where its domain is not taken',
    'by_link, domains: [elsewhere.example]',
    async (site: TestContext) => (await makeLink(site)).way,
  ],
] as const)('%s an unknown address gets no mail and no account', async (_case, registration, wayOf) => {
  const site = await makeSite(registration);
  const way = await wayOf(site);
  await ask(site, guest, { way });
  expect(await site.mails(guest)).toEqual([]);
  // who has an account is mailed a code all the same
  await ask(site, known, { way });
  expect((await site.mails(known)).length).toBe(1);
});

function wrongSecret(way: CarriedWay): CarriedWay {
  const token = way.link?.token ?? '';
  return { ...way, link: { key: way.link?.key ?? '', token: `${token.slice(0, -4)}AAAA` } };
}

async function ended(site: TestContext): Promise<CarriedWay> {
  const { way, id } = await makeLink(site);
  await revokeLink(site.context, operator, id, null);
  return way;
}

test('a link that was made for one address makes an account for that one alone', async () => {
  const site = await makeSite();
  const { way } = await makeLink(site, { addresses: [guest] });
  const before = (await site.mails(guest)).length;
  await ask(site, 'mallory@example.org', { way });
  expect(await site.mails('mallory@example.org')).toEqual([]);
  await ask(site, guest, { way });
  expect((await site.mails(guest)).length).toBe(before + 1);
});

test('who was invited comes in by a code as by the invitation, with the groups that were set', async () => {
  const site = await makeSite('invited');
  await createAccount(site.context, operator, { email: guest, groups: ['staff'], invited: true });
  const request = await ask(site, guest);
  const digits = await digitsOf(site, guest);
  expect((await signInByDigits(site.context, { ...browser, request, digits })).kind).toBe('signed-in');
  expect(await findVerifiedAccount(site.store.sql, guest)).toMatchObject({ groups: ['staff'] });
  // the invitation went with it
  const code = await site.mailedCode(guest, 'invitation');
  expect(await signInByCode(site.context, { ...browser, code })).toEqual({ kind: 'refused' });
});

test('a link that was ended after the code was mailed makes no account any more', async () => {
  const site = await makeSite();
  const { way, id } = await makeLink(site);
  const request = await ask(site, guest, { way });
  await revokeLink(site.context, operator, id, null);
  const digits = await digitsOf(site, guest);
  expect(await signInByDigits(site.context, { ...browser, request, digits })).toEqual({ kind: 'refused' });
  expect(await findVerifiedAccount(site.store.sql, guest)).toBeNull();
});

test('an account that is blocked gets no code, and none that waits works any more', async () => {
  const site = await makeSite();
  const request = await ask(site, known);
  const digits = await digitsOf(site, known);
  const account = await findVerifiedAccount(site.store.sql, known);
  await adminDisable(site.context, operator, { accountId: account?.id ?? '' });
  expect(await signInByDigits(site.context, { ...browser, request, digits })).toEqual({ kind: 'refused' });
  await ask(site, known);
  expect((await site.mails(known)).length).toBe(1);
});

test('strangers cannot use up the codes of a browser that the account knows', async () => {
  const site = await makeSite();
  const request = await ask(site, known);
  const signedIn = await signInByDigits(site.context, { ...browser, request, digits: await digitsOf(site, known) });
  if (signedIn.kind !== 'signed-in') throw new Error(signedIn.kind);
  const { most: fromNetwork } = windowPolicies['code-recipient'];
  const { most: inAll } = windowPolicies['codes-of-address'];
  for (let at = 1; at < 2 * inAll; at++) await ask(site, known, { clientAddress: `203.0.${at % 5}.1` });
  const before = (await site.mails(known)).length;
  expect(before).toBe(inAll);
  await ask(site, known, { deviceCookie: signedIn.session.deviceCookie });
  expect((await site.mails(known)).length).toBe(before + 1);
  expect(fromNetwork).toBeLessThan(inAll);
});

describeEngines('parallel guesses', (engine) => {
  test('attack: of 64 guesses at once, on two nodes, five are looked at', async () => {
    const site = await makeSite('by_link', engine);
    const other = await makeContext({ like: site });
    const request = await ask(site, known);
    const wrong = otherThan(await digitsOf(site, known));
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, (_, at) =>
        signInByDigits((at % 2 === 0 ? site : other).context, {
          ...browser,
          clientAddress: `2001:db8:${at.toString(16)}::1`,
          request,
          digits: wrong,
        }),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === 'wrong').length).toBe(5);
    expect(outcomes.filter(({ kind }) => kind === 'refused').length).toBe(59);
  });

  test('64 browsers that open the link of one mail at once get one sign-in and one account', async () => {
    const site = await makeSite('by_link', engine);
    const other = await makeContext({ like: site });
    const { way } = await makeLink(site);
    await ask(site, guest, { way });
    const code = await site.mailedCode(guest, 'sign-in-code');
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, (_, at) =>
        signInByCode((at % 2 === 0 ? site : other).context, {
          ...browser,
          clientAddress: `2001:db8:${at.toString(16)}::1`,
          code,
        }),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === 'signed-in').length).toBe(1);
    expect((await site.store.sql.selectFrom('accounts').select('id').where('email', '=', guest).execute()).length).toBe(
      1,
    );
  });
});
