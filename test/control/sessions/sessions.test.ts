// Sessions and devices: how long they last, on which host, who ends them, and how a sign-in is handed over to another host.
// Rules: gateway/RULES.md "Token types" and "Hosts".

import { expect, test } from 'vitest';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { sessionAbsoluteSeconds, sessionIdleSeconds } from '../../../gateway/control/proof/account-limits.ts';
import { actorOf } from '../../../gateway/control/sessions/actor-of.ts';
import { makeHandover, nonceHashOf, redeemHandover } from '../../../gateway/control/sessions/hand-over.ts';
import {
  endDevice,
  endOtherSessions,
  endSession,
  listDevices,
  listSessions,
  renameDevice,
  signOut,
} from '../../../gateway/control/sessions/my-sessions.ts';
import { pruneExpired } from '../../../gateway/control/sessions/prune-expired.ts';
import { recordSeen } from '../../../gateway/control/sessions/record-seen.ts';
import { sessionForHost } from '../../../gateway/control/sessions/session-for-host.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import type { NewSession } from '../../../gateway/control/sessions/start-session.ts';
import { insertAccount } from '../../../gateway/store/rows/accounts.ts';
import { appendAudit } from '../../../gateway/store/rows/audit.ts';
import { findMemberById, insertMember } from '../../../gateway/store/rows/members.ts';
import { browser, makeContext, portalHost, type TestContext } from '../../support/rigs/control-context.ts';
import { describeEngines } from '../../support/store/stores.ts';

type AccountActor = Parameters<typeof listSessions>[1];

const password = 'tall ships sail at dawn';
const mediaHost = 'media.localhost';
const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1';

async function makeAccount(site: TestContext, email = 'anna@example.org'): Promise<string> {
  const made = await createAccount(site.context, { kind: 'operator' }, { email, invited: false, password });
  if (made.kind !== 'created') throw new Error(made.reason);
  return made.accountId;
}

async function enter(site: TestContext, changes: Partial<Parameters<typeof signIn>[1]> = {}): Promise<NewSession> {
  const outcome = await signIn(site.context, { ...browser, email: 'anna@example.org', password, ...changes });
  if (outcome.kind !== 'signed-in') throw new Error(outcome.kind);
  return outcome.session;
}

/** An account that is signed in. */
async function enterAnew(site: TestContext): Promise<{ session: NewSession; actor: AccountActor }> {
  await makeAccount(site);
  const session = await enter(site);
  return { session, actor: await site.actor(session) };
}

const lives = async (site: TestContext, { sessionId }: NewSession): Promise<boolean> =>
  (await sessionForHost(site.context, { sessionId, host: mediaHost })).kind === 'minted';

test('a token for a host names account, session and device, and the place of the log it was minted at', async () => {
  const site = await makeContext();
  const { session, actor } = await enterAnew(site);
  const minted = await sessionForHost(site.context, { sessionId: session.sessionId, host: mediaHost });
  if (minted.kind !== 'minted') throw new Error(minted.kind);
  const { epoch, seq } = await site.store.readPosition();
  expect(site.context.tokens.verifySession(minted.token, mediaHost)).toMatchObject({
    sub: actor.accountId,
    aud: [mediaHost],
    sid: session.sessionId,
    did: session.deviceId,
    email: 'anna@example.org',
    exp: site.clock.now + 900,
    n: [actor.accountId, session.sessionId, session.deviceId],
    v: [epoch, seq],
  });
  // once the configuration does not name the host any more, a session that was given there goes on no longer
  site.configure((config) => ({ ...config, portal: config.portal === null ? null : { ...config.portal, hosts: [] } }));
  expect(await lives(site, session)).toBe(false);
  expect(await actorOf(site.context, minted.token, portalHost)).toBeNull();
});

test('a session ends a week after its last use, and thirty days after its start at the latest', async () => {
  const site = await makeContext();
  const { session } = await enterAnew(site);
  const start = site.clock.now;
  for (let used = 0; used < 4; used++) {
    site.clock.now += sessionIdleSeconds - 1;
    expect(await lives(site, session)).toBe(true);
  }
  site.clock.now = start + sessionAbsoluteSeconds - 10;
  const last = await sessionForHost(site.context, { sessionId: session.sessionId, host: mediaHost });
  if (last.kind !== 'minted') throw new Error(last.kind);
  // Neither token nor cookie outlives the session.
  expect(site.context.tokens.verifySession(last.token, mediaHost)?.exp).toBe(start + sessionAbsoluteSeconds);
  expect(last.maxAgeSeconds).toBe(10);
  site.clock.now += 10;
  expect(await lives(site, session)).toBe(false);

  const idle = await enter(site);
  site.clock.now += sessionIdleSeconds;
  expect(await lives(site, idle)).toBe(false);
});

