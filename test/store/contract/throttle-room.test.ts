// The ceiling of the table of throttles, whose rows are made by strangers who are not signed in.

import { expect, test } from 'vitest';
import type { Store } from '../../../gateway/store/port/store.ts';
import { makeThrottleRoom } from '../../../gateway/store/rows/throttle-room.ts';
import { describeEngines, openEmpty } from '../../support/store/stores.ts';

const now = 1_800_000_000;

async function fill(store: Store, kind: string, rows: number, failures: number, blockedUntilAt: number): Promise<void> {
  const values = Array.from({ length: rows }, (_, at) => ({
    kind,
    key_digest: `${at}`,
    failures,
    first_at: now,
    last_at: now - at,
    blocked_until_at: blockedUntilAt,
  }));
  await store.write((unit) => unit.sql.insertInto('throttles').values(values).execute());
}

async function count(store: Store, kind: string): Promise<number> {
  return (await store.sql.selectFrom('throttles').select('kind').where('kind', '=', kind).execute()).length;
}

describeEngines('room for throttles', (engine) => {
  test('a flood of new names evicts its own rows, and no block and no count of several guesses is lost', async () => {
    const { store } = await openEmpty(engine);
    await fill(store, 'blocked', 20, 1, now + 60);
    await fill(store, 'earned', 20, 4, 0);
    await fill(store, 'flood', 60, 1, 0);
    const { value } = await store.write((unit) => makeThrottleRoom(unit, 10, 100));
    expect(value).toBe(true);
    expect([await count(store, 'blocked'), await count(store, 'earned'), await count(store, 'flood')]).toEqual([
      20, 20, 40,
    ]);
    // the oldest rows of the flood were evicted
    const oldest = await store.sql
      .selectFrom('throttles')
      .select('last_at')
      .where('kind', '=', 'flood')
      .orderBy('last_at')
      .execute();
    expect(oldest[0]?.last_at).toBe(now - 39);
  });

  test('when every row is a block there is no room, and no block is lost', async () => {
    const { store } = await openEmpty(engine);
    await fill(store, 'blocked', 100, 1, now + 60);
    expect((await store.write((unit) => makeThrottleRoom(unit, 10, 100))).value).toBe(false);
    expect(await count(store, 'blocked')).toBe(100);
  });

  test('attack: everybody locked out. Mailboxes that strangers filled for an hour give room to guesses, and blocks of guesses stay', async () => {
    const { store } = await openEmpty(engine);
    await fill(store, 'guess-account-password-pair', 30, 6, now + 60);
    await fill(store, 'mail-recipient', 70, 5, now + 3600);
    await fill(store, 'request-address', 5, 50, now + 3600);
    await fill(store, 'known-users-file', 5, 1_000_000, 0);
    const { value } = await store.write((unit) => makeThrottleRoom(unit, 10, 100));
    expect(value).toBe(true);
    expect([await count(store, 'guess-account-password-pair'), await count(store, 'known-users-file')]).toEqual([
      30, 5,
    ]);
    expect([await count(store, 'mail-recipient'), await count(store, 'request-address')]).toEqual([40, 5]);
  });
});
