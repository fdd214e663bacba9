// Signing in, signing out and changing one's own account over the JSON API: cookies, equal answers for known and unknown addresses, no cross-site use.
// One life of an account from its first mail to its deletion, because each password that is looked at costs time.

import { expect, test } from 'vitest';
import { createOperatorServer } from '../../../gateway/api/operator-server.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { createLink } from '../../../gateway/control/links/create-link.ts';
import { type Answer, makePortal, password, type Visitor } from '../../support/rigs/portal-rig.ts';

const email = 'ann@example.org';
const second = 'four red umbrellas';

function post(visitor: Visitor, path: string, body: object, headers: Record<string, string | undefined> = {}) {
  return visitor.json('POST', `/.latchkey/v1/${path}`, body, headers);
}

function sessionOf(visitor: Visitor): string {
  return visitor.cookies.get('portal.localhost')?.get('latchkey') ?? '';
}

function said(answer: Answer): unknown[] {
  return [answer.status, answer.text === '' ? null : JSON.parse(answer.text)];
}

test('an account is made, changed, moved to another address, signed out, signed in again and deleted', async () => {
  const portal = await makePortal();
  const ann = portal.visitor();
  const me = async () => (await ann.json('GET', '/.latchkey/v1/me')).status;
  expect(said(await post(ann, 'register', { email }))).toEqual([204, null]);
  const code = await portal.mailedCode(email, 'verify-address');
  expect((await post(ann, 'register/verify', { code, password: 'short' })).status).toBe(422);
  const entered = await post(ann, 'register/verify', { code, password, name: 'Ann' });
  expect(entered.status).toBe(200);
  expect(entered.text).not.toContain(sessionOf(ann));
  expect(entered.cookies.map((line) => line.replace(/=.*?;/, '=…;'))).toContain(
    'latchkey=…; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax',
  );
  expect(await me()).toBe(200);
  expect(said(await post(ann, 'register/verify', { code, password }))).toMatchObject([410, { reason: 'code' }]);

  // the caller stays, under a new session; a copy of the cookie from before opens nothing
  const before = sessionOf(ann);
  const changed = await post(ann, 'me/password', { old_password: password, new_password: second });
  expect(changed.status).toBe(200);
  expect([sessionOf(ann) === before, await me()]).toEqual([false, 200]);
  const copy = await portal.visitor().json('GET', '/.latchkey/v1/me', undefined, { cookie: `latchkey=${before}` });
  expect(copy.status).toBe(401);
  const token: string = JSON.parse(changed.text).csrf_token;
  const plain = { 'sec-fetch-site': undefined, 'x-csrf-token': token };
  const moved = 'ann@hill.example';
  expect((await post(ann, 'me/address', { email: moved, password: second }, plain)).status).toBe(204);
  const answer = await post(ann, 'me/address/confirm', {
    code: await portal.mailedCode(moved, 'change-address-confirm'),
  });
  expect(said(answer)).toEqual([200, { email: moved }]);
  expect([sessionOf(ann), await me()]).toEqual(['', 401]);

  expect((await post(ann, 'sign-in', { email: moved, password: second })).status).toBe(200);
  expect((await post(ann, 'sign-out', {})).status).toBe(204);
  expect([sessionOf(ann), await me()]).toEqual(['', 401]);
  expect((await post(ann, 'sign-out', {})).status).toBe(401);

  expect((await post(ann, 'password-reset', { email: moved })).status).toBe(204);
  const reset = { code: await portal.mailedCode(moved, 'reset-password'), password };
  expect((await post(ann, 'password-reset/complete', reset)).status).toBe(204);
  expect((await post(ann, 'sign-in', { email: moved, password })).status).toBe(200);
  expect(said(await post(ann, 'me/delete', {}))).toMatchObject([403, { reason: 'wrong-password' }]);
  expect((await post(ann, 'me/delete', { password })).status).toBe(204);
  expect([sessionOf(ann), await me()]).toEqual(['', 401]);
});

