// Guesses at the users file are counted in a real store: by name, by source, by network and in all; over restarts and on all nodes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { guessPolicies } from '../../../gateway/control/proof/throttle-policies.ts';
import { PasswordThrottle } from '../../../gateway/control/users-file/password-throttle.ts';
import { PasswordVerifier } from '../../../gateway/control/users-file/verify-password.ts';
import { addUser } from '../../../gateway/store/files/users.ts';
import { type Store, StoreAway } from '../../../gateway/store/port/store.ts';
import { monotonicMs } from '../../../gateway/telemetry/clock.ts';
import { withoutStore } from '../../support/control-without-store.ts';
import { describeEngines, openEmpty, openNode, silent, type TestClock } from '../../support/store/stores.ts';

const { counters } = guessPolicies['users-file'];

interface Guesser {
  readonly guesses: PasswordThrottle;
  /** Makes a wrong guess. @returns whether the guess was looked at */
  readonly wrong: (name: string, address: string) => Promise<boolean>;
  readonly right: (name: string, address: string) => Promise<boolean>;
}

function guesserOf(store: Pick<Store, 'sql' | 'write'> | null, clock: TestClock): Guesser {
  const guesses = new PasswordThrottle({ store, clock, storePatienceMs: 10_000 });
  const guess = async (name: string, address: string, outcome: 'right' | 'wrong'): Promise<boolean> => {
    if ((await guesses.look(name, address)).waitSeconds > 0) return false;
    const taken = await guesses.take(name, address);
    if ('waitSeconds' in taken) return false;
    await guesses.settle(taken, outcome);
    return true;
  };
  return {
    guesses,
    wrong: (name, address) => guess(name, address, 'wrong'),
    right: (name, address) => guess(name, address, 'right'),
  };
}

async function lookedAt(guesses: readonly Promise<boolean>[]): Promise<number> {
  return (await Promise.all(guesses)).filter((isLookedAt) => isLookedAt).length;
}

/** Sets the counts as if this many guesses had been counted. */
async function countAs(store: Store, counter: string, tries: number): Promise<void> {
  const kind = `guess-users-file-${counter}`;
  await store.write((unit) =>
    unit.sql.updateTable('throttles').set({ failures: tries }).where('kind', '=', kind).execute(),
  );
}

function times<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

describeEngines('guesses at the users file', (engine) => {
  test('40 guesses from 40 addresses of one /64 count as one client’s, at once and one after the other', async () => {
    const { store, clock } = await openEmpty(engine);
    const { wrong } = guesserOf(store, clock);
    expect(await lookedAt(times(40, (at) => wrong('alice', `2001:db8::${at + 1}`)))).toBe(counters.pair.freeTries);
    let later = 0;
    for (let at = 0; at < 5; at++) later += (await wrong('alice', `2001:db8::ffff:${at}`)) ? 1 : 0;
    expect(later).toBe(0);
  });

  test('guesses at 160 names from one IPv4 address are slowed, and so are guesses from ever new /64s of one /48', async () => {
    const { store, clock } = await openEmpty(engine);
    const { wrong } = guesserOf(store, clock);
    expect(await lookedAt(times(160, (at) => wrong(`user-${at}`, '192.0.2.1')))).toBe(counters.source.freeTries);
    // another way to write the same address is no other address
    expect(await wrong('user-999', '::ffff:192.0.2.1')).toBe(false);
    expect(await wrong('user-999', '2002:c000:201::1')).toBe(false);
    const { freeTries } = counters.network;
    const spread = (count: number) =>
      times(count, (at) => wrong(`other-${count}-${at}`, `2001:db8:1:${count + at}::1`));
    expect(await lookedAt(spread(12))).toBe(12);
    await countAs(store, 'network', freeTries - 5);
    expect(await lookedAt(spread(30))).toBe(5);
  });

  test('guesses at one name from many networks are slowed, and the place that gave the right password is not', async () => {
    const { store, clock } = await openEmpty(engine);
    const { wrong, right } = guesserOf(store, clock);
    expect(await right('alice', '198.51.100.7')).toBe(true);
    const { freeTries, longestWaitSeconds } = counters.name;
    const everywhere = times(freeTries + 30, (at) => wrong('alice', `203.${at}.113.5`));
    expect(await lookedAt(everywhere)).toBe(freeTries);
    expect(await right('alice', '198.51.100.7')).toBe(true);
    // her place is known for her name alone, and no stranger waits longer than a minute
    expect(await wrong('alice', '198.51.100.8')).toBe(false);
    clock.now += longestWaitSeconds;
    expect(await right('alice', '198.51.100.8')).toBe(true);
  });

  test('counts and known places hold after a restart and on the other node', async () => {
    const { store, settings, clock } = await openEmpty(engine);
    const { wrong, right } = guesserOf(store, clock);
    for (let at = 0; at < counters.pair.freeTries; at++) expect(await wrong('alice', '192.0.2.1')).toBe(true);
    await right('bob', '192.0.2.1');
    const other = guesserOf(await openNode(settings, { clock }), clock);
    expect(await other.wrong('alice', '192.0.2.1')).toBe(false);
    expect((await other.guesses.look('bob', '192.0.2.1')).isKnown).toBe(true);
    const places = [
      { user: 'alice', address: '192.0.2.1' },
      { user: 'bob', address: '192.0.2.1' },
      { user: 'bob', address: '192.0.2.2' },
      { user: 'bob', address: '::ffff:192.0.2.1' },
    ];
    expect(await other.guesses.areKnown(places)).toEqual([false, true, false, true]);
  });
});

