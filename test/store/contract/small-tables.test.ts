// Keys, one-time codes, audit, and the rules that the tables keep by themselves, on both engines.

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Store, Unit } from '../../../gateway/store/port/store.ts';
import {
  appendAudit,
  lastAuditPosition,
  listAudit,
  listAuditForward,
  pruneAudit,
} from '../../../gateway/store/rows/audit.ts';
import { endCodes, insertCode, pruneCodes, spendCode } from '../../../gateway/store/rows/one-time-codes.ts';
import { insertSigningKey, listSigningKeys, setSigningKeyState } from '../../../gateway/store/rows/signing-keys.ts';
import { makeSealer } from '../../../gateway/store/seal/sealing.ts';
import { describeEngines, openEmpty } from '../../support/store/stores.ts';

const sealer = makeSealer(randomBytes(32));
const run = async <T>(store: Store, work: (unit: Unit) => Promise<T>): Promise<T> => (await store.write(work)).value;

describeEngines('keys', (engine) => {
  const key = (id: string, state: 'signing' | 'verifying', purpose: 'content' | 'internal' = 'content') => ({
    id,
    algorithm: 'HS256' as const,
    purpose,
    state,
    secret: new Uint8Array(Buffer.from(`${id} secret`.padEnd(32, '.'))),
  });

  test('secrets come back as they were, and the table holds them sealed only', async () => {
    const { store } = await openEmpty(engine);
    expect(await run(store, (unit) => insertSigningKey(unit, sealer, key('k1', 'signing')))).toEqual({
      kind: 'inserted',
    });
    expect(await run(store, (unit) => insertSigningKey(unit, sealer, key('i1', 'signing', 'internal')))).toEqual({
      kind: 'inserted',
    });
    expect(await listSigningKeys(store.sql, sealer, 'content')).toEqual([
      { ...key('k1', 'signing'), createdAt: 1_800_000_000 },
    ]);
    expect((await listSigningKeys(store.sql, sealer)).map(({ id }) => id)).toEqual(['i1', 'k1']);
    const rows = await store.sql.selectFrom('keys').selectAll().execute();
    const plain = Buffer.from(key('k1', 'signing').secret);
    for (const form of ['utf8', 'base64', 'base64url', 'hex'] as const) {
      expect(JSON.stringify(rows)).not.toContain(plain.toString(form));
    }
    await expect(listSigningKeys(store.sql, makeSealer(randomBytes(32)))).rejects.toThrow('does not open');
  });

  test('one key signs for each purpose: promoting a key demotes the former one in the same unit, and the change log says so', async () => {
    const { store } = await openEmpty(engine);
    await run(store, (unit) => insertSigningKey(unit, sealer, key('k1', 'signing')));
    expect(await run(store, (unit) => insertSigningKey(unit, sealer, key('k2', 'signing')))).toEqual({
      kind: 'another-signs',
      id: 'k1',
    });
    await run(store, (unit) => insertSigningKey(unit, sealer, key('k2', 'verifying')));
    expect(await run(store, (unit) => insertSigningKey(unit, sealer, key('k2', 'verifying')))).toEqual({
      kind: 'exists',
    });
    const promoted = await store.write((unit) => setSigningKeyState(unit, 'k2', 'signing'));
    expect(promoted).toMatchObject({ value: { kind: 'changed', from: 'verifying', demoted: 'k1' }, changes: 1 });
    expect((await listSigningKeys(store.sql, sealer)).map(({ id, state }) => `${id} ${state}`)).toEqual([
      'k1 verifying',
      'k2 signing',
    ]);
    expect(await run(store, (unit) => setSigningKeyState(unit, 'k2', 'retired'))).toMatchObject({
      kind: 'only-signer',
    });
    expect(await run(store, (unit) => setSigningKeyState(unit, 'k2', 'retired', 'may-go'))).toMatchObject({
      kind: 'changed',
    });
    expect(await run(store, (unit) => setSigningKeyState(unit, 'k9', 'retired'))).toEqual({ kind: 'unknown' });
    const again = await store.write((unit) => setSigningKeyState(unit, 'k2', 'retired'));
    expect(again).toMatchObject({ value: { kind: 'unchanged' }, changes: 0 });
  });

  test('a second signer is refused by the table itself', async () => {
    const { store } = await openEmpty(engine);
    await run(store, (unit) => insertSigningKey(unit, sealer, key('k1', 'signing')));
    await run(store, (unit) => insertSigningKey(unit, sealer, key('k2', 'verifying')));
    await expect(
      run(store, (unit) => unit.sql.updateTable('keys').set({ state: 'signing' }).execute()),
    ).rejects.toThrow();
  });
});

