// Administering, exporting and deleting accounts: who may, what ends, what is erased, what stays in the audit list, and that an
// administrator is always left.

import { expect, test } from 'vitest';
import {
  adminDisable,
  adminEnable,
  adminListAccounts,
  adminSetGroups,
  adminSetRole,
  makeSignInLink,
} from '../../../gateway/control/accounts/administer-accounts.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { deleteAccount } from '../../../gateway/control/accounts/delete-account.ts';
import { exportAccount } from '../../../gateway/control/accounts/export-account.ts';
import { windowPolicies } from '../../../gateway/control/proof/throttle-policies.ts';
import { actorOf } from '../../../gateway/control/sessions/actor-of.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import type { NewSession } from '../../../gateway/control/sessions/start-session.ts';
import type { Change } from '../../../gateway/core/model/change.ts';
import { groupsNode } from '../../../gateway/core/model/node-id.ts';
import { readAccount } from '../../../gateway/store/rows/accounts.ts';
import { listAudit } from '../../../gateway/store/rows/audit.ts';
import { findActiveAccountByAddress } from '../../support/find-account.ts';
import { browser, makeContext, portalHost, type TestContext } from '../../support/rigs/control-context.ts';
import { describeEngines } from '../../support/store/stores.ts';

const operator = { kind: 'operator' } as const;
const address = 'anna@example.org';
const password = 'tall ships sail at dawn';

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

test('disabling an account ends all its access with one row; enabling lets it sign in again and revives no session', async () => {
  const site = await makeContext();
  const accountId = await makeAccount(site);
  const session = await enter(site);
  const disabled = await changesOf(site, () => adminDisable(site.context, operator, { accountId }));
  expect(disabled).toEqual([{ kind: 'revoke', node: accountId }]);
  expect(await isSignedIn(site, session)).toBe(false);
  expect((await signIn(site.context, { ...browser, email: address, password })).kind).toBe('refused');
  expect(await findActiveAccountByAddress(site.store, address)).toBeNull();
  const enabled = await changesOf(site, () => adminEnable(site.context, operator, { accountId }));
  expect(enabled).toEqual([{ kind: 'touch', node: accountId }]);
  expect(await isSignedIn(site, session)).toBe(false);
  await enter(site);
});

test('only admins and the operator administer accounts, and an admin who loses the role is refused at the next request', async () => {
  const site = await makeContext();
  const adminId = await makeAccount(site, 'admin@example.org', 'admin');
  const accountId = await makeAccount(site);
  const user = await site.actor(await enter(site));
  const refused = { kind: 'refused', reason: 'not-allowed' };
  expect(await adminListAccounts(site.context, user)).toEqual(refused);
  expect(await adminDisable(site.context, user, { accountId: adminId })).toEqual(refused);
  expect(await adminSetRole(site.context, user, { accountId, role: 'admin' })).toEqual(refused);
  expect(await makeSignInLink(site.context, user, { accountId: adminId })).toEqual(refused);
  expect(await deleteAccount(site.context, user, { accountId: adminId })).toEqual(refused);
  expect(await exportAccount(site.context, user, { accountId: adminId })).toEqual(refused);
  const session = await enter(site, 'admin@example.org');
  await adminSetRole(site.context, operator, { accountId, role: 'admin' });
  await adminSetRole(site.context, operator, { accountId: adminId, role: 'user' });
  expect((await site.actor(session)).role).toBe('user');
});

test('accounts are listed by address, in pages, found by parts of address and name, and never with a hash', async () => {
  const site = await makeContext();
  for (const name of ['ben', 'carla_100%', 'anna']) {
    const email = `${name.slice(0, 4)}@example.org`;
    await createAccount(site.context, operator, { email, displayName: name.toUpperCase(), invited: false });
  }
  const emails: string[] = [];
  let after: string | undefined;
  for (let page = 0; page < 5; page++) {
    const listed = await adminListAccounts(site.context, operator, { limit: 1, after });
    if (listed.kind !== 'listed') throw new Error(listed.reason);
    emails.push(...listed.accounts.map(({ email }) => email));
    expect(JSON.stringify(listed)).not.toContain('passwordHash');
    if (listed.next === null) break;
    after = listed.next;
  }
  expect(emails).toEqual(['anna@example.org', 'ben@example.org', 'carl@example.org']);
  const search = async (text: string): Promise<string[]> => {
    const listed = await adminListAccounts(site.context, operator, { search: text });
    return listed.kind === 'listed' ? listed.accounts.map(({ email }) => email) : [];
  };
  expect(await search('ANN')).toEqual(['anna@example.org']);
  expect(await search('_100%')).toEqual(['carl@example.org']);
  expect(await search('%')).toEqual(['carl@example.org']);
});

