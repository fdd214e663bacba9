// A queue that no single source can fill.

import { expect, test } from 'vitest';
import { FairQueue } from '../../../gateway/core/model/fair-queue.ts';

test('hasRoom agrees with push: each source has a limit, and a full queue still takes a source with a shorter line', () => {
  const queue = new FairQueue<number>({ max: 4, maxPerSource: 3 });
  const push = (source: string, entry: number) => {
    const hasRoom = queue.hasRoom(source);
    return { hasRoom, isTaken: queue.push(source, entry) !== entry };
  };
  const taken = { hasRoom: true, isTaken: true };
  const refused = { hasRoom: false, isTaken: false };
  expect([push('a', 1), push('a', 2), push('a', 3), push('a', 4)]).toEqual([taken, taken, taken, refused]);
  expect([push('b', 5), push('c', 6), push('b', 7), push('d', 8)]).toEqual([taken, taken, refused, taken]);
  expect(queue.size).toBe(4);
});

test('in a full queue the newest entry of the longest line loses its place', () => {
  const queue = new FairQueue<number>({ max: 3, maxPerSource: 3 });
  for (const entry of [1, 2, 3]) queue.push('a', entry);
  expect(queue.push('b', 4)).toBe(3);
  expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([1, 4, 2, undefined]);
});
