// Flatness is judged by arithmetic alone, so it is tested on made-up samples: flat samples with noise, and samples with one slope each.

import { describe, expect, it } from 'vitest';
import { fittedGrowth, judgeFlatness, median, type SoakSample } from './flatness.ts';

const mebibyte = 1024 * 1024;
const noneLeft = { before: 4, after: 4 };

/** Half an hour of samples, changed by what is under test. */
function samples(change: (index: number) => Partial<SoakSample> = () => ({})): SoakSample[] {
  return Array.from({ length: 180 }, (_, index) => ({
    seconds: (index + 1) * 10,
    // saw teeth of garbage collection
    heapBytes: (40 + (index % 7) * 4) * mebibyte,
    residentBytes: (150 + (index % 5)) * mebibyte,
    sockets: 300 + (index % 11),
    p50Ms: 1,
    p99Ms: 5 + (index % 3),
    ...change(index),
  }));
}

describe('a soak', () => {
  it('is flat when its samples differ by noise only', () => {
    expect(judgeFlatness(samples(), noneLeft)).toEqual([]);
  });

  it('is flat when it grows only at the beginning', () => {
    const warming = samples((index) => ({
      residentBytes: Math.min(index, 60) * 2 * mebibyte,
      p99Ms: index < 10 ? 80 : 5,
    }));
    expect(judgeFlatness(warming, noneLeft)).toEqual([]);
  });

  it.each<[string, (index: number) => Partial<SoakSample>]>([
    ['heap grew', (index) => ({ heapBytes: (40 + (index % 7) * 4 + index * 0.2) * mebibyte })],
    ['resident memory grew', (index) => ({ residentBytes: (150 + index * 0.4) * mebibyte })],
    ['sockets grew', (index) => ({ sockets: 300 + index })],
    ['p99 of the last third', (index) => ({ p99Ms: 5 + index * 0.05 })],
  ])('is not flat when the %s', (complaint, change) => {
    const complaints = judgeFlatness(samples(change), noneLeft);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toContain(complaint);
  });

  it('is not flat when sockets stay behind', () => {
    expect(judgeFlatness(samples(), { before: 4, after: 5 })).toEqual(['5 sockets stayed, 4 were there before']);
  });

  it('is not judged by a few samples', () => {
    expect(judgeFlatness(samples().slice(0, 5), noneLeft)).toHaveLength(1);
  });
});

describe('the arithmetic of flatness', () => {
  it('fits a line by least squares', () => {
    expect(
      fittedGrowth([
        [0, 1],
        [1, 2],
        [2, 4],
        [3, 5],
      ]),
    ).toBeCloseTo(4.2);
    expect(fittedGrowth([[1, 5]])).toBe(0);
  });

  it('takes the middle value as median, or the mean of the two middle values', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});
