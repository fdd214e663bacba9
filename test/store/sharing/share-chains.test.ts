// Whether a key is held, on both engines: own keys, chains of shares, and everything that breaks one of them.

import { expect, test } from 'vitest';
import { insertAccount, updateAccount } from '../../../gateway/store/rows/accounts.ts';
import {
  findCredentialKey,
  insertCredential,
  insertCredentialKey,
} from '../../../gateway/store/sharing/credentials.ts';
import {
  findHeldKeys,
  findHeldShare,
  findOpeningKeys,
  readChain,
} from '../../../gateway/store/sharing/share-chains.ts';
import {
  findRequest,
  nextRequestEnd,
  noteRequestTried,
  openRequest,
  tryDigits,
} from '../../../gateway/store/sharing/share-requests.ts';
import {
  acceptShare,
  changeShare,
  findShare,
  insertShare,
  moveShare,
  noteMailHandedOver,
  type ShareRow,
  spendUse,
} from '../../../gateway/store/sharing/shares.ts';
import { describeEngines, makeClock, openEmpty } from '../../support/store/stores.ts';

const now = makeClock().now;
const place = { host: 'media.localhost', scopes: ['/cam/hillside/'], collections: ['cam'], now };

describeEngines('chains of shares', (engine) => {
  async function makeChain() {
    const { store } = await openEmpty(engine);
    const { sql } = store;
    const inUnit = <T>(work: (sql: typeof store.sql) => Promise<T>) => store.write((unit) => work(unit.sql));
    await inUnit(async (writer) => {
      for (const name of ['ac_a', 'ac_b', 'ac_c']) {
        await insertAccount(writer, {
          id: name,
          email: `${name}@example.org`,
          emailVerifiedAt: 1,
          passwordHash: null,
          displayName: '',
          groups: [],
          role: 'user',
          state: 'active',
          createdAt: 1,
        });
      }
      await insertCredential(writer, {
        ...{ id: 'cd_1', account_id: 'ac_a', name: 'Hillside staff card', issuer: 'Hillside', picture: null },
        ...{ valid_from_at: null, valid_until_at: null, created_at: 1, created_by: 'operator' },
        ...{ withdrawn_at: null, withdrawn_by: null },
      });
      await insertCredentialKey(writer, {
        ...{ id: 'dk_1', credential_id: 'cd_1', name: 'door', collection: 'cam', host: place.host },
        ...{ path: '/cam/hillside/', methods: null, needs_second_factor: 0, created_at: 1, created_by: 'operator' },
        ...{ removed_at: null, removed_by: null },
      });
      await insertShare(writer, share('sh_b', 'ac_a', 'ac_b', {}));
      await insertShare(writer, share('sh_c', 'ac_b', 'ac_c', { parent_id: 'sh_b', depth: 1 }));
    });
    return { sql, inUnit };
  }

  test('a chain holds, and each of its parts breaks it', async () => {
    const { sql, inUnit } = await makeChain();
    const opens = async (accountId: string, at = now) =>
      (await findOpeningKeys(sql, { ...place, accountId, now: at })).map(({ shareId }) => shareId);
    expect(await opens('ac_a')).toEqual([null]);
    expect(await opens('ac_b')).toEqual(['sh_b']);
    expect(await opens('ac_c')).toEqual(['sh_c']);
    expect(await findHeldShare(sql, 'sh_c', now)).toMatchObject({
      ...{ keyId: 'dk_1', credentialId: 'cd_1', chain: ['sh_c', 'sh_b'], untilAt: null, depth: 1 },
    });
    expect(await readChain(sql, 'sh_c')).toMatchObject([
      { id: 'sh_c', giverId: 'ac_b' },
      { id: 'sh_b', giverId: 'ac_a' },
    ]);

    await inUnit((writer) => updateAccount(writer, 'ac_a', { state: 'disabled' }));
    expect([await opens('ac_b'), await opens('ac_c')]).toEqual([[], []]);
    await inUnit((writer) => updateAccount(writer, 'ac_a', { state: 'active' }));
    await inUnit((writer) => updateAccount(writer, 'ac_b', { state: 'disabled' }));
    expect(await opens('ac_c')).toEqual([]);
    await inUnit((writer) => updateAccount(writer, 'ac_b', { state: 'active' }));

    await inUnit((writer) => moveShare(writer, 'sh_b', 'disable', 'ac_a', now));
    expect([await opens('ac_b'), await opens('ac_c')]).toEqual([[], []]);
    await inUnit((writer) => moveShare(writer, 'sh_b', 'enable', 'ac_a', now));
    expect([await opens('ac_b'), await opens('ac_c')]).toEqual([['sh_b'], ['sh_c']]);

    await inUnit((writer) => changeShare(writer, 'sh_b', { usable_from_at: now - 10, usable_until_at: now + 10 }));
    expect([await opens('ac_c', now - 11), await opens('ac_c', now + 10)]).toEqual([[], []]);
    expect((await findHeldKeys(sql, 'ac_c', 'dk_1', now))[0]).toMatchObject({ untilAt: now + 10 });

    await inUnit((writer) => changeShare(writer, 'sh_c', { uses_allowed: 1, uses_left: 1 }));
    expect(await opens('ac_c')).toEqual([]);
    expect(await findHeldKeys(sql, 'ac_c', 'dk_1', now)).toHaveLength(1);
    const spent = await Promise.all(Array.from({ length: 20 }, () => inUnit((writer) => spendUse(writer, 'sh_c'))));
    expect(spent.filter(({ value }) => value === 0)).toHaveLength(1);
    expect(spent.filter(({ value }) => value === -1)).toHaveLength(19);

    await inUnit((writer) => moveShare(writer, 'sh_b', 'revoke', 'ac_a', now));
    expect(await findHeldShare(sql, 'sh_c', now)).toBeNull();
    expect((await inUnit((writer) => moveShare(writer, 'sh_b', 'enable', 'ac_a', now))).value).toBe(false);
  });

  test('accepting takes an open request of this share and browser, the mail, the address, and the chain above', async () => {
    const { sql, inUnit } = await makeChain();
    const pending = { state: 'pending', first_mail_at: null, accepted_at: null } as const;
    await inUnit((writer) =>
      insertShare(writer, share('sh_p', 'ac_b', 'ac_c', { ...pending, parent_id: 'sh_b', depth: 1 })),
    );
    const request = { selector: 's1', digest: 'd1', shareId: 'sh_p', expiresAt: now + 900, digits: null };
    const open = async (selector: string) =>
      (await inUnit((writer) => openRequest(writer, { ...request, selector }, now))).value;
    const accept = async (change: Partial<Parameters<typeof acceptShare>[1]> = {}) => {
      const attempt = { shareId: 'sh_p', accountId: 'ac_c', request: { selector: 's1', digest: 'd1' }, now, ...change };
      return (await inUnit((writer) => acceptShare(writer, attempt))).value;
    };
    expect(await open('s1')).toBe(false);
    await inUnit((writer) => noteMailHandedOver(writer, 'sh_p', now));
    expect(await Promise.all(['s1', 's2', 's3', 's4', 's5', 's6'].map(open))).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
    // who does nothing for a minute keeps the request and gives its place away; who tried to authenticate keeps both
    expect(await nextRequestEnd(sql, 'sh_p', now)).toBe(now + 60);
    await inUnit((writer) => noteRequestTried(writer, { selector: 's1', digest: 'd1' }, now));
    const later = await inUnit((writer) =>
      Promise.all(
        ['s6', 's7', 's8', 's9', 's10'].map((selector) =>
          openRequest(writer, { ...request, selector, expiresAt: now + 960 }, now + 60),
        ),
      ),
    );
    expect(later.value).toEqual([true, true, true, true, false]);
    expect(await findRequest(sql, { selector: 's5', digest: 'd1' }, now + 899)).toMatchObject({ isUsed: false });

    // wrong digits take a try each, also all at once; right ones take none
    const byDigits = { ...request, selector: 'digits', digits: { digest: 'right', tries: 2 } };
    await inUnit((writer) => openRequest(writer, byDigits, now + 200));
    const tryAll = (digits: string, count: number) =>
      Promise.all(
        Array.from({ length: count }, () => inUnit((writer) => tryDigits(writer, byDigits, digits, now + 200))),
      ).then((tried) => tried.map(({ value }) => value));
    expect(await tryAll('right', 3)).toEqual(Array(3).fill({ isRight: true, triesLeft: 2 }));
    expect((await tryAll('wrong', 4)).filter((tried) => tried !== null)).toHaveLength(2);
    expect(await tryAll('right', 1)).toEqual([null]);
    expect(await findRequest(sql, { selector: 's1', digest: 'd1' }, now)).toMatchObject({
      isUsed: false,
      triesLeft: null,
    });

    expect(await accept({ request: { selector: 's1', digest: 'd2' } })).toBe(false);
    expect(await accept({ shareId: 'sh_b' })).toBe(false);
    expect(await accept({ accountId: 'ac_b' })).toBe(false);
    expect(await accept({ now: now + 900 })).toBe(false);
    await inUnit((writer) => moveShare(writer, 'sh_b', 'disable', 'ac_a', now));
    expect(await accept()).toBe(false);
    await inUnit((writer) => moveShare(writer, 'sh_b', 'enable', 'ac_a', now));
    await inUnit((writer) => updateAccount(writer, 'ac_b', { state: 'disabled' }));
    expect(await accept()).toBe(false);
    await inUnit((writer) => updateAccount(writer, 'ac_b', { state: 'active' }));
    const all = await Promise.all(Array.from({ length: 64 }, () => accept()));
    expect(all.filter((isAccepted) => isAccepted)).toHaveLength(1);
    expect(await findShare(sql, 'sh_p')).toMatchObject({ state: 'accepted', account_id: 'ac_c', accepted_at: now });
    expect(await findCredentialKey(sql, 'dk_1')).toMatchObject({ name: 'door' });
  });
});

function share(id: string, giver: string, recipient: string, change: Partial<ShareRow>): ShareRow {
  return {
    ...{ id, key_id: 'dk_1', parent_id: null, depth: 0, giver_id: giver, account_id: recipient },
    ...{ email: `${recipient}@example.org`, state: 'accepted', words: '', secret_digest: id, secret_sealed: null },
    ...{ usable_from_at: null, usable_until_at: null, uses_allowed: null, uses_left: null, reshare_depth: 1 },
    ...{ first_mail_at: 1, mail_failed_at: null, last_mail_at: 1, reminded_at: null, expires_at: now + 3600 },
    ...{ created_at: 1, accepted_at: 1, ended_at: null, ended_by: null, last_used_at: null, creation_digest: null },
    ...change,
  };
}
