// One mailbox has one normal form, and a text that is no plain address has none.

import { expect, test } from 'vitest';
import { domainOf, normaliseMailAddress } from '../../../gateway/core/model/mail-address.ts';
import { isMailbox } from '../../../gateway/core/model/mailbox.ts';

test.each([
  ['Anna@Example.ORG', 'anna@example.org'],
  ['  anna@example.org\n', 'anna@example.org'],
  ['anna+films@example.org', 'anna+films@example.org'],
  ["o'neil@example.org", "o'neil@example.org"],
  // NFC: one letter or letter and accent
  ['rene\u0301@example.org', 'ren\u00e9@example.org'],
  ['anna@b\u00fccher.example', 'anna@xn--bcher-kva.example'],
  ['anna@xn--bcher-kva.example', 'anna@xn--bcher-kva.example'],
  // the Kelvin sign folds to k: mail goes to the folded form, so whoever registers it gets nothing of k's
  ['\u212aim@example.org', 'kim@example.org'],
  ['root@localhost', 'root@localhost'],
])('%j has the normal form %j', (typed, address) => {
  expect(normaliseMailAddress(typed)).toBe(address);
  expect(isMailbox(address)).toBe(true);
});

test.each([
  '',
  'anna',
  '@example.org',
  'anna@',
  'anna@example',
  'anna@example.org.',
  'anna@example..org',
  'anna@-example.org',
  'anna@127.0.0.1',
  'anna@0x7f.1',
  'anna@[127.0.0.1]',
  'anna@example.org:25',
  'anna@example.org/x',
  'anna@exam%70le.org',
  'anna@exa\u00admple.org',
  'Anna <anna@example.org>',
  '"anna b"@example.org',
  'anna b@example.org',
  'anna@example.org,ben@example.org',
  'anna@evil.org@example.org',
  '.anna@example.org',
  'an..na@example.org',
  'anna.@example.org',
  'anna\r\nBcc: x@example.org',
  'an\u0000na@example.org',
  'an\u202ena@example.org',
  `${'a'.repeat(65)}@example.org`,
  `${'a'.repeat(60)}@${'b.'.repeat(100)}org`,
  'a'.repeat(100_000),
])('%j is no mail address', (typed) => {
  expect(normaliseMailAddress(typed)).toBeNull();
});

test('normalising twice changes nothing', () => {
  for (const typed of ['\u0130stanbul@example.org', 'STRASSE\u00df@B\u00dcCHER.example', '\ufb01sh@example.org']) {
    const once = normaliseMailAddress(typed) ?? '';
    expect(normaliseMailAddress(once)).toBe(once);
  }
});

test('the domain is what stands behind the last @', () => {
  expect(domainOf('anna@example.org')).toBe('example.org');
});
