// The token buckets: rates, bursts, and what a flood of strangers can do to a table of fixed size. The clock is the test's.

import { describe, expect, test } from 'vitest';
import {
  compileRateLimits,
  type RateLimit,
  type RateLimitRule,
} from '../../../gateway/core/decision/policy/rate-limit.ts';
import { digest, halfSipHash } from '../../../gateway/edge/request/half-sip-hash.ts';
import { RateBuckets } from '../../../gateway/edge/request/rate-buckets.ts';
import { networkOf } from '../../../gateway/edge/request/rate-limits.ts';

function limitOf(count: number, perSeconds: number, burst: number, edges = 1): RateLimit {
  const rule: RateLimitRule = { by: 'address', count, perSeconds, burst };
  const limit = compileRateLimits('r', [rule], edges)?.byAddress[0];
  if (limit === undefined) throw new Error('no limit');
  return limit;
}

/** How many of `requests` at one time pass. */
function passed(buckets: RateBuckets, limit: RateLimit, key: string, nowMs: number, requests: number): number {
  let count = 0;
  for (let index = 0; index < requests; index++) if (buckets.take([limit], () => key, nowMs) === 0) count++;
  return count;
}

describe('a bucket', () => {
  test('lets a burst pass at once, then one per interval', () => {
    const buckets = new RateBuckets();
    const limit = limitOf(10, 1, 20);
    expect(passed(buckets, limit, 'a', 1000, 100)).toBe(20);
    expect(passed(buckets, limit, 'a', 1099, 100)).toBe(0);
    expect(passed(buckets, limit, 'a', 1100, 100)).toBe(1);
    expect(passed(buckets, limit, 'a', 2100, 100)).toBe(10);
    expect(passed(buckets, limit, 'a', 1_000_000, 100)).toBe(20);
  });

  test('keeps its rate over a long time, whatever the fractions', () => {
    for (const [count, perSeconds] of [
      [3, 1],
      [7, 60],
      [1000, 3600],
    ] as const) {
      const buckets = new RateBuckets();
      const limit = limitOf(count, perSeconds, 1);
      let through = 0;
      for (let now = 5; now < 5 + 100 * perSeconds * 1000; now += (perSeconds * 1000) / count / 10) {
        through += passed(buckets, limit, 'a', now, 1);
      }
      expect(through).toBeGreaterThanOrEqual(99 * count);
      expect(through).toBeLessThanOrEqual(100 * count + 1);
    }
  });

  test('says after how many seconds the next one passes, and is not emptied by those it refuses', () => {
    const buckets = new RateBuckets();
    const limit = limitOf(1, 60, 1);
    expect(buckets.take([limit], () => 'a', 0)).toBe(0);
    expect(buckets.take([limit], () => 'a', 500)).toBe(60);
    for (let now = 1000; now < 59_000; now += 1000) expect(buckets.take([limit], () => 'a', now)).toBe(60 - now / 1000);
    expect(buckets.take([limit], () => 'a', 59_999)).toBe(1);
    expect(buckets.take([limit], () => 'a', 60_000)).toBe(0);
  });

  test('belongs to one key under one limit; of several limits all must hold, and a refusal takes from none', () => {
    const buckets = new RateBuckets();
    const narrow = limitOf(1, 1, 2);
    const wide = limitOf(100, 3600, 3);
    expect(passed(buckets, narrow, 'a', 0, 5)).toBe(2);
    expect(passed(buckets, narrow, 'b', 0, 5)).toBe(2);
    expect(passed(buckets, wide, 'a', 0, 1)).toBe(1);
    for (let round = 0; round < 50; round++) expect(buckets.take([wide, narrow], () => 'a', 0)).toBe(1);
    expect(passed(buckets, wide, 'a', 0, 5)).toBe(2);
  });

  test('is one edge’s share of the whole', () => {
    const limit = limitOf(8, 1, 8, 4);
    expect([limit.intervalMs, limit.burst]).toEqual([500, 2]);
    expect(limitOf(1, 1, 1, 4).burst).toBe(1);
  });
});

describe('a flood of strangers', () => {
  test('slows nobody down, frees no heavy user, and takes no more memory', () => {
    const buckets = new RateBuckets(64);
    const limit = limitOf(1, 60, 20);
    const heavy = Array.from({ length: 50 }, (_, at) => `heavy-${at}`);
    for (const key of heavy) expect(passed(buckets, limit, key, 0, 30)).toBe(20);
    let slowed = 0;
    for (let at = 0; at < 100_000; at++) if (buckets.take([limit], () => `stranger-${at}`, 1) !== 0) slowed++;
    expect(slowed).toBe(0);
    let freed = 0;
    for (const key of heavy) freed += passed(buckets, limit, key, 2, 20);
    expect(freed).toBe(0);
  });

  test('under a slow limit does not push out the buckets of a fast one', () => {
    const buckets = new RateBuckets(64);
    const fast = limitOf(10, 1, 10);
    const slow = limitOf(1, 3600, 100);
    expect(passed(buckets, fast, 'heavy', 0, 30)).toBe(10);
    for (let at = 0; at < 20_000; at++) buckets.take([slow], () => `stranger-${at}`, 0);
    expect(passed(buckets, fast, 'heavy', 0, 30)).toBe(0);
  });
});

test('HalfSipHash-2-4 gives the reference values for inputs of whole 16-bit units', () => {
  const expected = ['218d1f59b9b83cc8', '064f39ef7c50eb57', 'd5e78a175be52ea1', 'ce3e91358aa2bc25', 'edfee820bce4858c'];
  for (const [units, hex] of expected.entries()) {
    const text = Array.from({ length: units }, (_, at) => String.fromCharCode(2 * at + ((2 * at + 1) << 8))).join('');
    halfSipHash(text, 0x03020100, 0x07060504);
    expect(Buffer.from(digest.buffer).toString('hex')).toBe(hex);
  }
});

test('one address is an IPv4 address or the /64 of an IPv6 one', () => {
  expect(networkOf('192.0.2.1')).toBe('192.0.2.1');
  expect(networkOf('2001:db8:1:2::1')).toBe(networkOf('2001:db8:1:2:ffff:ffff:ffff:ffff'));
  expect(networkOf('2001:db8:1:2::1')).not.toBe(networkOf('2001:db8:1:3::1'));
  expect(networkOf('fe80::1%eth0')).toBe(networkOf('fe80::2'));
  expect(networkOf('')).toBe('');
});
