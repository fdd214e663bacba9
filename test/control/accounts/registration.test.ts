// Registering, verifying, inviting: who comes to own an address, and that naming an address first gains nothing.
// The answers are the same for known and unknown addresses; only the reader of the mailbox learns more.

import { expect, test } from 'vitest';
import {
  adminDisable,
  adminReadAccount,
  inviteAgain,
  makeSignInLink,
} from '../../../gateway/control/accounts/administer-accounts.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { describeCode } from '../../../gateway/control/accounts/describe-code.ts';
import { registerAccount } from '../../../gateway/control/accounts/register-account.ts';
import { requestPasswordReset } from '../../../gateway/control/accounts/request-password-reset.ts';
import { sessionIdleSeconds } from '../../../gateway/control/proof/account-limits.ts';
import { actorOf } from '../../../gateway/control/sessions/actor-of.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import { signInByCode } from '../../../gateway/control/sessions/sign-in-by-code.ts';
import { verifyAddress } from '../../../gateway/control/sessions/verify-address.ts';
import { findUnverifiedAccounts, insertAccount } from '../../../gateway/store/rows/accounts.ts';
import { findActiveAccountByAddress } from '../../support/find-account.ts';
import { browser, makeContext, portalHost, type TestContext } from '../../support/rigs/control-context.ts';
import { describeEngines } from '../../support/store/stores.ts';

const operator = { kind: 'operator' } as const;
const address = 'anna@example.org';
const password = 'tall ships sail at dawn';
const open = 'accounts: { registration: open, domains: [example.org] }\n';

function register(site: TestContext, email = address, from = '192.0.2.1') {
  return registerAccount(site.context, { email, password: 'what the stranger typed', clientAddress: from });
}

async function verifiedSession(site: TestContext, code: string) {
  const outcome = await verifyAddress(site.context, { ...browser, code, password });
  if (outcome.kind !== 'verified') throw new Error(outcome.kind);
  return outcome.session;
}

test('the reader of the mailbox verifies the address, chooses the password, and is signed in', async () => {
  const site = await makeContext({ yaml: open });
  expect(await register(site)).toEqual({ kind: 'accepted' });
  expect(await findActiveAccountByAddress(site.context.store, address)).toBeNull();
  const code = await site.mailedCode(address, 'verify-address');
  expect(await describeCode(site.context, code)).toEqual({
    kind: 'usable',
    purpose: 'verify-address',
    email: address,
    displayName: '',
    way: null,
  });
  expect(await verifyAddress(site.context, { ...browser, code, password: 'password123' })).toEqual({
    kind: 'weak-password',
    why: 'too-common',
  });
  const outcome = await verifyAddress(site.context, { ...browser, code, password, displayName: 'Anna' });
  if (outcome.kind !== 'verified') throw new Error(outcome.kind);
  expect((await site.actor(outcome.session)).email).toBe(address);
  expect((await findActiveAccountByAddress(site.context.store, 'ANNA@example.org'))?.displayName).toBe('Anna');
  expect((await signIn(site.context, { ...browser, email: address, password })).kind).toBe('signed-in');
  expect(await describeCode(site.context, code)).toEqual({ kind: 'unusable' });
  expect(await verifyAddress(site.context, { ...browser, code, password })).toEqual({ kind: 'refused' });
});

