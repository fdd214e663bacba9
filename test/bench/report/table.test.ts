// The printed table and its ratios.

import { describe, expect, it } from 'vitest';
import { divide, ratio, renderRatios, renderResult, renderTable } from '../../../bench/report/table.ts';
import { makeResult, makeRow } from './sample.ts';

describe('renderTable', () => {
  it('makes columns as wide as their widest cell, numbers to the right', () => {
    expect(
      renderTable(
        ['proxy', 'µs'],
        [
          ['a', '1.0'],
          ['longer', '100.0'],
        ],
      ),
    ).toBe(['proxy      µs', '------  -----', 'a         1.0', 'longer  100.0'].join('\n'));
  });
});

describe('ratios', () => {
  it('divide ours by each peer', () => {
    const text = renderRatios([makeRow('latchkey', 12), makeRow('nginx', 10), makeRow('http-proxy', 60)]);
    expect(text).toMatch(/^nginx +1\.20/m);
    expect(text).toMatch(/^http-proxy +0\.20/m);
  });
  it('are the median of the rounds, so that a slow minute falls out', () => {
    const rounds = (...values: number[]) =>
      values.map((cpuPerRequestUs) => ({ ...makeRow('x', 1).median, cpuPerRequestUs }));
    const ours = { ...makeRow('latchkey', 30), rounds: rounds(12, 24, 60) };
    const theirs = { ...makeRow('nginx', 10), rounds: rounds(10, 20, 40) };
    expect(ratio(ours, theirs, 'cpuPerRequestUs')).toBeCloseTo(1.2);
  });
  it('are left out when latchkey was not measured', () => {
    expect(renderRatios([makeRow('nginx', 10)])).toBe('');
  });
  it('are null against nothing', () => {
    expect(divide(1, null)).toBeNull();
    expect(divide(1, 0)).toBeNull();
  });
});

describe('renderResult', () => {
  it('prints no figure of a row with a problem, and names the problem', () => {
    const bad = { ...makeRow('caddy', 77.7), problem: 'did not pass the gate: it let a wrong token in' };
    const text = renderResult(makeResult([makeRow('nginx', 10), bad]));
    expect(text).not.toContain('77.7');
    expect(text).toContain('not counted: caddy: did not pass the gate: it let a wrong token in');
  });
  it('names what is missing with how to get it', () => {
    const text = renderResult({
      ...makeResult([makeRow('nginx', 10)]),
      missing: [{ name: 'haproxy', title: 'HAProxy', hint: 'apt-get install haproxy' }],
    });
    expect(text).toContain('not here: HAProxy (apt-get install haproxy)');
  });
  it('says at what rate a proxy fell behind instead of a latency', () => {
    const row = makeRow('http-proxy', 70);
    const behind = { ...row, median: { ...row.median, p50Ms: null, p99Ms: null, heldRate: 4157.4 } };
    expect(renderResult(makeResult([behind]))).toContain('holds 4157/s');
  });
  it('prints the gateway against itself with limits; what was not measured has its reason and no number', () => {
    const text = renderResult({
      ...makeResult([makeRow('nginx', 10)]),
      comparisons: [
        { name: 'a', title: 'many routes', value: 1.034, unit: 'ratio', limit: 1.05, note: 'four turns' },
        { name: 'b', title: 'imbalance', value: 0.123, unit: 'share', limit: 0.2, note: '' },
        { name: 'c', title: 'idle', value: 5120, unit: 'bytes', limit: 6144, note: '' },
        { name: 'd', title: 'tokens', value: null, unit: 'ratio', limit: 1.4, note: 'needs wrk' },
      ],
    });
    expect(text).toMatch(/many routes +1\.03 +1\.05 +four turns/);
    expect(text).toMatch(/imbalance +12 % +20 %/);
    expect(text).toMatch(/idle +5\.0 KiB +6\.0 KiB/);
    expect(text).toMatch(/tokens +- +1\.40 +needs wrk/);
  });
});