test('a guest signs in by the digits of a mail that a link’s URL allowed; the digits count with their request alone', async () => {
  const portal = await makePortal({ registration: 'by_link' });
  const guest = portal.visitor();
  const made = await createLink(
    portal.context,
    { kind: 'operator' },
    { collection: 'summer', label: 'Films', requestId: null },
  );
  if (made.kind !== 'created') throw new Error(made.kind);
  const ask = async (body: object) => said(await post(guest, 'sign-in/mail-code', body));
  expect(await ask({ email: 'no address' })).toMatchObject([422, { reason: 'bad-address' }]);
  const [status, asked] = await ask({ email, url: made.url });
  expect([status, asked]).toEqual([200, { request: expect.stringMatching(/^[\w-]{16}\.[\w-]{43}$/) }]);
  const [mail] = await portal.mails(email);
  const digits = /Your code: (\d{6})/.exec(mail?.text ?? '')?.[1] ?? '';
  // as much is answered where no mail goes
  expect(await ask({ email: 'nobody@example.org' })).toMatchObject([200, { request: expect.any(String) }]);
  expect((await portal.mails()).length).toBe(1);
  const complete = (body: object) => post(guest, 'sign-in/mail-code/complete', { ...(asked as object), ...body });
  expect(said(await complete({ digits: 'abc' }))).toMatchObject([422, { reason: 'digits' }]);
  expect(said(await complete({ digits: digits === '000000' ? '000001' : '000000' }))).toMatchObject([
    403,
    { reason: 'wrong-digits', detail: expect.stringContaining('4 of its tries') },
  ]);
  expect(said(await complete({ request: `${'A'.repeat(16)}.${'A'.repeat(43)}`, digits }))).toMatchObject([410, {}]);
  expect((await complete({ digits })).status).toBe(200);
  expect(JSON.parse((await guest.json('GET', '/.latchkey/v1/me')).text)).toMatchObject({ email });
});

test('known and unknown addresses get the same answer, also with wrong passwords', async () => {
  const portal = await makePortal();
  await portal.addAccount(email);
  const asks = async (address: string) => {
    const visitor = portal.visitor();
    const answers = [
      await post(visitor, 'sign-in', { email: address, password: second }),
      await post(visitor, 'register', { email: address }),
      await post(visitor, 'password-reset', { email: address }),
    ];
    return answers.map((answer) => [...said(answer), answer.cookies]);
  };
  const known = await asks(email);
  expect(known).toMatchObject([
    [403, { reason: 'sign-in' }, []],
    [204, null, []],
    [204, null, []],
  ]);
  expect(await asks('nobody@example.org')).toEqual(known);
});

test('attack: login CSRF and sign-out from another site are refused before anything is looked at', async () => {
  const portal = await makePortal();
  const visitor = portal.visitor();
  for (const path of ['sign-in', 'sign-in/code', 'register', 'register/verify', 'password-reset', 'me/delete']) {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': undefined, origin: 'https://evil.example' },
      { 'sec-fetch-site': undefined },
    ]) {
      const answer = await post(visitor, path, { email, password, code: 'x' }, headers);
      expect([path, ...said(answer)]).toMatchObject([path, 403, { reason: 'cross-site' }]);
    }
  }
});

test('requests for mails are limited as on the pages, and a refusal says what to do', async () => {
  const portal = await makePortal();
  const operator = createOperatorServer(portal.context);
  const made = await createAccount(portal.context, { kind: 'operator' }, { email, invited: true });
  if (made.kind !== 'created') throw new Error('no account');
  const url = `/v1/accounts/${made.accountId}/sign-in-link`;
  const refused = (await operator.inject({ method: 'POST', url })).json();
  expect([refused.status, refused.reason]).toEqual([409, 'unverified']);
  expect(refused.detail).toBe('The address of this account is not verified yet; send an invitation instead.');
  const own = await operator.inject({ method: 'POST', url: '/v1/sign-in', payload: { email, password } });
  expect([own.statusCode, own.json().reason]).toEqual([403, 'not-an-account']);
  await operator.close();
  const mallory = portal.visitor();
  const statuses: number[] = [];
  for (let tries = 0; tries < 60 && statuses.at(-1) !== 429; tries++) {
    statuses.push((await post(mallory, 'password-reset', { email: `a${tries}@example.org` })).status);
  }
  const last = await post(mallory, 'password-reset', { email });
  expect([statuses[0], last.status, Number(last.headers['retry-after']) > 0]).toEqual([204, 429, true]);
});

test('of 80 parallel sign-ins for ever new addresses a few wait, the others are refused at once, and pages still work', async () => {
  const portal = await makePortal();
  portal.configure((config) => ({ ...config, passwordChecksPerSecond: 1 }));
  const { queue } = portal.context.passwords;
  let mostWaiting = 0;
  const answers: string[] = [];
  const told = Promise.withResolvers<void>();
  const all = Array.from({ length: 80 }, async (_, at) => {
    const visitor = portal.visitor({ address: `198.51.100.${at}` });
    const answer = await post(visitor, 'sign-in', { email: `nobody${at}@example.org`, password });
    mostWaiting = Math.max(mostWaiting, queue.waiting);
    const retry = answer.headers['retry-after'];
    answers.push(retry === undefined ? `${answer.status}` : `${answer.status} after ${retry}`);
    // one runs, and at one a second two more can begin within the time that anybody waits; a slow machine takes some seconds
    if (answers.filter((said) => said.startsWith('429 after ')).length === 70) told.resolve();
  });
  await told.promise;
  expect(mostWaiting).toBeLessThanOrEqual(2);
  expect((await portal.visitor().get('/.latchkey/login')).status).toBe(200);
  queue.close();
  await Promise.all(all);
  expect(answers.filter((said) => !/^429 after [23]$/.test(said) && said !== '403')).toEqual([]);
});