test('registering another person\u2019s address gains nothing: neither password, name nor session survives', async () => {
  const site = await makeContext({ yaml: open });
  // The stranger comes first, and the owner of the mailbox follows the stranger's mail.
  await register(site, address, '203.0.113.66');
  await site.context.afterwards.settled();
  const [planted] = await findUnverifiedAccounts(site.store.sql, address);
  if (planted === undefined) throw new Error('nothing was registered');
  // Whatever the stranger could have brought along in the row: a password, a name, a browser, a session.
  await site.store.write(async (unit) => {
    const hash = await hashOf(site, 'what the stranger typed');
    await unit.sql
      .updateTable('accounts')
      .set({ password_hash: hash, display_name: 'The Stranger' })
      .where('id', '=', planted.id)
      .execute();
    const row = { account_id: planted.id, created_at: unit.now, last_seen_at: unit.now, ended_at: null };
    const device = { id: 'dv_planted', browser_selector: 's', browser_digest: 'd', name: 'x', user_agent: 'x' };
    await unit.sql
      .insertInto('devices')
      .values({ ...row, ...device })
      .execute();
    const session = { id: 'se_planted', device_id: 'dv_planted', expires_at: unit.now + 1000 };
    await unit.sql
      .insertInto('sessions')
      .values({ ...row, ...session })
      .execute();
  });
  const strangers = { ...browser, email: address, password: 'what the stranger typed', clientAddress: '203.0.113.66' };
  expect(await signIn(site.context, strangers)).toEqual({ kind: 'refused' });

  const before = await site.store.readPosition();
  await verifiedSession(site, await site.mailedCode(address, 'verify-address'));
  expect(await signIn(site.context, strangers)).toEqual({ kind: 'refused' });
  const sessions = await site.store.sql.selectFrom('sessions').select('id').execute();
  const devices = await site.store.sql.selectFrom('devices').select('id').execute();
  expect(sessions.map(({ id }) => id)).not.toContain('se_planted');
  expect(devices.map(({ id }) => id)).not.toContain('dv_planted');
  const read = await site.store.readChanges(before);
  expect(read.kind === 'changes' && read.changes.map(({ kind, node }) => `${kind} ${node}`)).toContain(
    `revoke ${planted.id}`,
  );
});

test('verifying forgets every other account that named the address, with its codes', async () => {
  const site = await makeContext({ yaml: open });
  const other = {
    emailVerifiedAt: null,
    passwordHash: null,
    displayName: '',
    groups: [],
    role: 'user',
    state: 'active',
  } as const;
  await site.store.write((unit) => insertAccount(unit.sql, { ...other, id: 'ac_other', email: address, createdAt: 1 }));
  await register(site);
  const first = await site.mailedCode(address, 'verify-address');
  await site.store.write((unit) => insertAccount(unit.sql, { ...other, id: 'ac_third', email: address, createdAt: 2 }));
  await verifiedSession(site, first);
  expect(await findUnverifiedAccounts(site.store.sql, address)).toEqual([]);
});

test('answer and work are the same for known and unknown addresses; only the mails differ', async () => {
  const site = await makeContext({ yaml: open });
  await register(site);
  await verifiedSession(site, await site.mailedCode(address, 'verify-address'));
  const hashes = site.context.passwords.computations();
  expect(await register(site)).toEqual(await register(site, 'nobody@example.org'));
  expect((await site.mails(address)).at(-1)?.kind).toBe('address-known');
  expect((await site.mails('nobody@example.org')).map(({ kind }) => kind)).toEqual(['verify-address']);
  const ask = (email: string) => requestPasswordReset(site.context, { email, clientAddress: '192.0.2.1' });
  expect(await ask(address)).toEqual({ kind: 'accepted' });
  expect(await ask('unknown@example.org')).toEqual({ kind: 'accepted' });
  expect(await ask('not an address')).toEqual({ kind: 'accepted' });
  expect((await site.mails(address)).at(-1)?.kind).toBe('reset-password');
  expect(await site.mails('unknown@example.org')).toEqual([]);
  // Nobody learns that the address waits for its verification, either.
  expect(await ask('nobody@example.org')).toEqual({ kind: 'accepted' });
  expect((await site.mails('nobody@example.org')).map(({ kind }) => kind)).toEqual(['verify-address']);
  expect(site.context.passwords.computations()).toBe(hashes);
});