describeEngines('one-time codes', (engine) => {
  const code = { selector: 's1', digest: 'd1', purpose: 'sign-in', accountId: 'ac_1', details: { a: [1] } } as const;
  const at = 1_800_000_000;

  test('of 64 tries at once to spend one code, one succeeds', async () => {
    const { store } = await openEmpty(engine);
    await run(store, (unit) => insertCode(unit, { ...code, expiresAt: at + 60 }));
    const spent = await Promise.all(Array.from({ length: 64 }, () => run(store, (unit) => spendCode(unit, code))));
    expect(spent.filter(({ kind }) => kind === 'spent')).toEqual([
      { kind: 'spent', accountId: 'ac_1', details: { a: [1] }, createdAt: at, carriedSealed: null },
    ]);
  });

  test('a wrong secret, another purpose, an unknown selector and an expired code are refused alike and spend nothing', async () => {
    const { store, clock } = await openEmpty(engine);
    await run(store, (unit) => insertCode(unit, { ...code, expiresAt: at + 60 }));
    for (const wrong of [{ digest: 'd2' }, { purpose: 'hand-over' as const }, { selector: 's2' }]) {
      expect(await run(store, (unit) => spendCode(unit, { ...code, ...wrong }))).toEqual({ kind: 'refused' });
    }
    clock.now = at + 60;
    expect(await run(store, (unit) => spendCode(unit, code))).toEqual({ kind: 'refused' });
    clock.now = at + 59;
    expect(await run(store, (unit) => spendCode(unit, code))).toMatchObject({ kind: 'spent' });
  });

  test('open codes of an account end together, and expired ones are pruned', async () => {
    const { store } = await openEmpty(engine);
    await run(store, async (unit) => {
      await insertCode(unit, { ...code, expiresAt: at + 60 });
      await insertCode(unit, { ...code, selector: 's2', purpose: 'reset-password', expiresAt: at + 60 });
      await insertCode(unit, { ...code, selector: 's3', accountId: 'ac_2', expiresAt: at - 1 });
    });
    expect(await run(store, (unit) => endCodes(unit, 'ac_1', 'sign-in'))).toBe(1);
    expect(await run(store, (unit) => endCodes(unit, 'ac_1'))).toBe(1);
    expect(await run(store, (unit) => pruneCodes(unit, unit.now))).toBe(1);
  });
});