test('a session token from before a restore proves nothing', async () => {
  const site = await makeContext();
  const { session } = await enterAnew(site);
  await site.store.write(({ sql }) => sql.updateTable('log_position').set({ epoch: 'restored' }).execute());
  expect(await actorOf(site.context, session.sessionToken, portalHost)).toBeNull();
});

test('signing out ends this session on every host and no other', async () => {
  const site = await makeContext();
  const { session, actor } = await enterAnew(site);
  const other = await enter(site);
  const before = await site.store.readPosition();
  expect(await signOut(site.context, actor)).toEqual({ kind: 'ended' });
  const read = await site.store.readChanges(before);
  expect(read.kind === 'changes' && read.changes).toMatchObject([{ kind: 'revoke', node: session.sessionId }]);
  expect(await lives(site, session)).toBe(false);
  expect(await actorOf(site.context, session.sessionToken, portalHost)).toBeNull();
  expect(await lives(site, other)).toBe(true);
  expect(await signOut(site.context, actor)).toEqual({ kind: 'ended' });
});

test('devices are listed by plain names, can be named, and end with all their sessions', async () => {
  const site = await makeContext();
  const { session, actor } = await enterAnew(site);
  site.clock.now += 60;
  const onPhone = await enter(site, { userAgent: phone });
  const again = await enter(site, { userAgent: phone, deviceCookie: onPhone.deviceCookie });
  expect(await renameDevice(site.context, actor, { deviceId: session.deviceId, name: ' Desk ' })).toEqual({
    kind: 'renamed',
  });
  expect(await renameDevice(site.context, actor, { deviceId: session.deviceId, name: '' })).toEqual({
    kind: 'bad-name',
  });
  expect(await listDevices(site.context, actor)).toMatchObject([
    { id: onPhone.deviceId, name: 'Safari on an iPhone', isCurrent: false, sessions: 2 },
    { id: session.deviceId, name: 'Desk', isCurrent: true, sessions: 1 },
  ]);
  const before = await site.store.readPosition();
  expect(await endDevice(site.context, actor, { deviceId: onPhone.deviceId })).toEqual({ kind: 'ended' });
  const read = await site.store.readChanges(before);
  expect(read.kind === 'changes' && read.changes).toMatchObject([{ kind: 'revoke', node: onPhone.deviceId }]);
  expect([await lives(site, onPhone), await lives(site, again), await lives(site, session)]).toEqual([
    false,
    false,
    true,
  ]);
  // The browser is a new device from now on.
  const back = await enter(site, { userAgent: phone, deviceCookie: onPhone.deviceCookie });
  expect(back.deviceId).not.toBe(onPhone.deviceId);
  expect(back.deviceCookie).not.toBeNull();
});

test('ending all other sessions ends them at once, and the session that asks goes on', async () => {
  const site = await makeContext();
  const { session, actor } = await enterAnew(site);
  const others = [await enter(site), await enter(site, { userAgent: phone })];
  const before = await site.store.readPosition();
  expect(await endOtherSessions(site.context, actor)).toBe(2);
  const read = await site.store.readChanges(before);
  const ends = read.kind === 'changes' ? read.changes.map(({ kind, node }) => `${kind} ${node}`).sort() : [];
  expect(ends).toEqual(others.map(({ sessionId }) => `revoke ${sessionId}`).sort());
  for (const other of others) expect(await lives(site, other)).toBe(false);
  expect(await lives(site, session)).toBe(true);
  expect(await listSessions(site.context, actor)).toMatchObject([{ id: session.sessionId, isCurrent: true }]);
});

