// Lists of shares as their parties see them: who sees which, how each state is found, and that no view tells of a registration.

import { expect, test } from 'vitest';
import { listShares, listSharesBelow, readShare } from '../../../gateway/control/sharing/list-shares.ts';
import { shareStandings } from '../../../gateway/core/model/share.ts';
import { openRequest } from '../../../gateway/store/sharing/share-requests.ts';
import { moveShare, noteMailFailed, noteMailHandedOver } from '../../../gateway/store/sharing/shares.ts';
import { type AccountActor, addAccount, operator } from '../../support/rigs/link-rig.ts';
import { makeShareRig, type ShareRig } from '../../support/rigs/share-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

const listed = async (rig: ShareRig, actor: AccountActor, listing: Parameters<typeof listShares>[2]) =>
  (await listShares(rig.context, actor, listing)).shares.map(({ email, state }) => `${email?.split('@')[0]} ${state}`);

describeEngines('lists of shares', (engine) => {
  test('each standing is found by its name, and all of them together make the list', async () => {
    const rig = await makeShareRig(engine);
    const { now } = rig.clock;
    const write = (work: (sql: typeof rig.store.sql) => Promise<unknown>) => rig.store.write(({ sql }) => work(sql));
    const accepted = async (name: string, changes = {}) => {
      const { id } = await rig.given(`${name}@example.org`, changes);
      await rig.accept(id, await addAccount(rig, { email: `${name}@example.org` }));
      return id;
    };
    await rig.given('a@example.org');
    const asked = await rig.given('b@example.org');
    await write(async (sql) => {
      await noteMailHandedOver(sql, asked.id, now);
      await openRequest(
        sql,
        { selector: 's', digest: 'd', shareId: asked.id, expiresAt: now + 900, digits: null },
        now,
      );
    });
    await accepted('c');
    await accepted('d', { usableFromAt: now + 5000 });
    await accepted('e', { usableUntilAt: now + 10 });
    await rig.given('f@example.org', { usableUntilAt: now + 10 });
    for (const [name, event] of [
      ['g', 'disable'],
      ['h', 'revoke'],
      ['i', 'leave'],
    ] as const) {
      const id = await accepted(name);
      await write((sql) => moveShare(sql, id, event, 'x', now));
    }
    const withdrawn = await rig.given('j@example.org');
    await write((sql) => moveShare(sql, withdrawn.id, 'withdraw', 'x', now));
    rig.clock.now += 20;
    const all = await listed(rig, rig.owner, { direction: 'given' });
    expect(all.toSorted()).toEqual([
      ...['a pending', 'b requested', 'c accepted', 'd early', 'e expired', 'f expired', 'g disabled', 'h revoked'],
      ...['i declined', 'j withdrawn'],
    ]);
    const found: string[] = [];
    for (const state of shareStandings) {
      const some = await listed(rig, rig.owner, { direction: 'given', state });
      expect(some.filter((line) => !line.endsWith(` ${state}`))).toEqual([]);
      found.push(...some);
    }
    expect(found.toSorted()).toEqual(all.toSorted());
    expect(await listed(rig, rig.owner, { direction: 'given', search: 'C@EXAMPLE' })).toEqual(['c accepted']);
    expect(await listed(rig, rig.owner, { direction: 'given', search: 'front' })).toHaveLength(10);
    expect(await listed(rig, rig.owner, { direction: 'given', search: '%' })).toEqual([]);

    const pages: string[] = [];
    for (let after: string | undefined; ; ) {
      const { shares, next } = await listShares(rig.context, rig.owner, {
        ...{ direction: 'given', limit: 3, after },
      });
      pages.push(...shares.map(({ email, state }) => `${email?.split('@')[0]} ${state}`));
      if (next === null) break;
      after = next;
    }
    expect(pages).toEqual(all);
  });

  test('a recipient sees a share once its message was handed over, in the same words whoever gave it', async () => {
    const rig = await makeShareRig(engine);
    const mina = await addAccount(rig, { email: 'mina@example.org' });
    const { id } = await rig.given('mina@example.org', { words: 'for the cat' });
    expect(await listed(rig, mina, { direction: 'got' })).toEqual([]);
    expect(await readShare(rig.context, mina, id)).toBeNull();
    await rig.store.write(({ sql, now }) => noteMailHandedOver(sql, id, now));
    expect(await listed(rig, mina, { direction: 'got' })).toEqual(['mina pending']);
    expect(await readShare(rig.context, mina, id)).toMatchObject({ words: 'for the cat', reader: 'recipient' });
    // an account that only names the address sees nothing of it
    const stranger = await addAccount(rig, { email: 'eve@example.org' });
    expect(await readShare(rig.context, stranger, id)).toBeNull();
    await rig.accept(id, mina);
    expect(await listed(rig, mina, { direction: 'got' })).toEqual(['mina accepted']);
    // what one gave and what one got in one list, each as one reads it
    expect(await listed(rig, mina, {})).toEqual(['mina accepted']);
    const { shares } = await listShares(rig.context, rig.owner, {});
    expect(shares.map(({ reader, words }) => [reader, words])).toEqual([['giver', 'for the cat']]);
    await rig.store.write(({ sql, now }) => moveShare(sql, id, 'revoke', rig.owner.accountId, now));
    expect(await listed(rig, mina, { direction: 'got' })).toEqual(['mina revoked']);
    expect(await listed(rig, mina, { direction: 'given' })).toEqual([]);
  });
});

