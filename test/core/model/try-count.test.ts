// The rule that slows down guesses, with a clock that stands still until it is set.

import { expect, test } from 'vitest';
import { countTry, freeAt, type TryCount, triesAt, type WaitPolicy } from '../../../gateway/core/model/try-count.ts';

const policy: WaitPolicy = {
  freeTries: 5,
  firstWaitSeconds: 1,
  longestWaitSeconds: 900,
  leakSeconds: 3600,
  givesFreeTriesBack: false,
  rememberSeconds: 7 * 86_400,
};

/** Tries as soon as each is free. @returns the waits after each, and what is counted then */
function tryOften(times: number, start: TryCount | null, now: number, by = policy) {
  let count = start;
  let at = now;
  const waits: number[] = [];
  for (let tries = 0; tries < times; tries++) {
    at = freeAt(count, by, at);
    count = countTry(count, by, at);
    waits.push(freeAt(count, by, at) - at);
  }
  return { waits, count, at };
}

test('the wait doubles after the free tries, up to the longest and no further', () => {
  const { waits } = tryOften(40, null, 1000);
  expect(waits.slice(0, 8)).toEqual([0, 0, 0, 0, 1, 2, 4, 8]);
  expect(waits.slice(-2)).toEqual([900, 900]);
});

test('time makes the wait shorter and gives no free try back', () => {
  const { count, at } = tryOften(12, null, 1000);
  // three hours forget three tries
  const later = at + 3 * 3600;
  expect(tryOften(1, count, later).waits).toEqual([32]);
  // days forget all but the free ones: the next try waits again
  expect(tryOften(3, count, at + 6 * 86_400).waits).toEqual([1, 2, 4]);
  // a week without any try forgets everything
  expect(tryOften(1, count, at + 7 * 86_400).waits).toEqual([0]);
});

test('a count that many people share gives its free tries back one by one, also while it is used', () => {
  const shared: WaitPolicy = { ...policy, freeTries: 100, leakSeconds: 36, givesFreeTriesBack: true };
  let count: TryCount | null = null;
  // one each 40 seconds, all day: never more than one counts
  for (let at = 0; at < 86_400; at += 40) {
    expect(freeAt(count, shared, at)).toBe(at);
    count = countTry(count, shared, at);
  }
  expect(triesAt(count, shared, 86_400)).toBeLessThanOrEqual(2);
  const full = tryOften(100, null, 0, shared).count;
  expect(triesAt(full, shared, 3600)).toBe(0);
  expect(triesAt(full, shared, 1800)).toBe(50);
});

test('a block set by a clock that was ahead ends once the clock is right, and its tries stay counted', () => {
  const { count } = tryOften(9, null, 1000 + 400 * 86_400);
  expect(freeAt(count, policy, 1000)).toBe(1000);
  expect(triesAt(count, policy, 1000)).toBe(9);
  expect(tryOften(2, count, 1000).waits).toEqual([32, 64]);
});
