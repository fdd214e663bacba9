// What becomes of keys when an account is blocked, let back in, or deleted, on both engines.

import { expect, test } from 'vitest';
import { answerAccess } from '../../../gateway/control/access/answer-access.ts';
import { adminDisable, adminEnable } from '../../../gateway/control/accounts/administer-accounts.ts';
import { deleteAccount } from '../../../gateway/control/accounts/delete-account.ts';
import { exportAccount } from '../../../gateway/control/accounts/export-account.ts';
import { endShare } from '../../../gateway/control/sharing/end-share.ts';
import { digestOf } from '../../../gateway/core/model/digest.ts';
import { updateAccount } from '../../../gateway/store/rows/accounts.ts';
import { insertBlock } from '../../../gateway/store/sharing/share-blocks.ts';
import { changeShare, findShare } from '../../../gateway/store/sharing/shares.ts';
import { type AccountActor, addAccount, operator } from '../../support/rigs/link-rig.ts';
import { atHome, makeShareRig, type ShareRig } from '../../support/rigs/share-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

const opens = async (rig: ShareRig, { accountId, sessionId, deviceId }: AccountActor): Promise<boolean> => {
  const asked = { account: accountId, session: sessionId, device: deviceId };
  return (
    (await answerAccess(rig.context, { ...asked, host: 'media.localhost', path: '/cam/hillside/a' })).kind === 'granted'
  );
};

const changesSince = async (rig: ShareRig, seq: number): Promise<string[][]> => {
  const rows = await rig.store.sql.selectFrom('changes').selectAll().where('seq', '>', seq).orderBy('seq').execute();
  return rows.map(({ kind, node }) => [kind, node]);
};

/** The owner gave the key to Mina, Mina gave it on to Ole. */
async function makeChain(engine: Parameters<typeof makeShareRig>[0]) {
  const rig = await makeShareRig(engine);
  rig.sharing({ reshareDepth: 2 });
  await addAccount(rig, { role: 'admin' });
  const mina = await addAccount(rig, { email: 'mina@example.org' });
  const ole = await addAccount(rig, { email: 'ole@example.org' });
  const toMina = await rig.given('mina@example.org', { reshareDepth: 1, words: 'For the cat' });
  await rig.accept(toMina.id, mina);
  const toOle = await rig.given('ole@example.org', {}, mina);
  await rig.accept(toOle.id, ole);
  return { rig, mina, ole, toMina: toMina.id, toOle: toOle.id };
}