test('the session or device of another account is answered like one that does not exist', async () => {
  const site = await makeContext();
  const { session, actor } = await enterAnew(site);
  await makeAccount(site, 'ben@example.org');
  const ben = await enter(site, { email: 'ben@example.org' });
  const unknown = { kind: 'unknown' };
  expect(await endSession(site.context, actor, { sessionId: ben.sessionId })).toEqual(unknown);
  expect(await endSession(site.context, actor, { sessionId: 'se_nobody' })).toEqual(unknown);
  expect(await endDevice(site.context, actor, { deviceId: ben.deviceId })).toEqual(unknown);
  expect(await renameDevice(site.context, actor, { deviceId: ben.deviceId, name: 'mine' })).toEqual(unknown);
  expect([await lives(site, ben), await lives(site, session)]).toEqual([true, true]);
});

test('two people on one browser have a device each under one cookie, and end only their own', async () => {
  const site = await makeContext();
  const { session, actor } = await enterAnew(site);
  await makeAccount(site, 'ben@example.org');
  const ben = await enter(site, { email: 'ben@example.org', deviceCookie: session.deviceCookie });
  expect(ben.deviceCookie).toBeNull();
  expect(ben.deviceId).not.toBe(session.deviceId);
  await endDevice(site.context, actor, { deviceId: session.deviceId });
  expect(await lives(site, ben)).toBe(true);
});

test('an unknown device cookie is replaced, so that none can be planted', async () => {
  const site = await makeContext();
  const { session } = await enterAnew(site);
  const planted = `${'A'.repeat(16)}.${'B'.repeat(43)}`;
  const entered = await enter(site, { deviceCookie: planted });
  expect(entered.deviceCookie).not.toBeNull();
  expect(entered.deviceCookie).not.toBe(planted);
  const forged = `${session.deviceCookie?.split('.')[0]}.${'B'.repeat(43)}`;
  expect((await enter(site, { deviceCookie: forged })).deviceId).not.toBe(session.deviceId);
});

test('a hand-over code works once, within a minute, for one host and one nonce', async () => {
  const site = await makeContext();
  const { actor } = await enterAnew(site);
  const make = async (): Promise<string> =>
    (await makeHandover(site.context, { actor, host: mediaHost, nonceHash: nonceHashOf('nonce') })).code;
  const redeem = (code: string, nonce = 'nonce', host = mediaHost) =>
    redeemHandover(site.context, { code, nonce, host });
  const good = await make();
  const redeemed = await redeem(good);
  if (redeemed.kind !== 'redeemed') throw new Error(redeemed.kind);
  expect(site.context.tokens.verifySession(redeemed.token, mediaHost)?.sid).toBe(actor.sessionId);
  const refused = { kind: 'refused' };
  expect(await redeem(good)).toEqual(refused);
  const stolen = await make();
  expect(await redeem(stolen, 'another')).toEqual(refused);
  // Tried once with a wrong nonce: spent.
  expect(await redeem(stolen)).toEqual(refused);
  // At another host that takes sign-ins.
  expect(await redeem(await make(), 'nonce', portalHost)).toEqual(refused);
  const late = await make();
  site.clock.now += 60;
  expect(await redeem(late)).toEqual(refused);
  const early = await make();
  await signOut(site.context, actor);
  expect(await redeem(early)).toEqual(refused);
  for (const text of ['', 'x', 'x.y', `${'A'.repeat(16)}.${'B'.repeat(43)}`])
    expect(await redeem(text)).toEqual(refused);
});

test('reports of edges move the last use forward, never back or beyond now, and revive no ended session', async () => {
  const site = await makeContext();
  const { session, actor } = await enterAnew(site);
  const ended = await enter(site);
  await endSession(site.context, actor, { sessionId: ended.sessionId });
  const start = site.clock.now;
  await site.store.write(({ sql }) =>
    insertMember(sql, {
      ...{ id: 'me_1', link_id: 'li_1', access_key_id: 'ak_1', account_id: actor.accountId, collection: 'summer' },
      ...{ host: 'media.localhost', path: '/', device_id: null, claimed_at: start, last_seen_at: null },
      ...{ revoked_at: null, revoked_by: null },
    }),
  );
  const memberSeen = async () => (await findMemberById(site.store.sql, 'me_1'))?.last_seen_at;
  const see = async (at: number): Promise<number | undefined> => {
    const uses = [session, ended].map(({ sessionId, deviceId }) => ({ session: sessionId, device: deviceId, at }));
    await recordSeen(
      site.context,
      uses.map((use) => ({ ...use, member: 'me_1' })),
    );
    return (await listSessions(site.context, actor))[0]?.lastSeenAt;
  };
  site.clock.now += 600;
  const seen = await see(start + 300);
  expect(seen).toBeGreaterThanOrEqual(start + 300);
  expect(seen).toBeLessThan(start + 360);
  expect(await memberSeen()).toBe(seen);
  expect([await see(start + 100), await memberSeen()]).toEqual([seen, seen]);
  expect([await see(start + 90_000), await memberSeen()]).toEqual([site.clock.now, site.clock.now]);
  expect(await lives(site, ended)).toBe(false);
  site.clock.now += sessionIdleSeconds;
  await see(site.clock.now);
  expect(await lives(site, session)).toBe(false);
});