test('a flood that fills the count of all strangers does not slow known places and fresh sources', async () => {
  const { store, clock } = await openEmpty('sqlite');
  const { wrong, right } = guesserOf(store, clock);
  await right('alice', '198.51.100.7');
  // 64 networks that guess at ever new names
  for (let round = 0; round < 4; round++) {
    expect(await lookedAt(times(64, (at) => wrong(`n-${round}-${at}`, `203.0.${at}.5`)))).toBe(64);
  }
  await countAs(store, 'all', counters.all.freeTries - 5);
  expect(await lookedAt(times(64, (at) => wrong(`m-${at}`, `203.0.${at}.5`)))).toBe(5);
  // what is said of strangers is for the guessers' sources, and for nobody from elsewhere or who is known
  const { guesses } = guesserOf(store, clock);
  const looks = await Promise.all([guesses.look('m-1', '203.0.1.5'), guesses.look('alice', '198.51.100.7')]);
  expect(looks.map(({ strangers }) => strangers)).toEqual([
    { here: looks[0]?.waitSeconds, everywhere: 0 },
    { here: 0, everywhere: 0 },
  ]);
  expect(await right('alice', '198.51.100.7')).toBe(true);
  expect(await right('bob', '198.51.100.9')).toBe(true);
});

test('guesses at unknown names are counted like guesses at known names, in NFC', async () => {
  const { store, clock } = await openEmpty('sqlite');
  const { wrong } = guesserOf(store, clock);
  for (let at = 0; at < counters.pair.freeTries; at++) await wrong('ren\u00e9', '192.0.2.1');
  expect(await wrong('rene\u0301', '192.0.2.1')).toBe(false);
  expect(await wrong('rene', '192.0.2.1')).toBe(true);
});

test('a right password from a known place writes no row, however often it comes', async () => {
  const { store, clock } = await openEmpty('sqlite');
  let units = 0;
  const counted: Pick<Store, 'sql' | 'write'> = {
    sql: store.sql,
    write: (work) => {
      units += 1;
      return store.write(work);
    },
  };
  const { right, wrong } = guesserOf(counted, clock);
  await right('alice', '192.0.2.1');
  const first = units;
  for (let at = 0; at < 20; at++) expect(await right('alice', '192.0.2.1')).toBe(true);
  expect(units - first).toBe(0);
  // a wrong one is written after it, the next right one forgets it, and a day later the place is known anew
  await wrong('alice', '192.0.2.1');
  await right('alice', '192.0.2.1');
  await right('alice', '192.0.2.1');
  expect(units - first).toBe(2);
  clock.now += 86_400;
  await right('alice', '192.0.2.1');
  expect(units - first).toBe(3);
  const { rows } = await sql<{ kind: string }>`select kind from throttles where failures > 0 order by kind`.execute(
    store.sql,
  );
  expect(rows.map(({ kind }) => kind)).toEqual(['known-users-file']);
});