test('registration is closed by default, and open to the domains that are named', async () => {
  const invited = await makeContext();
  expect(await register(invited)).toEqual({ kind: 'refused', reason: 'closed' });
  const site = await makeContext({ yaml: open });
  expect(await register(site, 'anna@elsewhere.example')).toEqual({ kind: 'refused', reason: 'domain' });
  expect(await register(site, 'anna@sub.example.org')).toEqual({ kind: 'refused', reason: 'domain' });
  expect(await register(site, 'Anna <anna@example.org>')).toEqual({ kind: 'refused', reason: 'bad-address' });
  const weak = { email: address, password: 'short', clientAddress: '192.0.2.1' };
  expect(await registerAccount(site.context, weak)).toEqual({
    kind: 'refused',
    reason: 'weak-password',
    why: 'too-short',
  });
  expect(await site.mails()).toEqual([]);
});

test('a registration code works for a day, and the newest mail voids the codes of earlier mails', async () => {
  const site = await makeContext({ yaml: open });
  await register(site);
  const first = await site.mailedCode(address, 'verify-address');
  await register(site);
  await site.context.afterwards.settled();
  expect(await describeCode(site.context, first)).toEqual({ kind: 'unusable' });
  const second = await site.mailedCode(address, 'verify-address');
  expect(second).not.toBe(first);
  site.clock.now += 24 * 3600;
  expect(await verifyAddress(site.context, { ...browser, code: second, password })).toEqual({ kind: 'refused' });
});

test('too many mails to one mailbox are left out silently; a client address with too many requests is told to wait', async () => {
  const site = await makeContext({ yaml: open });
  const answers: string[] = [];
  for (let request = 0; request < 51; request++) answers.push((await register(site)).kind);
  expect(answers.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => 'accepted'));
  expect(await register(site)).toEqual({ kind: 'refused', reason: 'busy', retryAfterSeconds: 3600 });
  expect((await site.mails(address)).length).toBe(5);
  expect(await register(site, address, '198.51.100.7')).toEqual({ kind: 'accepted' });
  expect((await site.mails(address)).length).toBe(5);
  expect((await describeCode(site.context, await site.mailedCode(address, 'verify-address'))).kind).toBe('usable');
});

test('a few requests an hour, hour after hour, are never told to wait', async () => {
  const site = await makeContext({ yaml: open });
  for (let request = 0; request < 60; request++) {
    expect(await register(site, `p${request}@example.org`)).toEqual({ kind: 'accepted' });
    site.clock.now += 600;
  }
});

test('an invited person takes the account over by the mail, with the groups that the admin set', async () => {
  const site = await makeContext({ yaml: open });
  const made = await createAccount(site.context, operator, { email: address, groups: ['staff'], invited: true });
  if (made.kind !== 'created') throw new Error(made.reason);
  // A stranger who registers the same address changes nothing of it.
  await register(site);
  const code = await site.mailedCode(address, 'invitation');
  const joined = await signInByCode(site.context, { ...browser, code, password, displayName: 'Anna' });
  if (joined.kind !== 'signed-in') throw new Error(joined.kind);
  expect(joined.session.accountId).toBe(made.accountId);
  expect(await findActiveAccountByAddress(site.context.store, address)).toMatchObject({
    groups: ['staff'],
    displayName: 'Anna',
  });
  const registered = await site.mailedCode(address, 'verify-address');
  expect(await verifyAddress(site.context, { ...browser, code: registered, password })).toEqual({ kind: 'refused' });
  expect(await createAccount(site.context, operator, { email: address, invited: true })).toEqual({
    kind: 'refused',
    reason: 'exists',
  });
});

test('a new invitation voids the earlier one; an account that accepted is not invited again', async () => {
  const site = await makeContext();
  const made = await createAccount(site.context, operator, { email: address, invited: true });
  if (made.kind !== 'created' || made.invitation === null) throw new Error(made.kind);
  const { accountId } = made;
  const again = await inviteAgain(site.context, operator, { accountId });
  if (again.kind !== 'made') throw new Error(again.reason);
  const use = (code: string) => signInByCode(site.context, { ...browser, code });
  expect(await use(made.invitation)).toEqual({ kind: 'refused' });
  expect((await use(again.code)).kind).toBe('signed-in');
  expect(await inviteAgain(site.context, operator, { accountId })).toEqual({ kind: 'refused', reason: 'verified' });
});

