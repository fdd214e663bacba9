// The Cache-Control of answers that a credential opened: RFC 9111 §5.2.2, and fields for one kind of shared caches.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTargetedCacheField, privateCacheControl } from '../../../../gateway/core/decision/policy/cache-control.ts';

describe('a Cache-Control under which shared caches store nothing', () => {
  test.each([
    ['', 'private'],
    ['max-age=60', 'private, max-age=60'],
    ['public, max-age=60', 'private, max-age=60'],
    ['public', 'private'],
    ['PUBLIC,S-MaxAge=9', 'private'],
    ['s-maxage=600, max-age=1', 'private, max-age=1'],
    ['s-maxage = 600', 'private'],
    ['private, max-age=60', 'private, max-age=60'],
    ['Private', 'Private'],
    ['private="Set-Cookie", max-age=60', 'private, max-age=60'],
    ['private=x', 'private'],
    ['no-store', 'no-store'],
    ['no-store, public', 'no-store'],
    ['no-store="x"', 'private, no-store="x"'],
    ['no-cache="a, public", max-age=0', 'private, no-cache="a, public", max-age=0'],
    ['ext="a\\", private"', 'private, ext="a\\", private"'],
    ['no-cache, , must-revalidate,', 'private, no-cache, must-revalidate'],
    ['xprivate, privatex', 'private, xprivate, privatex'],
    ['ext="private, public', 'private, no-store'],
    ['ext="a\\"', 'private, no-store'],
    ['ext="a\\', 'private, no-store'],
    ['""public', 'private, no-store'],
    ['max-age=5, ""s-maxage=1', 'private, no-store'],
  ])('%j becomes %j', (said, kept) => {
    expect(privateCacheControl(said)).toBe(kept);
  });

  test('stays as it is the second time, and never lets a shared cache store it', () => {
    const piece = fc.constantFrom(
      'public',
      'private',
      's-maxage=1',
      'no-store',
      '"',
      '\\',
      ',',
      ' ',
      '=',
      'max-age=5',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const kept = privateCacheControl(pieces.join(''));
        expect(privateCacheControl(kept)).toBe(kept);
        const bare = kept
          .replace(/"(?:[^"\\]|\\.)*"/g, '')
          .split(',')
          .map((part) => part.trim());
        expect(bare.includes('private') || bare.includes('no-store')).toBe(true);
        expect(bare).not.toContain('public');
        expect(bare.filter((part) => part.startsWith('s-maxage'))).toEqual([]);
      }),
    );
  });
});

test.each([
  ['cdn-cache-control', true],
  ['surrogate-control', true],
  ['edge-control', true],
  ['x-accel-expires', true],
  ['cloudflare-cdn-cache-control', true],
  ['cache-control', false],
  ['surrogate-key', false],
])('%s is for shared caches alone: %s', (name, isTargeted) => {
  expect(isTargetedCacheField(name)).toBe(isTargeted);
});
