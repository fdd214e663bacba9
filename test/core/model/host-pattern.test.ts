// Which hosts a pattern matches, and which certificate, policy or group of routes a host name finds.

import { expect, test } from 'vitest';
import {
  anyMatchesHost,
  compileHostPatterns,
  HostTable,
  hostPatternsMeet,
  matchesHost,
} from '../../../gateway/core/model/host-pattern.ts';

function names(reach: 'one-label' | 'any-depth'): HostTable<string> {
  const table = new HostTable<string>(reach);
  for (const pattern of ['example.org', '*.example.org', 'a.example.org', '*.b.example.org'])
    table.add(pattern, pattern);
  return table;
}

test('an exact name comes before a wildcard', () => {
  expect(names('one-label').find('a.example.org')).toBe('a.example.org');
  expect(names('one-label').find('example.org')).toBe('example.org');
});

test('RFC 9525 §6.3: the wildcard of a certificate stands for one label', () => {
  expect(names('one-label').find('c.example.org')).toBe('*.example.org');
  expect(names('one-label').find('d.c.example.org')).toBeNull();
  expect(names('one-label').find('d.b.example.org')).toBe('*.b.example.org');
  expect(names('one-label').find('.example.org')).toBeNull();
});

test('the wildcard of a host policy stands for any number of labels, and the longest wildcard wins', () => {
  expect(names('any-depth').find('d.c.example.org')).toBe('*.example.org');
  expect(names('any-depth').find('e.d.b.example.org')).toBe('*.b.example.org');
  expect(names('any-depth').find('example.com')).toBeNull();
});

test('the first value for a pattern stays', () => {
  const table = new HostTable<number>('one-label');
  table.add('example.org', 1);
  table.add('example.org', 2);
  expect(table.find('example.org')).toBe(1);
});

test('a pattern matches its own name, a wildcard every name below and not the name itself', () => {
  expect(matchesHost('example.org', 'example.org')).toBe(true);
  expect(matchesHost('example.org', 'a.example.org')).toBe(false);
  expect(matchesHost('*.example.org', 'b.a.example.org')).toBe(true);
  expect(matchesHost('*.example.org', 'example.org')).toBe(false);
  expect(matchesHost('*.example.org', 'badexample.org')).toBe(false);
});

test('a compiled list matches as its patterns do one by one', () => {
  const patterns = ['example.org', '*.b.example.org'];
  const compiled = compileHostPatterns(patterns);
  for (const host of ['example.org', 'b.example.org', 'a.b.example.org', '.b.example.org', 'org', '']) {
    const expected = patterns.some((pattern) => matchesHost(pattern, host));
    expect(anyMatchesHost(compiled, host), host).toBe(expected);
  }
});

test('two patterns meet where a host matches both', () => {
  expect(hostPatternsMeet('*.example.org', '*.a.example.org')).toBe(true);
  expect(hostPatternsMeet('a.example.org', '*.example.org')).toBe(true);
  expect(hostPatternsMeet('example.org', '*.example.org')).toBe(false);
  expect(hostPatternsMeet('*.a.example.org', '*.b.example.org')).toBe(false);
});
