// What people without a session can cause has a ceiling: by address, by network and for the installation. The answers stay the same
// for known and unknown addresses, and the operator hears of it.

import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { registerAccount } from '../../../gateway/control/accounts/register-account.ts';
import { requestPasswordReset } from '../../../gateway/control/accounts/request-password-reset.ts';
import { codesKept, liveDevicesKept, liveSessionsKept } from '../../../gateway/control/proof/account-limits.ts';
import { registerLimitMetrics } from '../../../gateway/control/proof/reached-limits.ts';
import { makeHandover } from '../../../gateway/control/sessions/hand-over.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import { startSession } from '../../../gateway/control/sessions/start-session.ts';
import { giveShare } from '../../../gateway/control/sharing/give-share.ts';
import type { Unit } from '../../../gateway/store/port/store.ts';
import { listAudit } from '../../../gateway/store/rows/audit.ts';
import { insertCredential, insertCredentialKey } from '../../../gateway/store/sharing/credentials.ts';
import { memoryLogger } from '../../support/rigs/control.ts';
import { browser, makeContext, type TestContext } from '../../support/rigs/control-context.ts';

const operator = { kind: 'operator' } as const;
const password = 'tall ships sail at dawn';
const open = (limits = '') => `accounts: { registration: open, limits: { ${limits} } }\n`;

function addAccount(site: TestContext, email: string) {
  return createAccount(site.context, operator, { email, invited: false, password });
}

async function countOf(site: TestContext, table: 'outbox' | 'accounts' | 'sessions' | 'devices' | 'one_time_codes') {
  return (await site.store.sql.selectFrom(table).select('created_at').execute()).length;
}

async function reached(site: TestContext): Promise<readonly string[]> {
  const { entries } = await listAudit(site.store.sql, { limit: 500 });
  return entries.filter(({ action }) => action === 'limit.reached').map(({ subject }) => subject);
}

test('1,200 registrations of 1,200 strangers from one /48 cause a hundred mails, and the rest are told to wait', async () => {
  const site = await makeContext({ yaml: open() });
  await addAccount(site, 'known@example.org');
  const outcomes = await Promise.all(
    Array.from({ length: 1200 }, (_, at) =>
      registerAccount(site.context, { email: `p${at}@example.org`, clientAddress: `2001:db8:1:${at.toString(16)}::1` }),
    ),
  );
  expect(outcomes.filter(({ kind }) => kind === 'accepted').length).toBe(100);
  expect((await site.mails()).length).toBe(100);
  // the same answer for a known and an unknown address
  const late = (email: string) => registerAccount(site.context, { email, clientAddress: '2001:db8:1:ffff::1' });
  expect(await late('known@example.org')).toEqual(await late('nobody@example.org'));
  expect(await reached(site)).toEqual(['requests-per-network']);
  // another network registers, and this one asks for a new password
  const elsewhere = { email: 'q@example.org', clientAddress: '2001:db8:2::1' };
  expect((await registerAccount(site.context, elsewhere)).kind).toBe('accepted');
  const reset = { email: 'known@example.org', clientAddress: '2001:db8:1:ffff::1' };
  expect((await requestPasswordReset(site.context, reset)).kind).toBe('accepted');
});

test('an IPv4 /24 counts as one network, like an IPv6 /48', async () => {
  const site = await makeContext({ yaml: open('requests_per_network: 20') });
  const ask = (at: number) =>
    requestPasswordReset(site.context, { email: `p${at}@example.org`, clientAddress: `192.0.2.${at}` });
  const outcomes = await Promise.all(Array.from({ length: 40 }, (_, at) => ask(at)));
  expect(outcomes.filter(({ kind }) => kind === 'accepted').length).toBe(20);
});

test('registrations from ever new networks use half of the hour’s mails at most, and password resets still go out', async () => {
  const site = await makeContext({ yaml: open('mails_per_hour: 40') });
  const { logger, said } = memoryLogger();
  const context = { ...site.context, logger };
  await addAccount(site, 'known@example.org');
  const register = (email: string, at: number) =>
    registerAccount(context, { email, clientAddress: `2001:db8:${at.toString(16)}::1` });
  const outcomes = await Promise.all(Array.from({ length: 100 }, (_, at) => register(`p${at}@example.org`, at)));
  await context.afterwards.settled();
  // nobody is told: the ones beyond are answered as the others, known addresses like unknown ones
  outcomes.push(await register('known@example.org', 200), await register('late@example.org', 201));
  expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
  expect((await site.mails()).length).toBe(20);
  // no account and no code is left of those without a mail
  expect([await countOf(site, 'accounts'), await countOf(site, 'one_time_codes')]).toEqual([21, 20]);
  await requestPasswordReset(context, { email: 'known@example.org', clientAddress: '192.0.2.1' });
  expect((await site.mails('known@example.org')).map(({ kind }) => kind)).toEqual(['reset-password']);
  expect(await reached(site)).toEqual(['mails-register']);
  expect(said().match(/a limit was reached/g)).toHaveLength(1);
  const registry = new Registry();
  registerLimitMetrics(registry, site.store);
  expect(await registry.metrics()).toContain('latchkey_limits_reached_total{limit="mails-register"} 82');
  site.clock.now += 3600;
  await register('next@example.org', 300);
  expect((await site.mails('next@example.org')).length).toBe(1);
});