describeEngines('keys of an account', (engine) => {
  test('a blocked giver’s keys open nothing until the account is let back in, without a new acceptance', async () => {
    const { rig, mina, ole, toOle } = await makeChain(engine);
    const { context, owner } = rig;
    let seq = (await rig.store.readPosition()).seq;
    await adminDisable(context, operator, { accountId: mina.accountId });
    expect(await opens(rig, ole)).toBe(false);
    // what Ole holds names the share that Mina gave, and Mina's account not
    expect(await changesSince(rig, seq)).toEqual([
      ['revoke', mina.accountId],
      ['revoke', toOle],
    ]);
    seq = (await rig.store.readPosition()).seq;
    await adminEnable(context, operator, { accountId: mina.accountId });
    expect(await opens(rig, ole)).toBe(true);
    expect(await changesSince(rig, seq)).toEqual([
      ['touch', mina.accountId],
      ['touch', 'co_cam'],
    ]);
    seq = (await rig.store.readPosition()).seq;
    await adminDisable(context, operator, { accountId: owner.accountId });
    expect([await opens(rig, mina), await opens(rig, ole)]).toEqual([false, false]);
    expect(await changesSince(rig, seq)).toEqual([
      ['revoke', owner.accountId],
      ['revoke', rig.credentialId],
    ]);
    await adminEnable(context, operator, { accountId: owner.accountId });
    expect(await opens(rig, ole)).toBe(true);
    expect(await findShare(rig.store.sql, toOle)).toMatchObject({ state: 'accepted', ended_at: null });
  });

  test('whoever held a key is told how it ended, once it did, and by whom where that is the giver', async () => {
    const { rig, mina, ole, toMina, toOle } = await makeChain(engine);
    const { context, clock } = rig;
    const lost = async (actor: AccountActor) => {
      const asked = { account: actor.accountId, session: actor.sessionId, device: actor.deviceId };
      const answer = await answerAccess(context, { ...asked, host: 'media.localhost', path: '/cam/hillside/a' });
      return answer.kind === 'none' ? answer.lost : answer.kind;
    };
    const end = (actor: AccountActor, shareId: string, event: 'revoke' | 'disable' | 'enable') =>
      endShare(context, actor, { shareId, event, origin: atHome });
    const by = { label: 'Front door', at: clock.now };
    expect([await lost(ole), await lost(rig.owner)]).toEqual(['granted', 'granted']);
    await end(rig.owner, toMina, 'disable');
    expect(await lost(mina)).toEqual({ how: 'removed', by: 'owner', ...by });
    expect(await lost(ole)).toEqual({ how: 'stopped', by: 'Media', ...by });
    await end(rig.owner, toMina, 'enable');
    expect([await lost(ole), await lost(mina)]).toEqual(['granted', 'granted']);
    await end(rig.owner, toOle, 'revoke');
    expect(await lost(ole)).toEqual({ how: 'removed', by: 'Media', ...by });
    // a blocked giver is nobody's business
    await rig.store.write(({ sql }) => updateAccount(sql, rig.owner.accountId, { state: 'disabled' }));
    expect(await lost(mina)).toBeUndefined();
    await rig.store.write(({ sql }) => updateAccount(sql, rig.owner.accountId, { state: 'active' }));
    await rig.store.write(({ sql }) => changeShare(sql, toMina, { usable_until_at: clock.now + 5 }));
    clock.now += 5;
    expect(await lost(mina)).toEqual({ how: 'over', label: 'Front door', by: 'owner', at: clock.now });
  });

  test('a deleted account’s shares end, given and received ones, and what they hold of the person is gone', async () => {
    const { rig, mina, ole, toMina, toOle } = await makeChain(engine);
    const { sql } = rig.store;
    const offered = (await rig.given('new@example.org', { words: 'Hello' }, mina)).id;
    const other = await addAccount(rig, { email: 'other@example.org' });
    await rig.store.write(async (unit) => {
      await insertBlock(
        unit.sql,
        { mailboxDigest: digestOf('mina@example.org'), giverId: other.accountId },
        rig.clock.now,
      );
      await insertBlock(unit.sql, { mailboxDigest: digestOf('x@example.org'), giverId: mina.accountId }, rig.clock.now);
    });
    const seq = (await rig.store.readPosition()).seq;
    expect((await deleteAccount(rig.context, operator, { accountId: mina.accountId })).kind).toBe('deleted');
    expect((await changesSince(rig, seq)).filter(([, node]) => node?.startsWith('sh_'))).toEqual([
      ['revoke', toOle],
      ['revoke', toMina],
    ]);
    expect(await opens(rig, ole)).toBe(false);
    const rows = await sql.selectFrom('shares').selectAll().where('id', 'in', [toMina, toOle, offered]).execute();
    expect(new Map(rows.map((row) => [row.id, [row.state, row.email, row.words, row.secret_sealed]]))).toEqual(
      new Map([
        [toMina, ['declined', '', 'For the cat', null]],
        [toOle, ['revoked', 'ole@example.org', '', null]],
        [offered, ['withdrawn', 'new@example.org', '', null]],
      ]),
    );
    expect(await sql.selectFrom('share_blocks').selectAll().execute()).toEqual([]);
    const mails = await sql.selectFrom('outbox').select('subject').where('subject', '=', offered).execute();
    expect(mails).toEqual([]);
    const audit = await sql.selectFrom('audit').selectAll().where('actor', '=', 'operator').execute();
    expect(audit.map(({ action, subject }) => [action, subject])).toEqual(
      expect.arrayContaining([
        ['share.revoked', toOle],
        ['share.withdrawn', offered],
        ['share.left', toMina],
      ]),
    );
    const deleted = audit.find(({ action }) => action === 'account.deleted');
    expect(JSON.parse(deleted?.details ?? '{}')).toMatchObject({ credentials_withdrawn: 0, shares_ended: 3 });
    expect(JSON.stringify(await sql.selectFrom('shares').selectAll().execute())).not.toContain('mina@');
  });

  test('an export has keys and shares of both sides, and of an address what was typed alone', async () => {
    const { rig, mina, ole, toMina } = await makeChain(engine);
    await rig.given('known@example.org', {}, mina);
    const before = await exportAccount(rig.context, operator, { accountId: mina.accountId });
    const hidden = await exportAccount(rig.context, operator, { accountId: ole.accountId });
    if (before.kind !== 'exported' || hidden.kind !== 'exported') throw new Error('not exported');
    const { shares_given, shares_got, share_requests } = before.document;
    expect(shares_given).toHaveLength(2);
    expect(shares_got).toMatchObject([{ id: toMina, giver_id: rig.owner.accountId, words: 'For the cat' }]);
    expect(share_requests).toMatchObject([{ share_id: toMina }]);
    const text = JSON.stringify(before.document);
    expect(text).not.toContain(ole.accountId);
    for (const secret of ['digest', 'sealed', 'selector']) expect(text).not.toContain(secret);
    const owner = await exportAccount(rig.context, operator, { accountId: rig.owner.accountId });
    expect(owner).toMatchObject({ document: { credentials: [{ id: rig.credentialId }], keys: [{ id: rig.keyId }] } });
  });

  test('a deleted owner’s credentials are withdrawn, and everything below them ends', async () => {
    const { rig, mina, ole, toMina } = await makeChain(engine);
    const { owner, credentialId } = rig;
    const seq = (await rig.store.readPosition()).seq;
    await deleteAccount(rig.context, operator, { accountId: owner.accountId });
    expect([await opens(rig, mina), await opens(rig, ole)]).toEqual([false, false]);
    const nodes = (await changesSince(rig, seq)).map(([, node]) => node);
    expect(nodes).toContain(credentialId);
    expect(nodes).toContain(toMina);
    const credential = await rig.store.sql.selectFrom('credentials').selectAll().executeTakeFirstOrThrow();
    expect(credential).toMatchObject({ withdrawn_at: rig.clock.now, withdrawn_by: 'operator', picture: null });
  });
});
