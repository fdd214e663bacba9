// What givers do with a share after they gave it: send its message again, change it, stop it, end it. Who may, what follows, what is appended.

import { expect, test } from 'vitest';
import { answerAccess } from '../../../gateway/control/access/answer-access.ts';
import type { Actor } from '../../../gateway/control/context/control-context.ts';
import { changeShare } from '../../../gateway/control/sharing/change-share.ts';
import { endShare, type GiverEvent } from '../../../gateway/control/sharing/end-share.ts';
import { resendShare } from '../../../gateway/control/sharing/resend-share.ts';
import { readShareHistory } from '../../../gateway/control/sharing/share-history.ts';
import { digestOf } from '../../../gateway/core/model/digest.ts';
import { collectionSubject } from '../../../gateway/core/model/node-id.ts';
import { appendAudit, listAudit } from '../../../gateway/store/rows/audit.ts';
import { insertBlock } from '../../../gateway/store/sharing/share-blocks.ts';
import { findShare, spendUse } from '../../../gateway/store/sharing/shares.ts';
import { type AccountActor, addAccount, operator } from '../../support/rigs/link-rig.ts';
import { atHome, makeShareRig, type ShareRig } from '../../support/rigs/share-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

const touched = `touch ${collectionSubject('cam')}`;

async function makeSite(engine: 'sqlite' | 'postgres') {
  const rig = await makeShareRig(engine);
  rig.sharing({ reshareDepth: 2 });
  const mina = await addAccount(rig, { email: 'mina@example.org' });
  const joe = await addAccount(rig, { email: 'joe@example.org' });
  const first = await rig.given('mina@example.org', { reshareDepth: 2 });
  await rig.accept(first.id, mina);
  const second = await rig.given('joe@example.org', { reshareDepth: 1 }, mina);
  await rig.accept(second.id, joe);
  const end = (actor: Actor, shareId: string, event: GiverEvent) =>
    endShare(rig.context, actor, { shareId, event, origin: atHome });
  const change = (actor: Actor, shareId: string, changes: object) =>
    changeShare(rig.context, actor, { shareId, origin: atHome, ...changes });
  const opens = async ({ accountId, sessionId, deviceId }: AccountActor) => {
    const question = { account: accountId, session: sessionId, device: deviceId };
    const place = { host: 'media.localhost', path: '/cam/hillside/now.jpg' };
    return (await answerAccess(rig.context, { ...question, ...place })).kind;
  };
  return { rig, mina, joe, first, second, end, change, opens };
}

async function changesOf(rig: ShareRig, work: () => Promise<unknown>): Promise<string[]> {
  const { seq } = await rig.store.readPosition();
  await work();
  const rows = await rig.store.sql.selectFrom('changes').selectAll().where('seq', '>', seq).orderBy('seq').execute();
  return rows.map(({ kind, node }) => `${kind} ${node}`);
}

const mailsOf = async (rig: ShareRig, kind: string): Promise<{ to: string; text: string }[]> => {
  const rows = await rig.store.sql.selectFrom('outbox').select('body_sealed').where('kind', '=', kind).execute();
  return rows.map((row) => JSON.parse(row.body_sealed ?? '{}'));
};

