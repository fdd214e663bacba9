// Work that no answer waits for is done in any case, is bounded, and is done before the store closes.

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeAfterwards } from '../../../gateway/control/context/afterwards.ts';
import { StoreAway } from '../../../gateway/store/port/store.ts';
import { memoryLogger } from '../../support/rigs/control.ts';
import { silent } from '../../support/store/stores.ts';

const hour = 3_600_000;

test('no queued work runs before the answer, and all of it is done at the end', async () => {
  const afterwards = makeAfterwards({ logger: silent, random: randomBytes, pauseMs: hour });
  const done: number[] = [];
  for (let at = 0; at < 20; at++) afterwards.run(async () => void done.push(at));
  expect(done).toEqual([]);
  await afterwards.close();
  expect(done.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 20 }, (_, at) => at));
  expect(afterwards.hasRoom()).toBe(false);
});

test('queued work runs by itself after a pause, in an order that differs from the order of the requests', async () => {
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

test('a bounded number of pieces of work may wait', () => {
  const afterwards = makeAfterwards({ logger: silent, random: randomBytes, pauseMs: hour, maxWaiting: 3 });
  for (let at = 0; at < 3; at++) {
    expect(afterwards.hasRoom()).toBe(true);
    afterwards.run(async () => undefined);
  }
  expect(afterwards.hasRoom()).toBe(false);
});

test('work is tried again while the store is away; any other failure is logged and holds no other work up', async () => {
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
