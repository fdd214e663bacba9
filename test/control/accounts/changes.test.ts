// Changes of password and address by the owner of an account: what ends with each change, who gets a mail, and that nothing
// secret is ever in the store.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { adminDisable, adminEnable, makeSignInLink } from '../../../gateway/control/accounts/administer-accounts.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { requestAddressChange } from '../../../gateway/control/accounts/request-address-change.ts';
import { requestPasswordReset } from '../../../gateway/control/accounts/request-password-reset.ts';
import { resetPassword } from '../../../gateway/control/accounts/reset-password.ts';
import { actorOf } from '../../../gateway/control/sessions/actor-of.ts';
import { changePassword } from '../../../gateway/control/sessions/change-password.ts';
import { confirmAddressChange } from '../../../gateway/control/sessions/confirm-address-change.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import type { NewSession } from '../../../gateway/control/sessions/start-session.ts';
import type { Change } from '../../../gateway/core/model/change.ts';
import { findActiveAccountByAddress } from '../../support/find-account.ts';
import { browser, makeContext, portalHost, type TestContext } from '../../support/rigs/control-context.ts';

const operator = { kind: 'operator' } as const;
const address = 'anna@example.org';
const password = 'tall ships sail at dawn';
const newPassword = 'short boats wait for noon';
const from = { clientAddress: '192.0.2.1' };

async function makeAccount(site: TestContext, email = address, role: 'user' | 'admin' = 'user'): Promise<string> {
  const made = await createAccount(site.context, operator, { email, role, invited: false, password });
  if (made.kind !== 'created') throw new Error(made.reason);
  return made.accountId;
}

async function enter(site: TestContext, email = address, secret = password): Promise<NewSession> {
  const outcome = await signIn(site.context, { ...browser, email, password: secret });
  if (outcome.kind !== 'signed-in') throw new Error(outcome.kind);
  return outcome.session;
}

async function isSignedIn(site: TestContext, session: NewSession): Promise<boolean> {
  return (await actorOf(site.context, session.sessionToken, portalHost)) !== null;
}

/** The changes that `work` appended. */
async function changesOf(site: TestContext, work: () => Promise<unknown>): Promise<Pick<Change, 'kind' | 'node'>[]> {
  const before = await site.store.readPosition();
  await work();
  const read = await site.store.readChanges(before);
  return read.kind === 'changes' ? read.changes.map(({ kind, node }) => ({ kind, node })) : [];
}

test('a mailed code resets the password once, within an hour; the reset ends every session and signs nobody in', async () => {
  const site = await makeContext();
  const accountId = await makeAccount(site);
  const sessions = [await enter(site), await enter(site)];
  await requestPasswordReset(site.context, { email: ' ANNA@example.org', ...from });
  const code = await site.mailedCode(address, 'reset-password');
  expect(await resetPassword(site.context, { code, password: 'anna@example.org' })).toEqual({
    kind: 'weak-password',
    why: 'is-the-address',
  });
  const changes = await changesOf(site, async () => {
    expect(await resetPassword(site.context, { code, password: newPassword })).toEqual({ kind: 'reset', way: null });
  });
  // The change is one row, however many sessions there are.
  expect(changes).toEqual([{ kind: 'revoke', node: accountId }]);
  for (const session of sessions) expect(await isSignedIn(site, session)).toBe(false);
  expect(await resetPassword(site.context, { code, password })).toEqual({ kind: 'refused' });
  expect((await signIn(site.context, { ...browser, email: address, password })).kind).toBe('refused');
  await enter(site, address, newPassword);
  expect((await site.mails(address)).some(({ kind }) => kind === 'password-changed')).toBe(true);

  await requestPasswordReset(site.context, { email: address, ...from });
  const late = await site.mailedCode(address, 'reset-password');
  site.clock.now += 3600;
  expect(await resetPassword(site.context, { code: late, password })).toEqual({ kind: 'refused' });
});

