// "Who can open this", on both engines: owners, people who came by links, accounts with keys, and holders of shares with their chain.

import { expect, test } from 'vitest';
import { addKey } from '../../../gateway/control/keys/add-key.ts';
import { listPeople } from '../../../gateway/control/keys/list-people.ts';
import { updateAccount } from '../../../gateway/store/rows/accounts.ts';
import { addAccount, claim, makeLink, operator } from '../../support/rigs/link-rig.ts';
import { atHome, makeShareRig } from '../../support/rigs/share-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

describeEngines('who can open a collection', (engine) => {
  test('everybody is listed once for each way, with the chain by which a key came, as long as it holds', async () => {
    const rig = await makeShareRig(engine);
    const { context, clock, owner } = rig;
    rig.sharing({ reshareDepth: 1 });
    const [cam] = context.config().collections;
    if (cam === undefined) throw new Error('no collection');
    const site = { ...cam, name: 'site', path: '/', owners: ['boss@example.org', 'owner@example.org'] };
    const door = { ...cam, name: 'door', path: '/cam/hillside/door/' };
    rig.configure({ collections: [cam, site, door] });
    const mina = await addAccount(rig, { email: 'mina@example.org' });
    const ole = await addAccount(rig, { email: 'ole@example.org' });
    const guest = await addAccount(rig, { email: 'guest@example.org' });
    clock.now += 1;
    await claim(rig, guest, await makeLink(rig, { collection: 'cam', label: 'For guests' }, operator));
    clock.now += 1;
    // something elsewhere, something that leads to a part, and something that leads to more
    await claim(rig, ole, await makeLink(rig, { collection: 'site', path: '/other/', label: 'Other' }, operator));
    await claim(
      rig,
      ole,
      await makeLink(rig, { collection: 'site', path: '/cam/hillside/a/', label: 'Part' }, operator),
    );
    clock.now += 1;
    const toMina = await rig.given('mina@example.org', { reshareDepth: 1, usableUntilAt: clock.now + 100 });
    await rig.accept(toMina.id, mina);
    clock.now += 1;
    const toOle = await rig.given('ole@example.org', { usesAllowed: 3 }, mina);
    await rig.accept(toOle.id, ole);
    await rig.given('nobody@example.org');

    const list = async (more: { collection?: string; after?: string; limit?: number } = {}) => {
      const listed = await listPeople(context, operator, { collection: 'cam', ...more });
      if (listed.kind === 'refused') throw new Error(listed.reason);
      return listed;
    };
    const { owners, people, next } = await list();
    expect(next).toBeNull();
    expect(owners).toEqual([
      { email: 'boss@example.org', accountId: null, collection: 'site' },
      { email: 'owner@example.org', accountId: owner.accountId, collection: 'site' },
    ]);
    const chain = [
      { shareId: toMina.id, giverId: owner.accountId, giverEmail: 'owner@example.org' },
      { shareId: toOle.id, giverId: mina.accountId, giverEmail: 'mina@example.org' },
    ];
    expect(people).toMatchObject([
      { id: toOle.id, kind: 'share', email: 'ole@example.org', label: 'Front door', usesLeft: 3, chain },
      { id: toMina.id, kind: 'share', email: 'mina@example.org', untilAt: toMina.usableUntilAt, chain: [chain[0]] },
      { kind: 'link', email: 'ole@example.org', label: 'Part', collection: 'site', chain: [] },
      { kind: 'link', email: 'guest@example.org', label: 'For guests' },
      { id: rig.keyId, kind: 'own-key', email: 'owner@example.org', label: 'Front door', untilAt: null },
    ]);
    // the page of a collection inside has what opens all of it
    const inside = { credentialId: rig.credentialId, name: 'Bell', collection: 'door', origin: atHome };
    await addKey(context, operator, inside);
    expect((await list({ collection: 'door' })).people.map(({ label, kind }) => [label, kind]).sort()).toEqual([
      ['Bell', 'own-key'],
      ['For guests', 'link'],
      ['Front door', 'own-key'],
      ['Front door', 'share'],
      ['Front door', 'share'],
    ]);
    // and what opens a collection inside is a part of the one around
    const withBell = (await list()).people.map(({ id }) => id);
    expect(withBell).toHaveLength(people.length + 1);
    const pages: string[] = [];
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page = await list({ limit: 2, ...(after === '' ? {} : { after }) });
      expect(page.owners).toHaveLength(after === '' ? 2 : 0);
      pages.push(...page.people.map(({ id }) => id));
      after = page.next ?? undefined;
    }
    expect(pages).toEqual(withBell);

    await rig.store.write(({ sql }) => updateAccount(sql, mina.accountId, { state: 'disabled' }));
    expect((await list()).people.map(({ label }) => label)).toEqual(['Bell', 'Part', 'For guests', 'Front door']);
    await rig.store.write(({ sql }) => updateAccount(sql, mina.accountId, { state: 'active' }));
    clock.now += 100;
    expect((await list()).people.map(({ kind }) => kind)).toEqual(['own-key', 'link', 'link', 'own-key']);
    expect(await listPeople(context, owner, { collection: 'cam' })).toMatchObject({ reason: 'not-allowed' });
    expect(await listPeople(context, operator, { collection: 'no' })).toMatchObject({ reason: 'unknown' });
  });
});
