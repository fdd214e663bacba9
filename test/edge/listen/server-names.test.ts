// Which certificate or policy a host name finds.

import { expect, test } from 'vitest';
import { ServerNames } from '../../../gateway/edge/listen/server-names.ts';

function names(reach: 'one-label' | 'any-depth'): ServerNames<string> {
  const table = new ServerNames<string>(reach);
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

test('the wildcard of a host policy stands for every depth, the nearest one first', () => {
  expect(names('any-depth').find('d.c.example.org')).toBe('*.example.org');
  expect(names('any-depth').find('e.d.b.example.org')).toBe('*.b.example.org');
  expect(names('any-depth').find('example.com')).toBeNull();
});

test('the first one to claim a name keeps it', () => {
  const table = new ServerNames<number>('one-label');
  table.add('example.org', 1);
  table.add('example.org', 2);
  expect(table.find('example.org')).toBe(1);
});