test('pruning deletes rows that are over and none that still opens something', async () => {
  const site = await makeContext();
  const { session, actor } = await enterAnew(site);
  const { code } = await makeHandover(site.context, { actor, host: mediaHost, nonceHash: nonceHashOf('n') });
  const ended = await enter(site);
  await endSession(site.context, actor, { sessionId: ended.sessionId });
  await signIn(site.context, { ...browser, email: 'nobody@example.org', password });
  const named = { passwordHash: null, displayName: '', groups: [], role: 'user', state: 'active' } as const;
  await site.store.write((unit) =>
    insertAccount(unit.sql, {
      ...named,
      id: 'ac_named',
      email: 'x@example.org',
      emailVerifiedAt: null,
      createdAt: unit.now,
    }),
  );
  const count = async (table: 'sessions' | 'one_time_codes' | 'throttles' | 'accounts'): Promise<number> =>
    (await site.store.sql.selectFrom(table).selectAll().execute()).length;
  expect(await pruneExpired(site.context)).toEqual({ rows: 0, isPartial: false });
  expect((await redeemHandover(site.context, { code, nonce: 'n', host: mediaHost })).kind).toBe('redeemed');
  for (let day = 0; day < 25; day += 5) {
    site.clock.now += 5 * 86_400;
    expect(await lives(site, session)).toBe(true);
    await pruneExpired(site.context);
  }
  expect([await count('sessions'), await count('one_time_codes'), await count('throttles')]).toEqual([2, 0, 0]);
  expect(await lives(site, session)).toBe(true);
  site.clock.now += 15 * 86_400;
  await pruneExpired(site.context);
  expect(await count('accounts')).toBe(1);
  site.clock.now += 60 * 86_400;
  await pruneExpired(site.context);
  expect(await count('sessions')).toBe(0);
});

test('revocations older than the longest life of a token leave the log, and younger ones stay', async () => {
  const site = await makeContext();
  const ended = async (): Promise<string[]> =>
    (await site.store.sql.selectFrom('changes').select('node').orderBy('seq').execute()).map(({ node }) => node);
  await site.store.write((unit) => unit.append({ kind: 'revoke', node: 'se_first' }));
  site.clock.now += 30 * 86_400;
  await site.store.write((unit) => unit.append({ kind: 'revoke', node: 'se_second' }));
  await pruneExpired(site.context);
  expect(await ended()).toEqual(['se_first', 'se_second']);
  site.clock.now += 6 * 86_400;
  await pruneExpired(site.context);
  expect(await ended()).toEqual(['se_second']);
});

test('history of more than a year leaves the store, younger history stays', async () => {
  const site = await makeContext();
  const note = (subject: string) =>
    site.store.write((unit) => appendAudit(unit, { actor: 'system', action: 'session.ended', subject }));
  await note('old');
  site.clock.now += 300 * 86_400;
  await note('young');
  site.clock.now += 101 * 86_400;
  await pruneExpired(site.context);
  const left = await site.store.sql.selectFrom('audit').select('subject').execute();
  expect(left.map(({ subject }) => subject)).toContain('young');
  expect(left.map(({ subject }) => subject)).not.toContain('old');
});

describeEngines('one hand-over for many', (engine) => {
  test('64 browsers that present one code at once, on two nodes, get one session', async () => {
    const site = await makeContext({ engine });
    const other = await makeContext({ like: site });
    const { actor } = await enterAnew(site);
    const { code } = await makeHandover(site.context, { actor, host: mediaHost, nonceHash: nonceHashOf('n') });
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        redeemHandover((index % 2 === 0 ? site : other).context, { code, nonce: 'n', host: mediaHost }),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === 'redeemed').length).toBe(1);
  });
});