test('new groups are set on the account, and edges forget what answers and tokens said of them', async () => {
  const site = await makeContext();
  const accountId = await makeAccount(site);
  const changes = await changesOf(site, () =>
    adminSetGroups(site.context, operator, { accountId, groups: ['b', 'a'] }),
  );
  expect(changes).toEqual([
    { kind: 'touch', node: accountId },
    { kind: 'revoke', node: groupsNode(accountId) },
  ]);
  expect((await readAccount(site.store.sql, accountId))?.groups).toEqual(['a', 'b']);
  expect(await adminSetGroups(site.context, operator, { accountId, groups: ['a,b'] })).toEqual({
    kind: 'refused',
    reason: 'bad-groups',
  });
});

test('an export contains everything that is stored about its owner, and no secret', async () => {
  const site = await makeContext();
  const accountId = await makeAccount(site);
  const session = await enter(site);
  const exported = await exportAccount(site.context, await site.actor(session));
  if (exported.kind !== 'exported') throw new Error(exported.kind);
  const { document } = exported;
  expect(document.account).toMatchObject({ id: accountId, email: address, has_password: true });
  expect(document.sessions.length).toBe(1);
  expect(document.devices).toMatchObject([{ name: 'Firefox on Linux' }]);
  expect(document.audit.length).toBeGreaterThan(2);
  for (const list of [
    'credentials',
    'keys',
    'shares_given',
    'shares_got',
    'representations',
    'blocked_senders',
  ] as const) {
    expect(document[list], list).toEqual([]);
  }
  const text = JSON.stringify(document);
  for (const secret of ['argon2', 'digest', 'sealed', 'selector']) expect(text).not.toContain(secret);
  // snake_case as all our JSON, rows' own JSON included
  expect(text).not.toMatch(/"[a-z]+[A-Z]\w*\\?":/);
});

test('exports of one\u2019s own account are limited; exports by an administrator are not', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const actor = await site.actor(await enter(site));
  for (let made = 0; made < windowPolicies.export.most; made++) {
    expect((await exportAccount(site.context, actor)).kind).toBe('exported');
  }
  expect(await exportAccount(site.context, actor)).toEqual({ kind: 'busy', retryAfterSeconds: 3600 });
  expect((await exportAccount(site.context, operator, { accountId: actor.accountId })).kind).toBe('exported');
  site.clock.now += 3600;
  expect((await exportAccount(site.context, actor)).kind).toBe('exported');
});

test('deleting an account erases personal data, ends its access and its links, and frees the address', async () => {
  const site = await makeContext();
  const accountId = await makeAccount(site);
  const session = await enter(site);
  await site.store.write((unit) => plantLink(unit.sql, accountId));
  const actor = await site.actor(session);
  expect(await deleteAccount(site.context, actor, { password: 'not it, sorry' })).toEqual({
    kind: 'refused',
    reason: 'wrong-password',
  });
  const changes = await changesOf(site, async () => {
    expect(await deleteAccount(site.context, actor, { password })).toEqual({ kind: 'deleted' });
  });
  expect(changes).toEqual([
    { kind: 'revoke', node: accountId },
    { kind: 'revoke', node: 'li_one' },
    { kind: 'revoke', node: 'ak_one' },
    { kind: 'touch', node: 'co_summer' },
  ]);
  expect(await isSignedIn(site, session)).toBe(false);
  expect(await readAccount(site.store.sql, accountId)).toMatchObject({ email: '', displayName: '', state: 'deleted' });
  expect((await site.mails()).map(({ kind, to }) => [kind, to])).toEqual([['account-deleted', address]]);
  // What is left names the account by its id and the person by nothing.
  for (const table of ['accounts', 'sessions', 'devices', 'one_time_codes', 'members', 'audit', 'throttles'] as const) {
    const rows = JSON.stringify(await site.store.sql.selectFrom(table).selectAll().execute());
    expect([table, rows.includes(address), rows.includes('Firefox')]).toEqual([table, false, false]);
  }
  expect((await signIn(site.context, { ...browser, email: address, password })).kind).toBe('refused');
  expect(await makeAccount(site)).not.toBe(accountId);
});

