// Durations and sizes as people write them, and the guess at what a mistyped word was meant to be.

import { describe, expect, test } from 'vitest';
import { suggest } from '../../../gateway/config/problems/suggest.ts';
import { parseDurationMs, parseSizeBytes } from '../../../gateway/config/schema/values.ts';

describe('durations', () => {
  test.each([
    ['15m', 900_000],
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1d', 86_400_000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  test.each(['', '15', '15 m', '1.5h', '-1s', '30m1h', '1s1s', '1M', '1h 30m'])('%j is no duration', (text) => {
    expect(parseDurationMs(text)).toBeNull();
  });
});

describe('sizes', () => {
  test.each([
    ['512B', 512],
    ['64KiB', 65_536],
    ['2GiB', 2_147_483_648],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });

  test.each(['', '64', '64KB', '1.5MiB', '-1B', '999999999999GiB'])('%j is no size', (text) => {
    expect(parseSizeBytes(text)).toBeNull();
  });
});

describe('suggestions', () => {
  test.each([
    ['tokn', 'token'],
    ['tokne', 'token'],
    ['passwrod', 'password'],
    ['Token', 'token'],
  ])('%s was meant to be %s', (word, meant) => {
    expect(suggest(word, ['anyone', 'token', 'password'])).toBe(meant);
  });

  test('a word unlike all known words gets no suggestion', () => {
    expect(suggest('bearer', ['anyone', 'token', 'password'])).toBeUndefined();
  });
});
