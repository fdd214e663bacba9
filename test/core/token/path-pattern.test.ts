// Path patterns, by examples and against a model made of regular expressions.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePathPattern } from '../../../gateway/core/token/path-pattern.ts';

const examples: readonly (readonly [string, string, boolean])[] = [
  ['/vod/*', '/vod/a.ts', true],
  ['/vod/*', '/vod/a/b/c.ts', true],
  ['/vod/*', '/vod/', true],
  ['/vod/*', '/vod', false],
  ['/vod/*', '/vodka/a', false],
  ['/vod/*', '/x/vod/a', false],
  ['/*', '/', true],
  ['/*', '/a/b', true],
  ['/vod/a.ts', '/vod/a.ts', true],
  ['/vod/a.ts', '/vod/a.tsx', false],
  ['/vod/a.ts', '/vod/a.ts/', false],
  ['/vod/', '/vod/', true],
  ['/vod/', '/vod/a', false],
  ['/vod/*.ts', '/vod/a.ts', true],
  ['/vod/*.ts', '/vod/.ts', true],
  ['/vod/*.ts', '/vod/a/b.ts', false],
  ['/vod/*.ts', '/vod/a.ts/b', false],
  ['/vod/*.ts', '/vod/a.tsx', false],
  ['/vod/seg-*', '/vod/seg-1', true],
  ['/vod/seg-*', '/vod/seg-1/x', false],
  ['/vod/*/720p/*', '/vod/m/720p/a/b', true],
  ['/vod/*/720p/*', '/vod/m/720p/', true],
  ['/vod/*/720p/*', '/vod/m/720p', false],
  ['/vod/*/720p/*', '/vod/m/n/720p/a', false],
  ['/vod/*/', '/vod/m/', true],
  ['/vod/*/', '/vod/m', false],
  ['/vod/*/', '/vod/m/x', false],
  ['/a*b*c', '/abc', true],
  ['/a*b*c', '/axxbyyc', true],
  ['/a*b*c', '/axxcyyb', false],
  ['/a*a', '/a', false],
  ['/ab*ba', '/aba', false],
  ['/u/%C3%A9*', '/u/%C3%A9t', true],
];

describe('compilePathPattern', () => {
  it.each(examples)('%s on %s is %s', (pattern, path, expected) => {
    expect(compilePathPattern(pattern)?.matches(path)).toBe(expected);
  });

  it.each([
    '',
    '*',
    'vod/*',
    '/vod/**',
    '/vod/../*',
    '/vod//*',
    '/vod/%2e%2e/*',
    '/%2f*',
    '/a%*',
    '/vod?x',
    '/vod#x',
    '/vod\\x',
    '/vod\nx',
    '/\ud800',
  ])('refuses the pattern %j', (pattern) => {
    expect(compilePathPattern(pattern)).toBeNull();
  });

  it('agrees with a model', () => {
    const segment = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 5 });
    const pattern = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((segments) => `/${segments.join('/')}`)
      .filter((text) => !text.includes('**'));
    const path = fc
      .array(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 }), { maxLength: 5 })
      .map((segments) => `/${segments.join('/')}`);
    fc.assert(
      fc.property(pattern, path, (text, at) => {
        const model = text
          .replace(/\/\*$/, '/@')
          .split('/')
          .map((part) => (part === '*' ? '[^/]+' : part.replaceAll('*', '[^/]*')))
          .join('/')
          .replace('@', '.*');
        expect(compilePathPattern(text)?.matches(at)).toBe(new RegExp(`^${model}$`).test(at));
      }),
      { numRuns: 5000 },
    );
  });

  it('stays linear where a backtracking matcher would not end', () => {
    const pattern = compilePathPattern(`/${'a*'.repeat(1000)}b`);
    const path = `/${'a'.repeat(8000)}`;
    const started = process.cpuUsage();
    for (let round = 0; round < 100; round++) expect(pattern?.matches(path)).toBe(false);
    expect(process.cpuUsage(started).user).toBeLessThan(500_000);
  });
});