test('whoever stands above sees the address and not the words; nobody sees more of an account than was typed', async () => {
  const rig = await makeShareRig('sqlite');
  rig.sharing({ reshareDepth: 2 });
  const mina = await addAccount(rig, { email: 'mina@example.org' });
  const joe = await addAccount(rig, { email: 'joe@example.org' });
  const first = await rig.given('mina@example.org', { reshareDepth: 2 });
  await rig.accept(first.id, mina);
  const second = await rig.given('joe@example.org', { reshareDepth: 1, words: 'between us' }, mina);
  await rig.accept(second.id, joe);
  const third = await rig.given('zoe@example.org', {}, joe);
  for (const [actor, reader, words] of [
    [mina, 'giver', 'between us'],
    [joe, 'recipient', 'between us'],
    [rig.owner, 'above', null],
    [operator, 'admin', null],
    [await addAccount(rig, { role: 'admin' }), 'admin', null],
  ] as const) {
    expect(await readShare(rig.context, actor, second.id)).toMatchObject({ email: 'joe@example.org', reader, words });
  }
  expect(await readShare(rig.context, mina, third.id)).toMatchObject({ reader: 'above', givenBy: 'joe' });
  expect(await readShare(rig.context, joe, first.id)).toBeNull();
  const below = async (actor: AccountActor, id: string) =>
    (await listSharesBelow(rig.context, actor, id))?.shares.map((share) => share.id);
  expect(await below(rig.owner, first.id)).toEqual([second.id]);
  expect(await below(mina, second.id)).toEqual([third.id]);
  expect(await below(joe, second.id)).toEqual([third.id]);
  expect(await below(joe, first.id)).toBeUndefined();
  // a message that failed is told to those who may send it again
  await rig.store.write(({ sql, now }) => noteMailFailed(sql, third.id, now));
  expect(await readShare(rig.context, joe, third.id)).toMatchObject({ mail: 'failed' });

  // registered or not, pending or accepted: a view of a giver differs by nothing else
  const known = await rig.given('known@example.org');
  await addAccount(rig, { email: 'other@example.org' });
  const other = await rig.given('other@example.org');
  const blank = { id: '', email: '' };
  expect({ ...known, ...blank }).toEqual({ ...other, ...blank });
  expect(Object.keys(other)).not.toContain('accountId');
});