describeEngines('what becomes of a share', (engine) => {
  test('it is stopped and goes on without another acceptance, and ends with everything below, by one change each', async () => {
    const { rig, mina, joe, first, second, end, opens } = await makeSite(engine);
    const holds = async () => [await opens(mina), await opens(joe)];
    expect(await holds()).toEqual(['granted', 'granted']);
    expect(await changesOf(rig, () => end(rig.owner, first.id, 'disable'))).toEqual([`revoke ${first.id}`]);
    expect(await holds()).toEqual(['none', 'none']);
    expect(await end(rig.owner, first.id, 'disable')).toMatchObject({ kind: 'done', moved: false });
    expect(await changesOf(rig, () => end(rig.owner, first.id, 'enable'))).toEqual([touched]);
    expect(await holds()).toEqual(['granted', 'granted']);
    expect(await changesOf(rig, () => end(mina, second.id, 'disable'))).toEqual([`revoke ${second.id}`]);
    expect(await holds()).toEqual(['granted', 'none']);
    await end(mina, second.id, 'enable');
    expect(await changesOf(rig, () => end(rig.owner, first.id, 'revoke'))).toEqual([`revoke ${first.id}`]);
    expect(await holds()).toEqual(['none', 'none']);
    expect(await end(rig.owner, first.id, 'enable')).toEqual({ kind: 'wrong-state', state: 'revoked' });
    expect(await end(rig.owner, first.id, 'withdraw')).toEqual({ kind: 'wrong-state', state: 'revoked' });
    const [mail, ...more] = await mailsOf(rig, 'key-share-ended');
    expect([mail?.to, more]).toEqual(['mina@example.org', []]);
    expect(mail?.text).toContain('owner shared it.');
    const { entries } = await listAudit(rig.store.sql, { subject: first.id });
    expect(entries.map(({ action }) => action)).toEqual([
      ...['share.revoked', 'share.enabled', 'share.disabled', 'share.created'],
    ]);
    expect(entries[0]).toMatchObject({ details: { account: mina.accountId, network: '192.0.2.0/24' } });
  });

  test('a message is sent again with the same address in it, not too often, and only while the share is pending', async () => {
    const { rig, mina, first, end } = await makeSite(engine);
    const { id } = await rig.given('new@example.org');
    const resend = (shareId = id) => resendShare(rig.context, rig.owner, { shareId, origin: atHome });
    const deliver = () =>
      rig.store.write(({ sql, now }) => sql.updateTable('outbox').set({ delivered_at: now }).execute());
    await deliver();
    expect(await resend()).toEqual({ kind: 'too-many', retryAfterSeconds: 60 });
    rig.clock.now += 60;
    expect((await resend()).kind).toBe('resent');
    const texts = (await mailsOf(rig, 'key-shared')).filter(({ to }) => to === 'new@example.org');
    const urls = texts.map(({ text }) => /\S+\/shares\/open\/\S+/.exec(text)?.[0]);
    expect([urls.length, new Set(urls).size]).toEqual([2, 1]);
    // one that waits says the same already
    rig.clock.now += 60;
    expect((await resend()).kind).toBe('resent');
    expect((await mailsOf(rig, 'key-shared')).filter(({ to }) => to === 'new@example.org')).toHaveLength(2);
    // an address that wants no more of the giver: the same answer, and no message
    await deliver();
    await rig.store.write(({ sql, now }) =>
      insertBlock(sql, { mailboxDigest: digestOf('new@example.org'), giverId: rig.owner.accountId }, now),
    );
    rig.clock.now += 60;
    expect(await resend()).toMatchObject({ kind: 'resent', share: { id, state: 'pending', mail: null } });
    expect((await mailsOf(rig, 'key-shared')).filter(({ to }) => to === 'new@example.org')).toHaveLength(2);
    expect(await resend(first.id)).toEqual({ kind: 'not-pending' });
    // whoever lost a key writes to nobody about it any more
    const below = await rig.given('later@example.org', {}, mina);
    rig.clock.now += 60;
    const byMina = () => resendShare(rig.context, mina, { shareId: below.id, origin: atHome });
    await end(rig.owner, first.id, 'disable');
    expect(await byMina()).toEqual({ kind: 'not-pending' });
    await end(rig.owner, first.id, 'enable');
    expect((await byMina()).kind).toBe('resent');
    rig.sharing({ perSender: { count: 1, seconds: 600 } });
    rig.clock.now += 600;
    expect((await resend()).kind).toBe('resent');
    rig.clock.now += 60;
    expect((await resend()).kind).toBe('too-many');
    rig.clock.now += 40 * 86_400;
    expect(await resendShare(rig.context, operator, { shareId: id, origin: atHome })).toEqual({ kind: 'not-pending' });
  });

  test('window, uses and depth are changed within what stands above; what was narrowed ends what was made before', async () => {
    const { rig, mina, joe, first, second, change, opens } = await makeSite(engine);
    const { now } = rig.clock;
    const until = (usableUntilAt: number | null) => change(rig.owner, first.id, { usableUntilAt });
    const both = [`revoke ${first.id}`, touched];
    expect(await changesOf(rig, () => until(now + 100))).toEqual(both);
    expect(await changesOf(rig, () => until(now + 200))).toEqual([touched]);
    expect(await until(now)).toEqual({ kind: 'refused', problem: 'bad-window' });
    expect(await change(mina, second.id, { usableUntilAt: now + 900 })).toMatchObject({
      share: { usableUntilAt: now + 200 },
    });
    expect(await until(null)).toMatchObject({ share: { usableUntilAt: null } });
    expect(await changesOf(rig, () => change(rig.owner, first.id, { usableFromAt: now + 50 }))).toEqual(both);
    expect([await opens(mina), await opens(joe)]).toEqual(['none', 'none']);
    await change(rig.owner, first.id, { usableFromAt: null });
    expect(await opens(joe)).toBe('granted');
    // below it is shared on, which a number of uses could not count
    expect(await change(rig.owner, first.id, { usesAllowed: 3 })).toEqual({ kind: 'refused', problem: 'bad-uses' });
    expect(await changesOf(rig, () => change(mina, second.id, { usesAllowed: 3 }))).toEqual([
      ...[`revoke ${second.id}`, touched],
    ]);
    expect(await opens(joe)).toBe('none');
    await rig.store.write(({ sql }) => spendUse(sql, second.id));
    expect(await change(mina, second.id, { usesAllowed: 5 })).toMatchObject({ share: { usesLeft: 4 } });
    expect(await change(mina, second.id, { usesAllowed: 1 })).toMatchObject({ share: { usesLeft: 0 } });
    expect(await change(mina, second.id, { usesAllowed: null })).toMatchObject({ share: { usesLeft: null } });
    expect(await opens(joe)).toBe('granted');
    expect(await change(mina, second.id, { reshareDepth: 2 })).toEqual({ kind: 'refused', problem: 'bad-depth' });
    expect(await change(mina, second.id, { reshareDepth: 0 })).toMatchObject({ share: { reshareDepth: 0 } });
    expect(await change(mina, second.id, { reshareDepth: 1 })).toMatchObject({ share: { reshareDepth: 1 } });
    await endShare(rig.context, mina, { shareId: second.id, event: 'revoke', origin: atHome });
    expect(await change(mina, second.id, { reshareDepth: 0 })).toEqual({ kind: 'ended' });
  });
});