test('a reset code for an account that was disabled meanwhile sets nothing', async () => {
  const site = await makeContext();
  const accountId = await makeAccount(site);
  await requestPasswordReset(site.context, { email: address, ...from });
  const code = await site.mailedCode(address, 'reset-password');
  await adminDisable(site.context, operator, { accountId });
  await adminEnable(site.context, operator, { accountId });
  expect(await resetPassword(site.context, { code, password: newPassword })).toEqual({ kind: 'refused' });
  await enter(site);
});

test('a change of password asks for the old password, ends every session, and gives the browser a new session', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const elsewhere = await enter(site);
  const here = await enter(site);
  const actor = await site.actor(here);
  const input = { ...browser, deviceCookie: here.deviceCookie };
  const wrong = await changePassword(site.context, actor, { ...input, oldPassword: 'not it, sorry', newPassword });
  expect(wrong).toEqual({ kind: 'refused', reason: 'wrong-password' });
  const changed = await changePassword(site.context, actor, { ...input, oldPassword: password, newPassword });
  if (changed.kind !== 'changed') throw new Error(changed.kind);
  expect(await isSignedIn(site, elsewhere)).toBe(false);
  expect(await isSignedIn(site, here)).toBe(false);
  expect(changed.session.sessionId).not.toBe(here.sessionId);
  expect(changed.session.deviceId).toBe(here.deviceId);
  expect(await isSignedIn(site, changed.session)).toBe(true);
  expect((await signIn(site.context, { ...browser, email: address, password })).kind).toBe('refused');
});

test('a sign-in with the old password that is under way when it changes gets no session', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const here = await enter(site);
  const actor = await site.actor(here);
  let units = 0;
  const waiting: TestContext['context'] = {
    ...site.context,
    // the guess is the first unit, the session the second: between them the password was found to be right
    write: async (work) => {
      units += 1;
      if (units === 2) await changePassword(site.context, actor, { ...browser, oldPassword: password, newPassword });
      return site.context.write(work);
    },
  };
  expect((await signIn(waiting, { ...browser, email: address, password })).kind).toBe('busy');
  expect(units).toBe(2);
  expect(await site.store.sql.selectFrom('sessions').select('id').where('ended_at', 'is', null).execute()).toHaveLength(
    1,
  );
  expect((await signIn(site.context, { ...browser, email: address, password: newPassword })).kind).toBe('signed-in');
});

test('an address changes by a code from the new mailbox; the old mailbox is told, and all codes and sessions end', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const session = await enter(site);
  const actor = await site.actor(session);
  const newEmail = 'anna.l@example.net';
  const ask = (secret: string, email = newEmail) =>
    requestAddressChange(site.context, actor, { newEmail: email, password: secret, clientAddress: '192.0.2.1' });
  expect(await ask('not it, sorry')).toEqual({ kind: 'refused', reason: 'wrong-password' });
  expect(await ask(password, address)).toEqual({ kind: 'refused', reason: 'same-address' });
  expect(await ask(password)).toEqual({ kind: 'accepted' });
  const notice = (await site.mails(address)).find(({ kind }) => kind === 'change-address-notice');
  expect(notice?.text).toContain(newEmail);
  expect(await findActiveAccountByAddress(site.store, newEmail)).toBeNull();
  await requestPasswordReset(site.context, { email: address, ...from });
  const oldMailbox = await site.mailedCode(address, 'reset-password');

  const code = await site.mailedCode(newEmail, 'change-address-confirm');
  const confirm = () => confirmAddressChange(site.context, { ...browser, code, actor });
  expect(await confirm()).toEqual({ kind: 'changed', email: newEmail });
  expect(await confirm()).toEqual({ kind: 'refused' });
  expect(await isSignedIn(site, session)).toBe(false);
  expect(await resetPassword(site.context, { code: oldMailbox, password: newPassword })).toEqual({ kind: 'refused' });
  expect(await findActiveAccountByAddress(site.store, address)).toBeNull();
  expect((await signIn(site.context, { ...browser, email: address, password })).kind).toBe('refused');
  await enter(site, newEmail);
});

