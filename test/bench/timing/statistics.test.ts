// The two tests of bench:timing, against values worked out by hand and by textbooks.

import { expect, test } from 'vitest';
import { compare, rankZ, welchT } from '../../../bench/timing/statistics.ts';

test('Welch’s t of two small samples', () => {
  // means 2 and 5, variances 1 and 1: -3 / sqrt(2 / 3)
  expect(welchT([1, 2, 3], [4, 5, 6])).toBeCloseTo(-3.6742, 4);
  expect(welchT([4, 5, 6], [1, 2, 3])).toBeCloseTo(3.6742, 4);
  expect(welchT([2, 2], [2, 2])).toBe(0);
});

test('Mann-Whitney’s U: nothing in common, nothing different, and ties', () => {
  // U = 0, mean 4.5, deviation sqrt(9 * 7 / 12)
  expect(rankZ([1, 2, 3], [4, 5, 6])).toBeCloseTo(-4.5 / Math.sqrt(5.25), 6);
  expect(rankZ([1, 4, 5, 8], [2, 3, 6, 7])).toBe(0);
  expect(rankZ([1, 1, 1], [1, 1, 1])).toBe(0);
  // ranks 1.5, 1.5 | 3.5, 3.5: U = 0, mean 2, variance 4 / 12 * (5 - 12 / 12)
  expect(rankZ([1, 1], [2, 2])).toBeCloseTo(-2 / Math.sqrt(4 / 3), 6);
});

test('a shift of a tenth of the noise is seen in two thousand values, and none where there is none', () => {
  let seed = 1;
  const noise = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const sample = (shift: number) => Array.from({ length: 2000 }, () => noise() + noise() + noise() + shift);
  const [one, same, shifted] = [sample(0), sample(0), sample(0.1)];
  expect(Math.abs(compare(one, same).rank)).toBeLessThan(3);
  expect(compare(shifted, one).rank).toBeGreaterThan(4);
  expect(compare(shifted, one).welch).toBeGreaterThan(4);
});