test('when a mail is left out, the code of the mail before still works', async () => {
  const site = await makeContext({ yaml: open('mails_per_hour: 2') });
  await addAccount(site, 'known@example.org');
  const ask = (email: string) => requestPasswordReset(site.context, { email, clientAddress: '192.0.2.1' });
  await ask('known@example.org');
  const code = await site.mailedCode('known@example.org', 'reset-password');
  await ask('known@example.org');
  await ask('known@example.org');
  const codes = (await site.mails('known@example.org')).map((mail) => mail.code);
  expect(codes[0]).toBe(code);
  const live = await site.store.sql.selectFrom('one_time_codes').select('selector').execute();
  expect(live.map(({ selector }) => selector)).toEqual([codes.at(-1)?.split('.')[0]]);
});

test('at the ceiling of unverified accounts, accounts with an expired code make room and those of administrators stay', async () => {
  const site = await makeContext({ yaml: open('unverified_accounts: 10') });
  await createAccount(site.context, operator, { email: 'invited@example.org', invited: true, groups: ['staff'] });
  const register = async (at: number) => {
    await registerAccount(site.context, { email: `p${at}@example.org`, clientAddress: '192.0.2.1' });
    await site.context.afterwards.settled();
  };
  for (let at = 0; at < 15; at++) await register(at);
  expect(await countOf(site, 'accounts')).toBe(10);
  expect(await reached(site)).toEqual(['unverified-accounts']);
  site.clock.now += 8 * 86_400;
  const { pruneExpired } = await import('../../../gateway/control/sessions/prune-expired.ts');
  await pruneExpired(site.context);
  await register(99);
  expect((await site.mails('p99@example.org')).length).toBe(1);
  const left = await site.store.sql.selectFrom('accounts').select('email').orderBy('email').execute();
  expect(left.length).toBeLessThanOrEqual(10);
  expect(left.map(({ email }) => email)).toContain('invited@example.org');
});

test('addresses that a member offers a key to keep nobody from registering, and make room once the offers are over', async () => {
  const site = await makeContext({
    yaml: `${open('unverified_accounts: 10')}collections: [{ name: cam, host: media.localhost, path: /cam/ }]\n`,
  });
  const made = await addAccount(site, 'owner@example.org');
  if (made.kind !== 'created') throw new Error(made.reason);
  const keyId = 'dk_key0000000000000000001';
  await site.store.write(async ({ sql, now }) => {
    const by = { created_at: now, created_by: 'operator' };
    await insertCredential(sql, {
      ...{ ...by, id: 'cd_card000000000000000001', account_id: made.accountId, name: 'Card', issuer: 'Hillside' },
      ...{ picture: null, valid_from_at: null, valid_until_at: null, withdrawn_at: null, withdrawn_by: null },
    });
    await insertCredentialKey(sql, {
      ...{
        ...by,
        id: keyId,
        credential_id: 'cd_card000000000000000001',
        name: 'Door',
        collection: 'cam',
        path: '/cam/',
      },
      ...{ host: 'media.localhost', methods: null, needs_second_factor: 0, removed_at: null, removed_by: null },
    });
  });
  const origin = { requestId: null, clientAddress: '' };
  for (let at = 0; at < 12; at++) {
    const given = await giveShare(site.context, operator, { keyId, email: `o${at}@example.org`, origin });
    expect(given.kind).toBe('given');
  }
  const register = async (at: number) => {
    await registerAccount(site.context, { email: `p${at}@example.org`, clientAddress: '192.0.2.1' });
    await site.context.afterwards.settled();
    return (await site.mails(`p${at}@example.org`)).length;
  };
  for (let at = 0; at < 10; at++) expect(await register(at)).toBe(1);
  expect(await register(10)).toBe(0);
  expect(await countOf(site, 'accounts')).toBe(23);
  await site.store.write(({ sql }) => sql.updateTable('shares').set({ state: 'withdrawn' }).execute());
  expect(await register(11)).toBe(1);
  expect(await countOf(site, 'accounts')).toBeLessThan(23);
});

test('repeated sign-ins end their own sessions, and not the device that was used for weeks', async () => {
  const site = await makeContext({});
  const made = await addAccount(site, 'anna@example.org');
  if (made.kind !== 'created') throw new Error(made.reason);
  const enter = async (deviceCookie: string | null) => {
    const from = { ...browser, deviceCookie };
    const start = (unit: Unit) => startSession(unit, site.context, made.accountId, from, 'password');
    const { value } = await site.store.write(start);
    if (value === null) throw new Error('not signed in');
    return value.session;
  };
  const home = await enter(null);
  site.clock.now += 3 * 86_400;
  await site.store.write((unit) => unit.sql.updateTable('devices').set({ last_seen_at: site.clock.now }).execute());
  await site.store.write((unit) => unit.sql.updateTable('sessions').set({ last_seen_at: site.clock.now }).execute());
  for (let at = 0; at < liveDevicesKept + 10; at++) {
    if (at % 50 === 0) site.clock.now += 3600;
    await enter(null);
  }
  const live = async (table: 'sessions' | 'devices') =>
    (await site.store.sql.selectFrom(table).select('id').where('ended_at', 'is', null).execute()).map(({ id }) => id);
  expect((await live('devices')).length).toBe(liveDevicesKept);
  expect((await live('sessions')).length).toBeLessThanOrEqual(liveSessionsKept);
  expect(await live('devices')).toContain(home.device_id);
  expect(await live('sessions')).toContain(home.id);
});

test('the codes of one account and purpose have a ceiling, and the newest codes work', async () => {
  const site = await makeContext({});
  await addAccount(site, 'anna@example.org');
  const outcome = await signIn(site.context, { ...browser, email: 'anna@example.org', password });
  if (outcome.kind !== 'signed-in') throw new Error(outcome.kind);
  const actor = await site.actor(outcome.session);
  for (let at = 0; at < codesKept + 20; at++) {
    await makeHandover(site.context, { actor, host: 'media.localhost', nonceHash: `n${at}` });
  }
  expect(await countOf(site, 'one_time_codes')).toBe(codesKept);
});
