// The throttle over its rows: many tries at once, waits that grow and are forgotten, clocks that jump. On both engines.

import { expect, test } from 'vitest';
import {
  countGuess,
  countRequest,
  forgiveGuess,
  type Guess,
  guessWait,
} from '../../../gateway/control/proof/throttle.ts';
import {
  guessPolicies,
  longestMemorySeconds,
  windowPolicies,
} from '../../../gateway/control/proof/throttle-policies.ts';
import type { Store } from '../../../gateway/store/port/store.ts';
import { pruneThrottles } from '../../../gateway/store/rows/throttles.ts';
import { describeEngines, openEmpty, openNode } from '../../support/store/stores.ts';

const guess: Guess = { secret: 'account-password', name: 'anna@example.org', clientAddress: '192.0.2.1', known: null };
const { freeTries, rememberSeconds } = guessPolicies['account-password'].counters.pair;
const take = async (store: Store) => (await store.write((unit) => countGuess(unit, guess))).value;
const limits = { mailsPerHour: 500, requestsPerNetwork: 100 };
const hourly = { perSender: { count: 2, seconds: 3600 }, perAddress: { count: 1, seconds: 60 } };
const context = { config: () => ({ accounts: { limits }, sharing: hourly }) };

describeEngines('throttle', (engine) => {
  test('many guesses at once are counted one by one, and the rest are not looked at', async () => {
    const { store } = await openEmpty(engine);
    const waits = await Promise.all(Array.from({ length: 64 }, () => take(store)));
    expect(waits.filter((wait) => wait === null).length).toBe(freeTries);
    expect(waits.find((wait) => wait !== null)).toBe(1);
    expect(await guessWait(store.sql, { ...guess, name: 'ben@example.org' }, store.logTime())).toBe(0);
  });

  test('each further guess waits longer; a right guess clears the count, and so does time', async () => {
    const { store, clock } = await openEmpty(engine);
    for (let at = 0; at < freeTries; at++) await take(store);
    clock.now += 1;
    expect(await take(store)).toBeNull();
    expect(await take(store)).toBe(2);
    expect(await guessWait(store.sql, guess, store.logTime())).toBe(2);
    await store.write((unit) => forgiveGuess(unit, guess));
    for (let at = 0; at < freeTries; at++) expect(await take(store)).toBeNull();
    expect(await take(store)).toBe(1);
    clock.now += rememberSeconds;
    for (let at = 0; at < freeTries; at++) expect(await take(store)).toBeNull();
    clock.now += 2 * longestMemorySeconds;
    const pruned = await store.write((unit) => pruneThrottles(unit, unit.logTime - longestMemorySeconds));
    expect(pruned.value).toBe(Object.keys(guessPolicies['account-password'].counters).length - 1);
    expect(await take(store)).toBeNull();
  });

  test('a clock that jumps gives no guesses back and blocks nobody, because counts go by the time of the log', async () => {
    const { store, settings, clock } = await openEmpty(engine);
    for (let at = 0; at < freeTries; at++) await take(store);
    for (const wrongBy of [365 * 86_400, -365 * 86_400, 0]) {
      clock.wrongBy = wrongBy;
      expect(await take(store)).toBe(1);
      await store.write((unit) => pruneThrottles(unit, unit.logTime - longestMemorySeconds));
      const other = await openNode(settings, { clock });
      expect(await take(other)).toBe(1);
      await other.close();
    }
    clock.now += 1;
    expect(await take(store)).toBeNull();
  });

  test('a request that one window stops is not counted in the others, and each window ends', async () => {
    const { store, clock } = await openEmpty(engine);
    const { most, windowSeconds } = windowPolicies['mail-recipient'];
    const ask = async (to: string) => {
      const bounds = [{ kind: 'mail-recipient', subject: to } as const, { kind: 'export', subject: 'shared' } as const];
      return (await store.write((unit) => countRequest(unit, context, bounds))).value;
    };
    for (let at = 1; at <= most; at++) expect(await ask('anna')).toMatchObject({ kind: 'allowed', tries: [at, at] });
    expect(await ask('anna')).toEqual({ kind: 'blocked', waitSeconds: windowSeconds });
    for (let at = most + 1; at <= windowPolicies.export.most; at++)
      expect(await ask('ben')).toMatchObject({ kind: 'allowed', tries: [at - most, at] });
    expect((await ask('cara')).kind).toBe('blocked');
    clock.now += windowSeconds;
    expect((await ask('anna')).kind).toBe('allowed');
  });

  test('a rate of the configuration is a window of its own length, and a changed rate counts from then on', async () => {
    const { store, clock } = await openEmpty(engine);
    clock.now += 3600 - (store.logTime() % 3600);
    let rates = hourly;
    const current = { config: () => ({ accounts: { limits }, sharing: rates }) };
    const ask = async (...kinds: readonly ('shares-of-sender' | 'share-mails-to-address')[]) => {
      const bounds = kinds.map((kind) => ({ kind, subject: 'anna' }));
      return (await store.write((unit) => countRequest(unit, current, bounds))).value;
    };
    expect(await ask('shares-of-sender', 'share-mails-to-address')).toMatchObject({ kind: 'allowed', tries: [1, 1] });
    expect(await ask('shares-of-sender', 'share-mails-to-address')).toEqual({ kind: 'blocked', waitSeconds: 60 });
    clock.now += 60;
    expect(await ask('shares-of-sender', 'share-mails-to-address')).toMatchObject({ kind: 'allowed', tries: [2, 1] });
    expect(await ask('shares-of-sender')).toEqual({ kind: 'blocked', waitSeconds: 3540 });
    rates = { ...hourly, perSender: { count: 3, seconds: 3600 } };
    expect(await ask('shares-of-sender')).toMatchObject({ kind: 'allowed', tries: [3] });
  });
});
