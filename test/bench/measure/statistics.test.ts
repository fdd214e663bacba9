// Medians and percentiles, on which every printed figure rests.

import { describe, expect, it } from 'vitest';
import { median, percentile, spread } from '../../../bench/measure/statistics.ts';

describe('median', () => {
  it('is the middle of an odd number of values, whatever their order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });
  it('is the mean of the two in the middle of an even number', () => {
    expect(median([10, 1, 2, 4])).toBe(3);
  });
  it('sorts by value and not as text', () => {
    expect(median([100, 9, 20])).toBe(20);
  });
  it('is null for no values', () => {
    expect(median([])).toBeNull();
  });
});

describe('percentile', () => {
  it('takes the nearest rank', () => {
    const sorted = Array.from({ length: 100 }, (_, at) => at + 1);
    expect(percentile(sorted, 0.5)).toBe(50);
    expect(percentile(sorted, 0.99)).toBe(99);
    expect(percentile(sorted, 1)).toBe(100);
  });
  it('is the only value of a list of one', () => {
    expect(percentile([7], 0.01)).toBe(7);
  });
  it('is null for no values', () => {
    expect(percentile(new Float64Array(), 0.5)).toBeNull();
  });
});

describe('spread', () => {
  it('is the largest distance from the median as a share of it', () => {
    expect(spread([10, 11, 8])).toBeCloseTo(0.2);
  });
  it('is null for a single value', () => {
    expect(spread([10])).toBeNull();
  });
});
