// One rule tells when a session is over, and every part that takes sessions asks it: renewal, hand-over, pages, access questions, claims, links.
// A session ends after 7 idle days, and after 30 days in all.

import { expect, test } from 'vitest';
import { answerAccess } from '../../../gateway/control/access/answer-access.ts';
import { listAccess } from '../../../gateway/control/access/list-access.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { claimLink } from '../../../gateway/control/links/claim-link.ts';
import { createLink } from '../../../gateway/control/links/create-link.ts';
import { listLinks } from '../../../gateway/control/links/list-links.ts';
import { sessionIdleSeconds } from '../../../gateway/control/proof/account-limits.ts';
import { actorOf } from '../../../gateway/control/sessions/actor-of.ts';
import { makeHandover, nonceHashOf, redeemHandover } from '../../../gateway/control/sessions/hand-over.ts';
import { listSessions } from '../../../gateway/control/sessions/my-sessions.ts';
import { recordSeen } from '../../../gateway/control/sessions/record-seen.ts';
import { sessionForHost } from '../../../gateway/control/sessions/session-for-host.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import type { Unit } from '../../../gateway/store/port/store.ts';
import { browser, makeContext, portalHost, type TestContext } from '../../support/rigs/control-context.ts';
import { presentationOf } from '../../support/rigs/link-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

const password = 'tall ships sail at dawn';
const host = 'media.localhost';
const yaml = `
collections: [{ name: summer, host: ${host}, path: /vod/summer/, owners: [anna@example.org] }]
`;

/** Anna, signed in, and the answer of each part about her session at this moment. */
async function signedIn(site: TestContext) {
  const { context } = site;
  const operator = { kind: 'operator' } as const;
  const made = await createAccount(context, operator, { email: 'anna@example.org', invited: false, password });
  const entered = await signIn(context, { ...browser, email: 'anna@example.org', password });
  if (entered.kind !== 'signed-in' || made.kind !== 'created') throw new Error('nobody is signed in');
  const { session } = entered;
  const { sessionId, deviceId } = session;
  const actor = await site.actor(session);
  const link = await createLink(context, operator, { collection: 'summer', label: 'Film night', requestId: null });
  if (link.kind !== 'created') throw new Error(link.kind);
  const handover = await makeHandover(context, { actor, host, nonceHash: nonceHashOf('nonce') });
  const question = { account: actor.accountId, session: sessionId, device: deviceId, host, path: '/vod/summer/a.ts' };
  const roads = async () => ({
    renewal: (await sessionForHost(context, { sessionId, host })).kind === 'minted',
    page: (await actorOf(context, session.sessionToken, portalHost)) !== null,
    access: (await answerAccess(context, question)).kind === 'granted',
    list: (await listSessions(context, actor)).length > 0,
    links: (await listLinks(context, actor, {})).links.length > 0,
    shared: (await listAccess(context, actor)).length > 0,
    claim: (await claimLink(context, actor, presentationOf(link.url), null)).kind !== 'account-not-able',
    handover: (await redeemHandover(context, { ...handover, nonce: 'nonce', host })).kind === 'redeemed',
  });
  return { actor, roads };
}

const open = {
  renewal: true,
  page: true,
  access: true,
  list: true,
  links: true,
  shared: true,
  claim: true,
  handover: true,
};
const shut = Object.fromEntries(Object.keys(open).map((road) => [road, false]));

type Change = (unit: Unit, session: string, now: number) => Promise<unknown>;
const set = (unit: Unit, table: 'sessions', id: string, values: Record<string, number>) =>
  unit.sql.updateTable(table).set(values).where('id', '=', id).execute();

const overBy: readonly (readonly [string, Change])[] = [
  ['was not used for a week', (unit, id, now) => set(unit, 'sessions', id, { last_seen_at: now - sessionIdleSeconds })],
  ['reached its absolute end', (unit, id, now) => set(unit, 'sessions', id, { expires_at: now })],
  ['was ended', (unit, id, now) => set(unit, 'sessions', id, { ended_at: now })],
];

describeEngines('a session that is over', (engine) => {
  test('a live session is taken by renewal, hand-over, pages, access questions, claims and links', async () => {
    const { roads } = await signedIn(await makeContext({ engine, yaml }));
    expect(await roads()).toEqual(open);
  });

  test.each(overBy)('a session that %s is refused everywhere', async (_, change) => {
    const site = await makeContext({ engine, yaml });
    const { actor, roads } = await signedIn(site);
    await site.store.write((unit) => change(unit, actor.sessionId, unit.now));
    expect(await roads()).toEqual(shut);
    // a late report of a use wakes none
    await recordSeen(site.context, [
      { session: actor.sessionId, device: actor.deviceId, member: null, at: site.clock.now },
    ]);
    expect((await roads()).access).toBe(false);
  });

  test('an edge is told that an idle session has ended, and not that its account has no access', async () => {
    const site = await makeContext({ engine, yaml });
    const { actor } = await signedIn(site);
    await site.store.write((unit) =>
      set(unit, 'sessions', actor.sessionId, { last_seen_at: unit.now - sessionIdleSeconds }),
    );
    const { accountId: account, sessionId: session, deviceId: device } = actor;
    expect(await answerAccess(site.context, { account, session, device, host, path: '/vod/summer/a.ts' })).toEqual({
      kind: 'ended',
    });
  });
});
