// Getting an account: registration, an invitation, a one-time sign-in link, a new password, another address. The tests follow the mails that
// really wait in the outbox, and use pages without scripts.

import { expect, test } from 'vitest';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { registerAccount } from '../../../gateway/control/accounts/register-account.ts';
import { requestPasswordReset } from '../../../gateway/control/accounts/request-password-reset.ts';
import { windowPolicies } from '../../../gateway/control/proof/throttle-policies.ts';
import { makePortal, mediaOrigin, password } from '../../support/rigs/portal-rig.ts';

const email = 'ann@example.org';
const other = 'nine quiet rivers';

test('a new person registers by a mail, chooses a password there, is signed in and comes back to where they were going', async () => {
  const portal = await makePortal();
  const ann = portal.visitor();
  const login = await ann.follow(await ann.get(`${mediaOrigin}/.latchkey/login?return=/vod/summer/`));
  expect(login.text).toContain('Make an account');
  const sent = await ann.submit(await ann.get('/.latchkey/register'), '/register', { email });
  const mailed = await ann.follow(sent);
  expect(mailed.text).toContain('Look at your mail');
  // reloading that page sends no second mail
  expect((await ann.get(mailed.url.href)).text).toBe(mailed.text);
  expect((await portal.mails(email)).length).toBe(1);
  const code = await portal.mailedCode(email, 'verify-address');
  const opened = await ann.get(`/.latchkey/verify?code=${code}`);
  // the code leaves the address at once, and goes into no referrer
  expect([opened.status, opened.headers['referrer-policy']]).toEqual([303, 'no-referrer']);
  expect(opened.location).toMatch(/^\/\.latchkey\/verify\?flow=[\w-]+$/);
  const page = await ann.follow(opened);
  const weak = await ann.submit(page, '/verify', { password: 'short', name: 'Ann' });
  expect([weak.status, weak.text.includes('too short')]).toEqual([422, true]);
  expect(weak.text).toContain('go on to <strong>media.localhost</strong>');
  // what any site begins in another tab meanwhile is not what this page told of
  await ann.follow(await ann.get(`${mediaOrigin}/.latchkey/login?return=/elsewhere/`));
  const done = await ann.submit(weak, '/verify', { password: other, name: 'Ann' });
  expect(done.location).toContain(`${mediaOrigin}/.latchkey/handover?code=`);
  expect((await ann.get(done.location ?? '')).location).toBe('/vod/summer/');
  expect((await ann.submit(page, '/verify', { password: other })).status).toBe(403);
  expect((await ann.follow(await ann.get(`/.latchkey/verify?code=${code}`))).status).toBe(410);
});

test('opening the page of a mail spends nothing: it still works for the person after a scanner opened it', async () => {
  const portal = await makePortal();
  const scanner = portal.visitor();
  await scanner.submit(await scanner.get('/.latchkey/register'), '/register', { email });
  const code = await portal.mailedCode(email, 'verify-address');
  await scanner.follow(await scanner.get(`/.latchkey/verify?code=${code}`));
  await scanner.send('HEAD', `/.latchkey/verify?code=${code}`, null, {});
  const ann = portal.visitor();
  const page = await ann.follow(await ann.get(`/.latchkey/verify?code=${code}`));
  expect((await ann.submit(page, '/verify', { password: other })).status).toBe(303);
});

test('known and unknown addresses get the same answer and the same page', async () => {
  const portal = await makePortal();
  await portal.addAccount(email);
  for (const path of ['register', 'forgot']) {
    const texts = [];
    for (const address of [email, 'nobody@example.org']) {
      const visitor = portal.visitor();
      const form = await visitor.get(`/.latchkey/${path}`);
      const sent = await visitor.follow(await visitor.submit(form, `/${path}`, { email: address }));
      expect(sent.status).toBe(200);
      texts.push(sent.text.replaceAll(address, 'ADDRESS'));
    }
    expect(texts[0]).toBe(texts[1]);
  }
});

test('a closed registration says so and takes nothing', async () => {
  const portal = await makePortal();
  const visitor = portal.visitor();
  const page = await visitor.get('/.latchkey/register');
  portal.configure((config) => ({ ...config, accounts: { ...config.accounts, registration: 'invited' } }));
  expect((await visitor.get('/.latchkey/register')).status).toBe(403);
  expect((await visitor.submit(page, '/register', { email })).status).toBe(403);
  expect(await portal.mails()).toEqual([]);
});

test('an invited person chooses a password and is signed in', async () => {
  const portal = await makePortal();
  await portal.addAccount('boss@example.org', 'admin');
  const boss = portal.visitor();
  await boss.signIn('boss@example.org');
  const form = await boss.get('/.latchkey/admin/accounts/invite');
  const invited = await boss.submit(form, '/invite', { email, name: 'Ann', groups: 'staff, editors', role: 'user' });
  expect(invited.location).toBe('/.latchkey/admin/accounts?done=invited');
  const ann = portal.visitor();
  const code = await portal.mailedCode(email, 'invitation');
  const page = await ann.follow(await ann.get(`/.latchkey/invitation?code=${code}`));
  expect(page.text).toContain(email);
  expect((await ann.submit(page, '/invitation', { password: other, name: 'Ann' })).status).toBe(303);
  expect(JSON.parse((await ann.get('/.latchkey/me')).text)).toMatchObject({ email, groups: ['editors', 'staff'] });
});

