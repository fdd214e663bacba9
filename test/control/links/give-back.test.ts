// Giving back within ten minutes what was ended by mistake, on both engines: who may, until when, and who stays out.

import { describe, expect, test } from 'vitest';
import { giveBackAllLinks, giveBackLink, giveBackMember } from '../../../gateway/control/links/give-back.ts';
import { revokeAllLinks, revokeLink } from '../../../gateway/control/links/revoke-link.ts';
import { revokeMember } from '../../../gateway/control/links/revoke-member.ts';
import {
  type AccountActor,
  addAccount,
  ask,
  claim,
  type LinkRig,
  makeLink,
  makeLinkRig,
} from '../../support/rigs/link-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

async function changesAfter(rig: LinkRig, seq: number): Promise<string[]> {
  const rows = await rig.store.sql.selectFrom('changes').selectAll().where('seq', '>', seq).orderBy('seq').execute();
  return rows.map(({ kind, node }) => `${kind} ${node}`);
}

async function memberOf(rig: LinkRig, actor: AccountActor): Promise<string> {
  const query = rig.store.sql.selectFrom('members').select('id').where('account_id', '=', actor.accountId);
  return (await query.executeTakeFirstOrThrow()).id;
}

const tooLate = { kind: 'refused', problem: 'too-late' };
const notEnded = { kind: 'refused', problem: 'not-ended' };

describeEngines('giving back', (engine) => {
  test('a link that ended lets its members in again, except those who were removed one by one', async () => {
    const rig = await makeLinkRig(engine);
    const made = await makeLink(rig, { claimsAllowed: 3 });
    const [anna, bert, cora] = [await addAccount(rig), await addAccount(rig), await addAccount(rig)];
    for (const actor of [anna, bert]) await claim(rig, actor, made);
    await revokeMember(rig.context, rig.owner, await memberOf(rig, bert), null);
    await revokeLink(rig.context, rig.owner, made.link.id, null);
    // each is told what became of their own access
    const lost = { by: 'owner', label: 'Film night', at: rig.clock.now };
    expect(await ask(rig, anna)).toMatchObject({ kind: 'none', lost: { how: 'stopped', ...lost } });
    expect(await ask(rig, bert)).toMatchObject({ kind: 'none', lost: { how: 'removed', ...lost } });
    expect(await ask(rig, cora)).not.toHaveProperty('lost');

    rig.clock.now += 600;
    const { seq } = await rig.store.readPosition();
    expect(await giveBackLink(rig.context, rig.owner, made.link.id, null)).toMatchObject({
      kind: 'given-back',
      link: { state: 'open', revokedAt: null, claimsUsed: 2 },
    });
    expect(await changesAfter(rig, seq)).toEqual([`touch ${made.link.id}`, 'touch co_summer']);
    const answer = await ask(rig, anna);
    // a pass of this answer is newer than the revocation, so edges take it
    expect(answer).toMatchObject({ kind: 'granted', position: await rig.store.readPosition() });
    expect((await ask(rig, bert)).kind).toBe('none');
    expect((await claim(rig, bert, made)).kind).toBe('member-revoked');
    expect((await claim(rig, cora, made)).kind).toBe('granted');
    expect(await giveBackLink(rig.context, rig.owner, made.link.id, null)).toEqual(notEnded);
  });

  test('a single member comes back within ten minutes and by nobody but an owner', async () => {
    const rig = await makeLinkRig(engine);
    const made = await makeLink(rig);
    const anna = await addAccount(rig);
    await claim(rig, anna, made);
    const member = await memberOf(rig, anna);
    expect(await giveBackMember(rig.context, rig.owner, member, null)).toEqual(notEnded);
    await revokeMember(rig.context, rig.owner, member, null);
    const row = await rig.store.sql.selectFrom('members').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ revoked_at: rig.clock.now, revoked_by: rig.owner.accountId });

    for (const actor of [anna, await addAccount(rig)])
      expect(await giveBackMember(rig.context, actor, member, null)).toEqual({ kind: 'not-found' });
    expect((await ask(rig, anna)).kind).toBe('none');

    const { seq } = await rig.store.readPosition();
    expect(await giveBackMember(rig.context, rig.owner, member, null)).toEqual({ kind: 'given-back' });
    expect(await changesAfter(rig, seq)).toEqual([`touch ${anna.accountId}`]);
    expect((await ask(rig, anna)).kind).toBe('granted');
  });

  test('all links that ended with their collection come back, and none that ended alone', async () => {
    const rig = await makeLinkRig(engine);
    const [alone, one, two] = [await makeLink(rig), await makeLink(rig), await makeLink(rig)];
    const [anna, bert] = [await addAccount(rig), await addAccount(rig)];
    await claim(rig, anna, one);
    await claim(rig, bert, alone);
    await revokeLink(rig.context, rig.owner, alone.link.id, null);
    expect(await revokeAllLinks(rig.context, rig.owner, 'summer', null)).toEqual({ kind: 'revoked', links: 2 });
    expect(await giveBackAllLinks(rig.context, anna, 'summer', null)).toEqual({ kind: 'not-found' });
    const { seq } = await rig.store.readPosition();
    expect(await giveBackAllLinks(rig.context, rig.owner, 'summer', null)).toEqual({ kind: 'given-back', links: 2 });
    expect(await changesAfter(rig, seq)).toEqual(['touch co_summer']);
    expect([(await ask(rig, anna)).kind, (await ask(rig, bert)).kind]).toEqual(['granted', 'none']);
    expect((await claim(rig, await addAccount(rig), two)).kind).toBe('granted');
    expect(await giveBackAllLinks(rig.context, rig.owner, 'summer', null)).toEqual({ kind: 'given-back', links: 0 });
  });

  test('of 16 who give a link back at once, over two nodes, exactly one does', async () => {
    const rig = await makeLinkRig(engine, 2);
    const made = await makeLink(rig);
    await revokeLink(rig.context, rig.owner, made.link.id, null);
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, at) =>
        giveBackLink(rig.contexts[at % 2] ?? rig.context, rig.owner, made.link.id, null),
      ),
    );
    expect(all.filter(({ kind }) => kind === 'given-back')).toHaveLength(1);
    expect(await rig.store.sql.selectFrom('audit').select('action').orderBy('position').execute()).toContainEqual({
      action: 'link.given-back',
    });
  });
});

