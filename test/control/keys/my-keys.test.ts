// What a person sees of their own keys and credentials, on both engines: what they have, what they received, and nothing that is pending.

import { expect, test } from 'vitest';
import { listAccess } from '../../../gateway/control/access/list-access.ts';
import { addKey } from '../../../gateway/control/keys/add-key.ts';
import { listMyCredentials, listMyKeys } from '../../../gateway/control/keys/list-my-keys.ts';
import { removeKey } from '../../../gateway/control/keys/remove-key.ts';
import { updateAccount } from '../../../gateway/store/rows/accounts.ts';
import { moveShare, spendUse } from '../../../gateway/store/sharing/shares.ts';
import { addAccount, operator } from '../../support/rigs/link-rig.ts';
import { atHome, makeShareRig } from '../../support/rigs/share-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

describeEngines('one’s own keys', (engine) => {
  test('own and accepted keys are listed with whether they open, pending ones and credentials of strangers are not', async () => {
    const rig = await makeShareRig(engine);
    const { context, clock, owner, keyId, credentialId } = rig;
    rig.sharing({ reshareDepth: 2 });
    const mina = await addAccount(rig, { email: 'mina@example.org' });
    const ole = await addAccount(rig, { email: 'ole@example.org' });
    const keys = async (actor: typeof mina) => (await listMyKeys(context, actor)).keys;
    const states = async (actor: typeof mina) => (await keys(actor)).map(({ state }) => state);
    expect(await keys(owner)).toMatchObject([
      { id: keyId, state: 'open', shareId: null, givenBy: null, mostDepth: 2, cleanUrl: expect.any(String) },
    ]);
    const share = await rig.given('mina@example.org', { reshareDepth: 1, usableUntilAt: clock.now + 1000 });
    expect([await keys(mina), await listMyCredentials(context, mina)]).toEqual([[], []]);
    await rig.accept(share.id, mina);
    expect(await keys(mina)).toMatchObject([
      {
        ...{
          id: keyId,
          name: 'Front door',
          state: 'open',
          shareId: share.id,
          givenBy: 'owner',
          untilAt: 1_800_001_000,
        },
        ...{ credential: { name: 'Staff card', issuer: 'Hillside', picture: null }, mostDepth: 0, lastUsedAt: null },
      },
    ]);
    expect(await listMyCredentials(context, mina)).toEqual([
      {
        ...{ id: null, name: 'Staff card', issuer: 'Hillside', picture: null, validFromAt: null, validUntilAt: null },
        givenBy: 'owner',
      },
    ]);
    expect(await listMyCredentials(context, owner)).toMatchObject([{ id: credentialId, givenBy: null }]);
    expect(await listAccess(context, mina)).toMatchObject([
      { kind: 'key', grant: share.id, label: 'Front door', givenBy: 'owner', untilAt: 1_800_001_000 },
    ]);

    // given on with a number of uses: it opens by representations alone, and may not be given on again
    const below = await rig.given('ole@example.org', { usesAllowed: 1 }, mina);
    await rig.accept(below.id, ole);
    expect(await keys(ole)).toMatchObject([{ state: 'open', usesLeft: 1, mostDepth: null, untilAt: 1_800_001_000 }]);
    expect(await listAccess(context, ole)).toEqual([]);
    await rig.store.write(({ sql }) => spendUse(sql, below.id));
    expect(await states(ole)).toEqual(['used-up']);
    await rig.store.write(({ sql }) => updateAccount(sql, mina.accountId, { state: 'disabled' }));
    expect(await states(ole)).toEqual(['stopped']);
    expect(await keys(mina)).toEqual([]);
    await rig.store.write(({ sql }) => updateAccount(sql, mina.accountId, { state: 'active' }));

    const early = await rig.given('ole@example.org', { usableFromAt: clock.now + 100 });
    await rig.accept(early.id, ole);
    clock.now += 1;
    const more = { credentialId, name: 'Cellar', collection: 'cam', path: 'cellar/', origin: atHome };
    const cellar = await addKey(context, operator, more);
    if (cellar.kind !== 'added') throw new Error(cellar.reason);
    const third = await rig.given('ole@example.org', { keyId: cellar.key.id });
    await rig.accept(third.id, ole);
    expect((await keys(ole)).map(({ name, state }) => [name, state])[0]).toEqual(['Cellar', 'open']);
    expect((await states(ole)).sort()).toEqual(['early', 'open', 'used-up']);
    const first = await listMyKeys(context, ole, { limit: 2 });
    expect(first.keys).toHaveLength(2);
    const second = await listMyKeys(context, ole, { limit: 2, after: first.next ?? '' });
    expect(second).toMatchObject({ keys: [{}], next: null });
    expect(new Set([...first.keys, ...second.keys].map(({ shareId }) => shareId)).size).toBe(3);
    // one entry for each giver
    expect((await listMyCredentials(context, ole)).map(({ givenBy }) => givenBy)).toEqual(['owner', 'mina']);

    await removeKey(context, operator, cellar.key.id, atHome);
    await rig.store.write(({ sql, now }) => moveShare(sql, early.id, 'revoke', owner.accountId, now));
    expect(await states(ole)).toEqual(['used-up']);
    clock.now += 1000;
    expect(await keys(ole)).toEqual([]);
  });
});