describeEngines('audit', (engine) => {
  test('entries come in the order of writing, from a moment on, in pages that look at a bounded part of the list', async () => {
    const { store, clock } = await openEmpty(engine);
    expect([await lastAuditPosition(store.sql), await listAuditForward(store.sql, { after: 0 })]).toEqual([
      0,
      { entries: [], next: null },
    ]);
    const start = clock.now;
    for (let at = 1; at <= 7; at++) {
      clock.now = start + at;
      await run(store, (unit) => appendAudit(unit, { actor: 'operator', action: 'link.revoked', subject: `li_${at}` }));
    }
    const last = await lastAuditPosition(store.sql);
    const pages: number[][] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page = await listAuditForward(store.sql, { after, from: start + 5, until: start + 7, limit: 1 }, 3);
      pages.push(page.entries.map(({ at }) => at - start));
      after = page.next;
      expect(after ?? 0).toBeLessThanOrEqual(last);
    }
    // of the first three none fits; of the next three two do, and one is a page; of the rest one does
    expect(pages).toEqual([[], [5], [6]]);
    const all = await listAuditForward(store.sql, { after: 0, limit: 500 });
    expect([all.entries.map(({ at }) => at - start), all.next]).toEqual([[1, 2, 3, 4, 5, 6, 7], null]);
  });

  test('entries come newest first, in pages, by subject and by actor', async () => {
    const { store } = await openEmpty(engine);
    for (let at = 1; at <= 7; at++) {
      await run(store, (unit) =>
        appendAudit(unit, {
          actor: at % 2 === 0 ? 'ac_1' : 'operator',
          action: 'link.revoked',
          subject: `li_${at % 3}`,
          details: { at, fine: true, note: null },
          requestId: `r${at}`,
        }),
      );
    }
    const details = (entries: readonly { details: Record<string, unknown> }[]) =>
      entries.map((entry) => entry.details.at);
    const first = await listAudit(store.sql, { limit: 3 });
    expect(details(first.entries)).toEqual([7, 6, 5]);
    expect(first.entries[0]).toMatchObject({
      at: 1_800_000_000,
      actor: 'operator',
      action: 'link.revoked',
      subject: 'li_1',
      details: { at: 7, fine: true, note: null },
      requestId: 'r7',
    });
    const second = await listAudit(store.sql, { limit: 4, before: first.next ?? 0 });
    expect([details(second.entries), second.next]).toEqual([[4, 3, 2, 1], null]);
    expect(details((await listAudit(store.sql, { subject: 'li_1' })).entries)).toEqual([7, 4, 1]);
    expect(details((await listAudit(store.sql, { actor: 'ac_1' })).entries)).toEqual([6, 4, 2]);
    expect(await run(store, (unit) => pruneAudit(unit, 1_800_000_001, 5))).toBe(5);
    expect(details((await listAudit(store.sql)).entries)).toEqual([7, 6]);
  });
});

describeEngines('rules of the tables', (engine) => {
  test('an address is verified for one account only; others may name it unverified, and deleting the account frees it', async () => {
    const { store } = await openEmpty(engine);
    const account = (id: string, verified: number | null, state: 'active' | 'deleted' = 'active') =>
      run(store, (unit) =>
        unit.sql
          .insertInto('accounts')
          .values({
            id,
            email: 'a@example.org',
            email_verified_at: verified,
            password_hash: null,
            display_name: '',
            groups: '[]',
            role: 'user',
            state,
            created_at: unit.now,
          })
          .execute(),
      );
    await account('ac_1', null);
    await account('ac_2', null);
    await account('ac_3', 5);
    await expect(account('ac_4', 6)).rejects.toThrow();
    await account('ac_5', 7, 'deleted');
    await run(store, (unit) =>
      unit.sql.updateTable('accounts').set({ state: 'deleted' }).where('id', '=', 'ac_3').execute(),
    );
    await account('ac_6', 8);
  });

  test('an account is bound through a link once, and a browser is one device of an account', async () => {
    const { store } = await openEmpty(engine);
    const member = (id: string, link_id: string, account_id: string) =>
      run(store, (unit) =>
        unit.sql
          .insertInto('members')
          .values({
            ...{ id, link_id, account_id, access_key_id: 'ak_1', collection: 'c', host: 'h', path: '/' },
            ...{ device_id: null, claimed_at: 1, last_seen_at: null, revoked_at: null },
          })
          .execute(),
      );
    await member('me_1', 'li_1', 'ac_1');
    await member('me_2', 'li_1', 'ac_2');
    await member('me_3', 'li_2', 'ac_1');
    await expect(member('me_4', 'li_1', 'ac_1')).rejects.toThrow();
    const device = (id: string, browser_selector: string, account_id: string) =>
      run(store, (unit) =>
        unit.sql
          .insertInto('devices')
          .values({
            ...{ id, browser_selector, account_id, browser_digest: 'd', name: '', user_agent: '' },
            ...{ created_at: 1, last_seen_at: 1, ended_at: null },
          })
          .execute(),
      );
    await device('dv_1', 'b1', 'ac_1');
    await device('dv_2', 'b1', 'ac_2');
    await expect(device('dv_3', 'b1', 'ac_1')).rejects.toThrow();
  });
});
