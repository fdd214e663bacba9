// Credentials and their keys, on both engines: who issues them, what is checked, what their ends end.

import { expect, test } from 'vitest';
import { answerAccess } from '../../../gateway/control/access/answer-access.ts';
import { addKey } from '../../../gateway/control/keys/add-key.ts';
import { isPicture } from '../../../gateway/control/keys/credential-input.ts';
import { issueCredential } from '../../../gateway/control/keys/issue-credential.ts';
import { listCredentials, readCredential } from '../../../gateway/control/keys/list-credentials.ts';
import { removeKey } from '../../../gateway/control/keys/remove-key.ts';
import { withdrawCredential } from '../../../gateway/control/keys/withdraw-credential.ts';
import { updateAccount } from '../../../gateway/store/rows/accounts.ts';
import { addAccount, makeLinkRig, operator } from '../../support/rigs/link-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

const origin = { requestId: 'request-1', clientAddress: '192.0.2.77' };
const card = { name: ' Hillside staff card ', issuer: 'Hillside', origin };
const png = `data:image/png;base64,${Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]).toString('base64')}`;

describeEngines('credentials', (engine) => {
  test('an administrator issues one and hangs keys on it; its account opens by them until each ends', async () => {
    const rig = await makeLinkRig(engine);
    const { context, store } = rig;
    const anna = await addAccount(rig, { email: 'anna@example.org' });
    const admin = await addAccount(rig, { role: 'admin' });
    const issued = await issueCredential(context, admin, { ...card, account: 'Anna@Example.org', picture: png });
    if (issued.kind !== 'issued') throw new Error(issued.reason);
    const { id } = issued.credential;
    expect(issued.credential).toMatchObject({
      ...{ id: expect.stringMatching(/^cd_/), name: 'Hillside staff card', state: 'in-force', keys: 0, picture: png },
      ...{ accountId: anna.accountId, email: 'anna@example.org' },
    });
    const question = {
      ...{ account: anna.accountId, session: anna.sessionId, device: anna.deviceId },
      ...{ host: 'media.localhost', path: '/vod/summer/film/a.ts' },
    };
    const ask = async () => (await answerAccess(context, question)).kind;
    expect(await ask()).toBe('none');
    const before = (await store.readPosition()).seq;
    const film = { credentialId: id, name: 'film', collection: 'summer', path: 'film/', methods: ['GET'], origin };
    const added = await addKey(context, operator, film);
    if (added.kind !== 'added') throw new Error(added.reason);
    expect(added.key).toMatchObject({ path: '/vod/summer/film/', host: 'media.localhost', methods: ['GET'] });
    const answer = await answerAccess(context, question);
    expect(answer).toMatchObject({ grant: added.key.id, scope: { path: '/vod/summer/film/', methods: ['GET'] } });
    expect(answer.kind === 'granted' && answer.nodes).toEqual([anna.accountId, id, added.key.id, 'co_summer']);
    // what an edge remembers of the account is forgotten when a key is added
    expect(await changesAfter(before)).toEqual([['touch', anna.accountId]]);

    rig.clock.now += 1;
    const all = await addKey(context, operator, { credentialId: id, name: 'all', collection: 'summer', origin });
    expect(all).toMatchObject({ kind: 'added', key: { path: '/vod/summer/' } });
    expect(await removeKey(context, admin, added.key.id, origin)).toEqual({ kind: 'ended', wasLive: true });
    expect(await removeKey(context, admin, added.key.id, origin)).toEqual({ kind: 'ended', wasLive: false });
    expect(await ask()).toBe('granted');
    const found = await readCredential(context, admin, id);
    expect(found).toMatchObject({ credential: { keys: 1 }, keys: [{ removedAt: rig.clock.now }, { removedAt: null }] });
    expect(await withdrawCredential(context, admin, id, origin)).toEqual({ kind: 'ended', wasLive: true });
    expect(await ask()).toBe('none');
    expect((await changesAfter(before)).slice(-2)).toEqual([
      ['revoke', added.key.id],
      ['revoke', id],
    ]);
    expect(await addKey(context, admin, film)).toEqual({ kind: 'refused', reason: 'withdrawn' });

    const audit = await store.sql
      .selectFrom('audit')
      .selectAll()
      .where('subject', 'in', [id, added.key.id])
      .orderBy('position')
      .execute();
    expect(audit.map(({ action }) => action)).toEqual([
      'credential.issued',
      'credential-key.added',
      'credential-key.removed',
      'credential.withdrawn',
    ]);
    expect(audit.map(({ details }) => JSON.parse(details).network)).toEqual(Array(4).fill('192.0.2.0/24'));
    expect(JSON.stringify(audit)).not.toContain('example.org');

    async function changesAfter(seq: number): Promise<string[][]> {
      const rows = await store.sql.selectFrom('changes').selectAll().where('seq', '>', seq).orderBy('seq').execute();
      return rows.map(({ kind, node }) => [kind, node]);
    }
  });

  test('what is wrong is refused, and writes nothing', async () => {
    const rig = await makeLinkRig(engine);
    const { context, clock } = rig;
    const anna = await addAccount(rig, { email: 'anna@example.org' });
    await addAccount(rig, { email: 'new@example.org', isVerified: false });
    const off = await addAccount(rig, { state: 'disabled' });
    const issue = async (more: Partial<Parameters<typeof issueCredential>[2]>, actor = operator) => {
      const outcome = await issueCredential(context, actor, { ...card, account: anna.accountId, ...more });
      return outcome.kind === 'refused' ? outcome.reason : outcome.kind;
    };
    expect(await issue({}, anna)).toBe('not-allowed');
    expect(await issue({ account: 'nobody@example.org' })).toBe('unknown');
    expect(await issue({ account: 'new@example.org' })).toBe('unverified');
    expect(await issue({ account: off.accountId })).toBe('disabled');
    expect(await issue({ name: 'two\nlines' })).toBe('bad-label');
    expect(await issue({ issuer: '' })).toBe('bad-issuer');
    expect(await issue({ picture: 'data:image/svg+xml;base64,PHN2Zz4=' })).toBe('bad-picture');
    expect(await issue({ validUntilAt: clock.now })).toBe('bad-window');
    expect(await issue({ validFromAt: clock.now + 20, validUntilAt: clock.now + 10 })).toBe('bad-window');
    expect(await rig.store.sql.selectFrom('credentials').select('id').execute()).toEqual([]);

    const later = await issueCredential(context, operator, {
      ...{ ...card, account: anna.accountId, validFromAt: clock.now + 10, validUntilAt: clock.now + 20 },
    });
    if (later.kind !== 'issued') throw new Error(later.reason);
    const add = async (more: Partial<Parameters<typeof addKey>[2]>, actor = operator) => {
      const key = { credentialId: later.credential.id, name: 'door', collection: 'summer', origin, ...more };
      const outcome = await addKey(context, actor, key);
      return outcome.kind === 'refused' ? outcome.reason : outcome.kind;
    };
    expect(await add({}, anna)).toBe('not-allowed');
    expect(await add({ credentialId: `${later.credential.id.slice(0, -1)}_` })).toBe('unknown');
    expect(await add({ collection: 'winter' })).toBe('no-collection');
    expect(await add({ name: ' ' })).toBe('bad-label');
    expect(await add({ path: '/vod/winter/' })).toBe('bad-path');
    expect(await add({ path: '/vod/summer/../winter/' })).toBe('bad-path');
    expect(await add({ methods: ['POST'] })).toBe('bad-methods');
    expect((await listCredentials(context, anna)).kind).toBe('refused');
    expect(await withdrawCredential(context, anna, later.credential.id, origin)).toMatchObject({ kind: 'refused' });
    const states: string[] = [];
    for (const at of [0, 10, 20]) {
      clock.now += at === 0 ? 0 : 10;
      const listed = await listCredentials(context, operator, {});
      if (listed.kind === 'listed') states.push(...listed.credentials.map(({ state }) => state));
    }
    expect(states).toEqual(['early', 'in-force', 'over']);
  });

  test('the list is searched and paged', async () => {
    const rig = await makeLinkRig(engine);
    const anna = await addAccount(rig, { email: 'anna@example.org' });
    const ben = await addAccount(rig, { email: 'ben@example.org' });
    const rows = [
      [anna, 'Staff card', 'Hillside'],
      [ben, 'Library card', 'Town'],
      [anna, '100%', 'Hillside'],
    ] as const;
    for (const [who, name, issuer] of rows) {
      await issueCredential(rig.context, operator, { account: who.accountId, name, issuer, origin });
      rig.clock.now += 1;
    }
    const names = async (listing: Parameters<typeof listCredentials>[2]) => {
      const listed = await listCredentials(rig.context, operator, listing);
      if (listed.kind === 'refused') throw new Error(listed.reason);
      return { names: listed.credentials.map(({ name }) => name), next: listed.next };
    };
    expect((await names({})).names).toEqual(['100%', 'Library card', 'Staff card']);
    expect((await names({ search: 'HILL' })).names).toEqual(['100%', 'Staff card']);
    expect((await names({ search: 'ben@' })).names).toEqual(['Library card']);
    expect((await names({ search: '0%' })).names).toEqual(['100%']);
    expect((await names({ accountId: anna.accountId })).names).toEqual(['100%', 'Staff card']);
    const first = await names({ limit: 2 });
    expect(first.names).toHaveLength(2);
    expect(await names({ limit: 2, after: first.next ?? '' })).toEqual({ names: ['Staff card'], next: null });
    await rig.store.write(({ sql }) => updateAccount(sql, ben.accountId, { email: '', state: 'deleted' }));
    const listed = await listCredentials(rig.context, operator, { search: 'town' });
    expect(listed).toMatchObject({ credentials: [{ email: null }] });
  });
});

test('a picture is what it says, in one form, and not too large', () => {
  expect(isPicture(png)).toBe(true);
  expect(isPicture(png.replace('png', 'jpeg'))).toBe(false);
  expect(isPicture(png.replace('png', 'svg'))).toBe(false);
  expect(isPicture(png.replace(/=*$/, ''))).toBe(isPicture(png) && !png.endsWith('='));
  expect(isPicture('data:image/png;base64,')).toBe(false);
  const large = Buffer.alloc(64 * 1024 + 1);
  Buffer.from(png.split(',')[1] ?? '', 'base64').copy(large);
  expect(isPicture(`data:image/png;base64,${large.toString('base64')}`)).toBe(false);
  expect(isPicture(`data:image/png;base64,${large.subarray(0, -1).toString('base64')}`)).toBe(true);
  expect(isPicture('data:image/webp;base64,UklGRgAAAABXRUJQ')).toBe(true);
  expect(isPicture('data:image/jpeg;base64,/9j/AAAA')).toBe(true);
});
