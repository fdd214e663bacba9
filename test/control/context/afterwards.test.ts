// Work that no answer waits for: done in any case, bounded, and before the store goes.

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeAfterwards } from '../../../gateway/control/context/afterwards.ts';
import { StoreAway } from '../../../gateway/store/port/store.ts';
import { memoryLogger } from '../../support/rigs/control.ts';
import { silent } from '../../support/store/stores.ts';

const hour = 3_600_000;

test('nothing of it is done before the answer, and all of it at the end', async () => {
  const afterwards = makeAfterwards({ logger: silent, random: randomBytes, pauseMs: hour });
  const done: number[] = [];
  for (let at = 0; at < 20; at++) afterwards.run(async () => void done.push(at));
  expect(done).toEqual([]);
  await afterwards.close();
  expect(done.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 20 }, (_, at) => at));
  expect(afterwards.hasRoom()).toBe(false);
});

test('it comes by itself after a pause, in an order that is not the one of asking', async () => {
  const afterwards = makeAfterwards({ logger: silent, random: randomBytes, pauseMs: 1 });
  const done: number[] = [];
  const all = Promise.withResolvers<void>();
  for (let at = 0; at < 100; at++) {
    afterwards.run(async () => {
      done.push(at);
      if (done.length === 100) all.resolve();
    });
  }
  await all.promise;
  expect(done).not.toEqual(done.toSorted((one, other) => one - other));
});

test('so many wait and no more', () => {
  const afterwards = makeAfterwards({ logger: silent, random: randomBytes, pauseMs: hour, maxWaiting: 3 });
  for (let at = 0; at < 3; at++) {
    expect(afterwards.hasRoom()).toBe(true);
    afterwards.run(async () => undefined);
  }
  expect(afterwards.hasRoom()).toBe(false);
});

test('while the store is away it is tried again, and what fails otherwise is logged and keeps nothing else', async () => {
  const { logger, said } = memoryLogger();
  const afterwards = makeAfterwards({ logger, random: randomBytes, pauseMs: hour });
  let attempts = 0;
  let others = 0;
  afterwards.run(async () => {
    attempts += 1;
    if (attempts < 3) throw new StoreAway(new Error('gone'));
  });
  afterwards.run(() => Promise.reject(new Error('a mistake')));
  afterwards.run(async () => void others++);
  for (let turn = 0; turn < 4; turn++) await afterwards.settled();
  expect([attempts, others]).toEqual([3, 1]);
  expect(said()).toContain('a mistake');
});