test('its parties read who did what, when and from where; nobody else reads anything', async () => {
  const { rig, mina, joe, second, end } = await makeSite('sqlite');
  await end(mina, second.id, 'disable');
  rig.clock.now += 60;
  await end(rig.owner, second.id, 'enable');
  await end(operator, second.id, 'revoke');
  await rig.store.write((unit) =>
    appendAudit(unit, { actor: joe.accountId, action: 'share.left', subject: second.id }),
  );
  for (const actor of [mina, rig.owner, joe, operator]) {
    const read = await readShareHistory(rig.context, actor, second.id);
    expect(read?.events.map(({ text, network }) => [text, network])).toEqual([
      ['joe@example.org gave a key back', null],
      ['An administrator stopped sharing a key with somebody', '192.0.2.0/24'],
      ['owner went on sharing a key', '192.0.2.0/24'],
      ['mina stopped sharing a key for a while', '192.0.2.0/24'],
      ['mina offered a key to somebody', '192.0.2.0/24'],
    ]);
    expect(read?.events.map(({ by }) => by)).toEqual(['recipient', 'administrator', 'above', 'giver', 'giver']);
    expect(read?.events[1]?.at).toBe(rig.clock.now);
    expect(JSON.stringify(read)).not.toContain(joe.accountId);
  }
  const first = await readShareHistory(rig.context, mina, second.id, { limit: 2 });
  expect(await readShareHistory(rig.context, mina, second.id, { before: first?.next ?? 0 })).toMatchObject({
    ...{ events: [{ by: 'above' }, { by: 'giver' }, { by: 'giver' }], next: null },
  });
  expect(await readShareHistory(rig.context, await addAccount(rig), second.id)).toBeNull();
});

test('giver, everybody above, administrators and the operator end a share; for the recipient and others it is not there', async () => {
  const { rig, mina, joe, first, second, end, change } = await makeSite('sqlite');
  const admin = await addAccount(rig, { role: 'admin' });
  const stranger = await addAccount(rig);
  const notFound = { kind: 'not-found' };
  for (const [actor, id] of [
    [mina, first.id],
    [joe, second.id],
    [joe, first.id],
    [stranger, second.id],
    [{ ...rig.owner, sessionId: 'se_other' }, second.id],
  ] as const) {
    for (const event of ['disable', 'revoke'] as const) expect(await end(actor, id, event)).toEqual(notFound);
    expect(await change(actor, id, { reshareDepth: 0 })).toEqual(notFound);
    expect(await resendShare(rig.context, actor, { shareId: id, origin: atHome })).toEqual(notFound);
  }
  for (const actor of [mina, rig.owner, admin, operator]) {
    expect(await end(actor, second.id, 'disable')).toMatchObject({ moved: true, share: { state: 'disabled' } });
    expect(await end(actor, second.id, 'enable')).toMatchObject({ moved: true, share: { state: 'accepted' } });
  }
  expect(await end(operator, 'sh_unknown0000000000000000', 'revoke')).toEqual(notFound);
});

test('an offer is taken back without a trace in the change log, and its message, if it waits, is not sent', async () => {
  const { rig, end } = await makeSite('sqlite');
  const { id } = await rig.given('new@example.org');
  const waiting = async () =>
    (await rig.store.sql.selectFrom('outbox').select('id').where('subject', '=', id).execute()).length;
  expect(await waiting()).toBe(1);
  expect(await end(rig.owner, id, 'revoke')).toEqual({ kind: 'wrong-state', state: 'pending' });
  expect(await changesOf(rig, () => end(rig.owner, id, 'withdraw'))).toEqual([]);
  expect(await waiting()).toBe(0);
  expect(await findShare(rig.store.sql, id)).toMatchObject({ state: 'withdrawn', secret_sealed: null });
  // the address may be offered the key again
  await rig.given('new@example.org');
});