test('the first admin is vouched for by the operator and signs in by a one-time link', async () => {
  const site = await makeContext();
  const made = await createAccount(site.context, operator, { email: address, role: 'admin', invited: false });
  if (made.kind !== 'created') throw new Error(made.reason);
  const link = await makeSignInLink(site.context, operator, { accountId: made.accountId });
  if (link.kind !== 'made') throw new Error(link.reason);
  const first = await signInByCode(site.context, { ...browser, code: link.code });
  if (first.kind !== 'signed-in') throw new Error(first.kind);
  const admin = await site.actor(first.session);
  expect(admin.role).toBe('admin');
  expect(await signInByCode(site.context, { ...browser, code: link.code })).toEqual({ kind: 'refused' });
  expect(await site.mails()).toEqual([]);
  expect((await adminReadAccount(site.context, admin, { accountId: made.accountId })).kind).toBe('found');
});

test('a sign-in link opens no account that is unverified, and none that was disabled after it was made', async () => {
  const site = await makeContext();
  const invited = await createAccount(site.context, operator, { email: address, invited: true });
  const vouched = await createAccount(site.context, operator, { email: 'ben@example.org', invited: false });
  if (invited.kind !== 'created' || vouched.kind !== 'created') throw new Error('not made');
  expect(await makeSignInLink(site.context, operator, invited)).toEqual({ kind: 'refused', reason: 'unverified' });
  const link = await makeSignInLink(site.context, operator, vouched);
  if (link.kind !== 'made') throw new Error(link.reason);
  await adminDisable(site.context, operator, vouched);
  expect(await signInByCode(site.context, { ...browser, code: link.code })).toEqual({ kind: 'refused' });
});

test('an unused session lives for a week, although its token lives for a quarter of an hour', async () => {
  const site = await makeContext({ yaml: open });
  await register(site);
  const session = await verifiedSession(site, await site.mailedCode(address, 'verify-address'));
  site.clock.now += sessionIdleSeconds - 1;
  expect((await site.actor(session)).sessionId).toBe(session.sessionId);
  expect(await actorOf(site.context, session.sessionToken, 'elsewhere.localhost')).toBeNull();
  site.clock.now += 1;
  expect(await actorOf(site.context, session.sessionToken, portalHost)).toBeNull();
});

describeEngines('one code for many', (engine) => {
  test('64 browsers that present one code at once get one sign-in', async () => {
    const site = await makeContext({ engine });
    const other = await makeContext({ like: site });
    const made = await createAccount(site.context, operator, { email: address, invited: false });
    if (made.kind !== 'created') throw new Error(made.reason);
    const link = await makeSignInLink(site.context, operator, made);
    if (link.kind !== 'made') throw new Error(link.reason);
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        signInByCode((index % 2 === 0 ? site : other).context, { ...browser, code: link.code }),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === 'signed-in').length).toBe(1);
    expect(outcomes.filter(({ kind }) => kind === 'refused').length).toBe(63);
    expect((await site.store.sql.selectFrom('sessions').select('id').execute()).length).toBe(1);
  });

  test('64 requests that make the same account at once make one account', async () => {
    const site = await makeContext({ engine });
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, () => createAccount(site.context, operator, { email: address, invited: false })),
    );
    expect(outcomes.filter(({ kind }) => kind === 'created').length).toBe(1);
    expect((await site.store.sql.selectFrom('accounts').select('id').execute()).length).toBe(1);
  });
});

async function hashOf(site: TestContext, text: string): Promise<string> {
  const hashed = await site.context.passwords.hash(text, 'ac_test');
  if (hashed.kind === 'busy') throw new Error('busy');
  return hashed.value;
}