test('a known place has ten wrong tries and then waits, also when 64 come at once', async () => {
  const { store, clock } = await openEmpty('sqlite');
  const { guesses, right, wrong } = guesserOf(store, clock);
  await right('alice', '192.0.2.1');
  const taken = await Promise.all(times(64, () => guesses.take('alice', '192.0.2.1')));
  const running = taken.flatMap((one) => ('guess' in one ? [one] : []));
  expect(running.length).toBe(counters.known.freeTries);
  await Promise.all(running.map((one) => guesses.settle(one, 'wrong')));
  expect(await wrong('alice', '192.0.2.1')).toBe(false);
  // her other places do not wait for it
  expect(await right('alice', '198.51.100.1')).toBe(true);
});

test('the known places of one name are bounded, and the least recently used place is dropped', async () => {
  const { store, clock } = await openEmpty('sqlite');
  const { guesses, right } = guesserOf(store, clock);
  const maxSourcesPerName = 64;
  for (let at = 0; at <= maxSourcesPerName; at++) {
    clock.now += 1;
    await right('alice', `198.51.${at}.1`);
  }
  await right('bob', '198.51.0.1');
  const rows = await store.sql.selectFrom('throttles').select('kind').where('kind', '=', 'known-users-file').execute();
  expect(rows.length).toBe(maxSourcesPerName + 1);
  expect((await guesses.look('alice', '198.51.0.1')).isKnown).toBe(false);
  expect((await guesses.look('alice', `198.51.${maxSourcesPerName}.1`)).isKnown).toBe(true);
});

test('while the store is away guesses are counted in memory by the same rule, and known places go on', async () => {
  const { store, clock } = await openEmpty('sqlite');
  let isAway = false;
  const away = (): never => {
    throw new StoreAway(new Error('gone'));
  };
  const fragile: Pick<Store, 'sql' | 'write'> = {
    get sql() {
      return isAway ? away() : store.sql;
    },
    write: (work) => (isAway ? Promise.reject(new StoreAway(new Error('gone'))) : store.write(work)),
  };
  const { right, wrong, guesses: remembering } = guesserOf(fragile, clock);
  await right('alice', '198.51.100.7');
  isAway = true;
  expect(await lookedAt(times(40, (at) => wrong('alice', `2001:db8::${at + 1}`)))).toBe(counters.pair.freeTries);
  expect(await lookedAt(times(160, (at) => wrong(`user-${at}`, '192.0.2.1')))).toBe(counters.source.freeTries);
  expect(await lookedAt(times(80, (at) => wrong('alice', `203.${at}.113.5`)))).toBeLessThanOrEqual(
    counters.name.freeTries,
  );
  expect(await right('alice', '198.51.100.7')).toBe(true);
  expect(await right('bob', '198.51.100.9')).toBe(true);
  const { guesses } = guesserOf(fragile, clock);
  expect(await guesses.areKnown([{ user: 'alice', address: '198.51.100.7' }])).toEqual([false]);
  expect(await remembering.areKnown([{ user: 'alice', address: '198.51.100.7' }])).toEqual([true]);
  // what memory counted still counts when the store is back
  isAway = false;
  expect(await wrong('alice', '2001:db8::1')).toBe(false);
});

test('of 40 Basic guesses from one /64 five are looked at, whichever process checks them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-users-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const usersFile = join(folder, 'users');
  await addUser(usersFile, 'alice', 'right');
  const { store, clock } = await openEmpty('sqlite');
  const verifier = (): PasswordVerifier =>
    new PasswordVerifier({
      usersFile: () => usersFile,
      clock: { monotonicMs, epochSeconds: () => clock.now },
      logger: silent,
      queue: withoutStore(1000).passwordQueue,
      throttle: new PasswordThrottle({ store, clock }),
    });
  const before = verifier();
  const ask = (by: PasswordVerifier, address: string, password: string) =>
    by.verify({ route: 'vod', user: 'alice', password, address });
  let looked = 0;
  for (let at = 0; at < 40; at++) {
    looked += (await ask(before, `2001:db8::${at + 1}`, `wrong ${at}`)).kind === 'refused' ? 1 : 0;
  }
  expect(looked).toBe(counters.pair.freeTries);
  expect(await ask(verifier(), '2001:db8::99', 'right')).toEqual({ kind: 'busy', retryAfterSeconds: 1 });
  expect((await ask(verifier(), '2001:db8:0:1::1', 'right')).kind).toBe('verified');
});
