// How windows and rounds become the figures of a row.

import { describe, expect, it } from 'vitest';
import { type Figures, judgeWindow, mergeRounds, perMebibyte } from '../../../bench/measure/figures.ts';
import type { LoadResult } from '../../../bench/measure/load.ts';

const good: LoadResult = {
  completed: 10,
  seconds: 1,
  bytes: 10 * 1200,
  refused: 0,
  broken: 0,
  p50Ms: 1,
  p90Ms: 2,
  p99Ms: 3,
};

const figures = (cpuPerRequestUs: number | null): Figures => ({
  cpuPerRequestUs,
  requestsPerSecond: 1000,
  busyShare: 1,
  p50Ms: null,
  p99Ms: null,
  heldRate: null,
  cpuPerMiBUs: null,
  cpuPerMiBSmallUs: null,
  peakMemoryBytes: 1,
});

describe('judgeWindow', () => {
  it('passes a window in which every answer was right', () => {
    expect(judgeWindow(good, '1k')).toBeNull();
  });
  it('refuses a window with a single answer that is not 2xx', () => {
    expect(judgeWindow({ ...good, refused: 1 }, '1k')).toBe('1 of 10 answers were not 2xx');
  });
  it('refuses a window with a failed connection', () => {
    expect(judgeWindow({ ...good, broken: 2 }, '1k')).toContain('2 connections');
  });
  it('refuses a window whose answers are shorter than their bodies', () => {
    expect(judgeWindow({ ...good, bytes: 10 * 1000 }, '1k')).toContain('shorter');
  });
  it('refuses a window without answers', () => {
    expect(judgeWindow({ ...good, completed: 0, bytes: 0 }, '1k')).toBe('no request was answered');
  });
});

describe('mergeRounds', () => {
  it('takes the median of each figure over the rounds that have it', () => {
    const merged = mergeRounds([figures(30), figures(null), figures(10), figures(11)]);
    expect(merged.cpuPerRequestUs).toBe(11);
    expect(merged.requestsPerSecond).toBe(1000);
    expect(merged.p50Ms).toBeNull();
  });
});

describe('perMebibyte', () => {
  it('counts bodies by their size', () => {
    expect(perMebibyte(1600, 16, '64k')).toBe(1600);
    expect(perMebibyte(1600, 4, '1m')).toBe(400);
  });
  it('is null without CPU time or without requests', () => {
    expect(perMebibyte(null, 4, '1m')).toBeNull();
    expect(perMebibyte(100, 0, '1m')).toBeNull();
  });
});