test('whoever lost access is told the owner\u2019s name alone, and when the time ran out', async () => {
  const rig = await makeLinkRig('sqlite');
  const made = await makeLink(rig, { claimsAllowed: 2, accessUntilAt: rig.clock.now + 60 });
  const [anna, bert] = [await addAccount(rig), await addAccount(rig)];
  for (const actor of [anna, bert]) await claim(rig, actor, made);
  const admin = await addAccount(rig, { role: 'admin', email: 'admin@example.org' });
  await revokeMember(rig.context, admin, await memberOf(rig, anna), null);
  // somebody else than the owner did it: the place stands for them
  expect(await ask(rig, anna)).toMatchObject({ lost: { how: 'removed', by: 'Media', at: rig.clock.now } });
  rig.clock.now += 60;
  expect(await ask(rig, bert)).toMatchObject({ lost: { how: 'over', by: 'owner', at: rig.clock.now } });
  expect(JSON.stringify([await ask(rig, anna), await ask(rig, bert)])).not.toContain('admin');
  expect(await ask(rig, anna, '/vod/winter/a.ts')).not.toHaveProperty('lost');
});

describe('nothing comes back', () => {
  test('after ten minutes', async () => {
    const rig = await makeLinkRig('sqlite');
    const [made, other] = [await makeLink(rig), await makeLink(rig)];
    const [anna, bert] = [await addAccount(rig), await addAccount(rig)];
    await claim(rig, anna, made);
    await claim(rig, bert, other);
    const member = await memberOf(rig, bert);
    await revokeMember(rig.context, rig.owner, member, null);
    await revokeAllLinks(rig.context, rig.owner, 'summer', null);
    rig.clock.now += 601;
    const { seq } = await rig.store.readPosition();
    expect(await giveBackLink(rig.context, rig.owner, made.link.id, null)).toEqual(tooLate);
    expect(await giveBackAllLinks(rig.context, rig.owner, 'summer', null)).toEqual({ kind: 'given-back', links: 0 });
    expect(await changesAfter(rig, seq)).toEqual([]);
    expect((await ask(rig, anna)).kind).toBe('none');
  });

  test('by a clock that was set back by far', async () => {
    const rig = await makeLinkRig('sqlite');
    const made = await makeLink(rig);
    await revokeLink(rig.context, rig.owner, made.link.id, null);
    rig.clock.now -= 3600;
    expect(await giveBackLink(rig.context, rig.owner, made.link.id, null)).toEqual(tooLate);
  });

  test('to a member whose link has ended, or whose account was deleted, and of a link whose maker was deleted', async () => {
    const rig = await makeLinkRig('sqlite');
    const made = await makeLink(rig, { claimsAllowed: 2 });
    const anna = await addAccount(rig);
    await claim(rig, anna, made);
    const member = await memberOf(rig, anna);
    await revokeMember(rig.context, rig.owner, member, null);
    await revokeLink(rig.context, rig.owner, made.link.id, null);
    const admin = await addAccount(rig, { role: 'admin' });
    expect(await giveBackMember(rig.context, admin, member, null)).toEqual({ kind: 'refused', problem: 'link-ended' });
    const remove = (id: string) =>
      rig.store.write(({ sql }) =>
        sql.updateTable('accounts').set({ state: 'deleted' }).where('id', '=', id).execute(),
      );
    await remove(rig.owner.accountId);
    expect(await giveBackLink(rig.context, admin, made.link.id, null)).toEqual({ kind: 'refused', problem: 'gone' });
    await rig.store.write(({ sql }) => sql.updateTable('links').set({ revoked_at: null }).execute());
    await remove(anna.accountId);
    expect(await giveBackMember(rig.context, admin, member, null)).toEqual({ kind: 'refused', problem: 'gone' });
  });
});