test('a change to a taken address is answered like a change to a free one, and never makes a second owner', async () => {
  const site = await makeContext();
  await makeAccount(site);
  await makeAccount(site, 'ben@example.org');
  const actor = await site.actor(await enter(site));
  const ask = (newEmail: string) =>
    requestAddressChange(site.context, actor, { newEmail, password, clientAddress: '192.0.2.1' });
  expect(await ask('ben@example.org')).toEqual(await ask('carl@example.org'));
  expect((await site.mails('ben@example.org')).map(({ kind }) => kind)).toEqual(['address-known']);
  // Carl makes an account before Anna confirms.
  const code = await site.mailedCode('carl@example.org', 'change-address-confirm');
  await makeAccount(site, 'carl@example.org');
  expect(await confirmAddressChange(site.context, { ...browser, code, actor })).toEqual({ kind: 'refused' });
});

test('the mailed code alone changes no address: it takes the session or the password of the account that asked', async () => {
  const site = await makeContext();
  await makeAccount(site);
  await makeAccount(site, 'ben@example.org');
  const victim = 'carl@example.org';
  const stranger = await site.actor(await enter(site));
  const ben = await site.actor(await enter(site, 'ben@example.org'));
  const ask = { newEmail: victim, password, clientAddress: '192.0.2.1' };
  await requestAddressChange(site.context, stranger, ask);
  const code = await site.mailedCode(victim, 'change-address-confirm');
  const wrong = { kind: 'wrong-password' };
  expect(await confirmAddressChange(site.context, { ...browser, code, actor: null })).toEqual(wrong);
  expect(await confirmAddressChange(site.context, { ...browser, code, actor: ben })).toEqual(wrong);
  const guessed = { ...browser, code, actor: null, password: 'a guess of mine' };
  expect(await confirmAddressChange(site.context, guessed)).toEqual(wrong);
  expect(await findActiveAccountByAddress(site.store, victim)).toBeNull();
  // The password proves the account that asked, on whatever device the mail is read.
  expect((await confirmAddressChange(site.context, { ...guessed, password })).kind).toBe('changed');
});

test('an account without a password can set a first password by mail only', async () => {
  const site = await makeContext();
  const made = await createAccount(site.context, operator, { email: address, invited: false });
  if (made.kind !== 'created') throw new Error(made.reason);
  await requestPasswordReset(site.context, { email: address, ...from });
  const code = await site.mailedCode(address, 'reset-password');
  expect(await resetPassword(site.context, { code, password })).toEqual({ kind: 'reset', way: null });
  await enter(site);
});

test('no password, code, cookie or token that was used is anywhere in the database', async () => {
  const site = await makeContext({ yaml: 'accounts: { registration: open }\n' });
  const accountId = await makeAccount(site);
  const session = await enter(site);
  await requestPasswordReset(site.context, { email: address, ...from });
  const code = await site.mailedCode(address, 'reset-password');
  await resetPassword(site.context, { code, password: newPassword });
  const link = await makeSignInLink(site.context, operator, { accountId });
  if (link.kind !== 'made' || site.settings.kind !== 'sqlite') throw new Error('no link');
  const { file } = site.settings;
  const bytes = Buffer.concat([readFileSync(file), readFileSync(`${file}-wal`)]).toString('latin1');
  expect(bytes).toContain(address);
  const secretHalf = (text: string | null): string => text?.split('.')[1] ?? 'missing';
  const secrets = [password, newPassword, secretHalf(code), secretHalf(link.code), secretHalf(session.deviceCookie)];
  for (const secret of [...secrets, session.sessionToken]) {
    expect(secret.length).toBeGreaterThan(10);
    expect(bytes).not.toContain(secret);
  }
});