test('a network that asked too often is told how long to wait and what works meanwhile; invitations still work', async () => {
  const portal = await makePortal();
  await createAccount(portal.context, { kind: 'operator' }, { email, invited: true });
  const asked = { email: 'nobody@example.org', clientAddress: '127.0.0.1' };
  const stranger = portal.visitor();
  const register = await stranger.get('/.latchkey/register');
  const forgot = await stranger.get('/.latchkey/forgot');
  const { most: requests } = windowPolicies['request-address'];
  const accepted = (times: number) => Array.from({ length: times }, () => ({ kind: 'accepted' }));
  const registered = accepted(requests).map(() => registerAccount(portal.context, asked));
  expect(await Promise.all(registered)).toEqual(accepted(requests));
  // each is counted for itself: who registers all day keeps nobody in the house from a new password
  expect((await stranger.submit(forgot, '/forgot', { email })).status).toBe(303);
  const reset = accepted(requests - 1).map(() => requestPasswordReset(portal.context, asked));
  expect(await Promise.all(reset)).toEqual(accepted(requests - 1));
  for (const [page, action, words] of [
    [register, '/register', 'Were you invited?'],
    [forgot, '/forgot', 'Did a mail come already?'],
  ] as const) {
    const refused = await stranger.submit(page, action, { email });
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '3600']);
    expect(refused.text).toContain('Try again in 60 minutes, or from another network.');
    expect(refused.text).toContain(words);
  }
  const ann = portal.visitor();
  const code = await portal.mailedCode(email, 'invitation');
  const page = await ann.follow(await ann.get(`/.latchkey/invitation?code=${code}`));
  expect((await ann.submit(page, '/invitation', { password: other, name: 'Ann' })).status).toBe(303);
});

test('a mailed code sets a new password once, and ends all sessions', async () => {
  const portal = await makePortal();
  await portal.addAccount(email);
  const ann = portal.visitor();
  await ann.signIn(email);
  const elsewhere = portal.visitor();
  await elsewhere.submit(await elsewhere.get('/.latchkey/forgot'), '/forgot', { email });
  const code = await portal.mailedCode(email, 'reset-password');
  const page = await elsewhere.follow(await elsewhere.get(`/.latchkey/reset?code=${code}`));
  const done = await elsewhere.submit(page, '/reset', { password: other });
  expect(done.location).toBe('/.latchkey/login?done=reset');
  expect((await ann.get('/.latchkey/me')).status).toBe(401);
  expect((await portal.visitor().signIn(email, password)).status).toBe(422);
  expect((await portal.visitor().signIn(email, other)).status).toBe(303);
});

test('people change name and password, export and delete their own account by forms', async () => {
  const portal = await makePortal();
  await portal.addAccount(email);
  const ann = portal.visitor();
  await ann.signIn(email);
  const page = await ann.get('/.latchkey/account');
  const wrong = await ann.submit(page, '/account/password', { old_password: 'not it at all', new_password: other });
  expect([wrong.status, wrong.text.includes('not your current password')]).toEqual([422, true]);
  const changed = await ann.submit(page, '/account/password', { old_password: password, new_password: other });
  expect(changed.location).toBe('/.latchkey/account?done=password');
  // a new session: forms of the one before are old
  expect((await ann.submit(page, '/account/name', { name: 'Ann' })).status).toBe(403);
  const again = await ann.get('/.latchkey/account');
  const file = await ann.submit(again, '/account/export');
  expect(file.headers['content-disposition']).toBe('attachment; filename="my-account.json"');
  expect(file.headers['cache-control']).toBe('no-store');
  expect(JSON.parse(file.text).account).toMatchObject({ email });
  expect(file.text).not.toContain('argon2');
  expect((await ann.submit(again, '/account/delete', { delete_password: other })).status).toBe(422);
  const gone = await ann.submit(again, '/account/delete', { delete_password: other, sure: 'yes' });
  expect((await ann.follow(gone)).text).toContain('account is deleted');
  expect((await portal.visitor().signIn(email, other)).status).toBe(422);
});

test('keys are made, promoted and retired by an administrator; no secret is on the page', async () => {
  const portal = await makePortal();
  await portal.addAccount('boss@example.org', 'admin');
  const boss = portal.visitor();
  await boss.signIn('boss@example.org');
  const made = await boss.follow(
    await boss.submit(await boss.get('/.latchkey/admin/keys'), '/admin/keys', { purpose: 'internal' }),
  );
  expect(made.text).toContain('The key is there');
  const promoted = await boss.follow(await boss.submit(made, '/promote'));
  expect(promoted.text).toContain('signs from now on');
  expect(await portal.context.store.sql.selectFrom('keys').select('state').execute()).toEqual([{ state: 'signing' }]);
});