test('each way to end an account\u2019s access leaves a row in the audit list', async () => {
  const site = await makeContext();
  await makeAccount(site, 'admin@example.org', 'admin');
  const accountId = await makeAccount(site);
  const admin = await site.actor(await enter(site, 'admin@example.org'));
  await adminDisable(site.context, admin, { accountId, requestId: 'r-1' });
  await deleteAccount(site.context, admin, { accountId });
  const { entries } = await listAudit(site.store.sql, { subject: accountId });
  expect(entries.map(({ action, actor, requestId }) => [action, actor, requestId])).toEqual([
    ['account.deleted', admin.accountId, null],
    ['account.disabled', admin.accountId, 'r-1'],
    ['account.created', 'operator', null],
  ]);
});

describeEngines('the last admin', (engine) => {
  test('can be neither deleted nor demoted, whoever tries, and however many try at once', async () => {
    const site = await makeContext({ engine });
    const other = await makeContext({ like: site });
    const ids = [
      await makeAccount(site, 'a1@example.org', 'admin'),
      await makeAccount(site, 'a2@example.org', 'admin'),
    ];
    const [first = '', second = ''] = ids;
    const outcomes = await Promise.all([
      adminDisable(site.context, operator, { accountId: first }),
      deleteAccount(other.context, operator, { accountId: second }),
      adminSetRole(other.context, operator, { accountId: first, role: 'user' }),
    ]);
    expect(outcomes.filter(({ kind }) => kind === 'refused').length).toBeGreaterThanOrEqual(1);
    const admins = await site.store.sql
      .selectFrom('accounts')
      .selectAll()
      .where('role', '=', 'admin')
      .where('state', '=', 'active')
      .execute();
    expect(admins.length).toBe(1);
    const accountId = admins[0]?.id ?? '';
    const refused = { kind: 'refused', reason: 'last-admin' };
    expect(await adminDisable(site.context, operator, { accountId })).toEqual(refused);
    expect(await adminSetRole(site.context, operator, { accountId, role: 'user' })).toEqual(refused);
    expect(await deleteAccount(site.context, operator, { accountId })).toEqual(refused);
  });
});

/** A link of an account, and a membership of that account at another account's link. */
async function plantLink(sql: Parameters<typeof readAccount>[0], ownerId: string): Promise<void> {
  const place = { collection: 'summer', host: 'media.localhost', path: '/vod/summer/' };
  const none = { claim_from_at: null, claim_until_at: null, access_until_at: null, methods: null };
  await sql
    .insertInto('access_keys')
    .values({ id: 'ak_one', owner_id: ownerId, collection: 'summer', created_at: 1, revoked_at: null })
    .execute();
  await sql
    .insertInto('links')
    .values({
      ...place,
      ...none,
      id: 'li_one',
      access_key_id: 'ak_one',
      secret_digest: 'd',
      owner_id: ownerId,
      label: '',
      claims_allowed: 1,
      claims_used: 0,
      notify_members: 0,
      created_at: 1,
      revoked_at: null,
      revoked_by: null,
    })
    .execute();
  await sql
    .insertInto('members')
    .values({
      ...place,
      id: 'me_one',
      link_id: 'li_two',
      access_key_id: 'ak_two',
      account_id: ownerId,
      device_id: 'dv_one',
      claimed_at: 1,
      last_seen_at: null,
      revoked_at: null,
    })
    .execute();
}
