// Which passwords, names and groups an account may have, and what a device is called.

import { expect, test } from 'vitest';
import {
  accountStanding,
  normaliseDisplayName,
  normaliseGroups,
  refusePassword,
} from '../../../gateway/core/model/account.ts';
import { deviceNameOf, normaliseDeviceName } from '../../../gateway/core/model/device-name.ts';

const address = 'anna.lindqvist@example.org';

test.each([
  ['short pwd', 'too-short'],
  // ten characters, not ten bytes: five letters of four bytes are five
  ['\u{1f511}'.repeat(9), 'too-short'],
  ['x'.repeat(1025), 'too-long'],
  ['\u00e9'.repeat(513), 'too-long'],
  ['Anna.Lindqvist@example.org', 'is-the-address'],
  ['anna.lindqvist', 'is-the-address'],
  ['Password123', 'too-common'],
  ['QWERTYUIOP', 'too-common'],
  ['aaaaaaaaaaaa', 'too-common'],
  ['121212121212', 'too-common'],
  ['klmnopqrstuv', 'too-common'],
  ['9876543210', 'too-common'],
] as const)('the password %j is refused: %s', (password, why) => {
  expect(refusePassword(password, address)).toBe(why);
});

test.each(['ten chars!', 'a longer sentence with spaces', '\u00e9\u00e9\u00e9klatant', `${'x1'.repeat(200)}!`])(
  'the password %j may be chosen',
  (password) => {
    expect(refusePassword(password, address)).toBeNull();
  },
);

test('an account is usable when it is active and its address verified, and only then', () => {
  expect(accountStanding({ state: 'active', emailVerifiedAt: 1 })).toBe('usable');
  expect(accountStanding({ state: 'active', emailVerifiedAt: null })).toBe('unverified');
  expect(accountStanding({ state: 'disabled', emailVerifiedAt: 1 })).toBe('disabled');
  expect(accountStanding({ state: 'deleted', emailVerifiedAt: null })).toBe('deleted');
});

test('a name is one line of visible characters', () => {
  expect(normaliseDisplayName('  Anna \u00a0 Lindqvist ')).toBe('Anna Lindqvist');
  expect(normaliseDisplayName('')).toBe('');
  for (const text of ['Anna\nBen', 'Anna\u202e', 'Anna\u0000', 'x'.repeat(101)])
    expect(normaliseDisplayName(text)).toBeNull();
});

test('groups are sorted, each once, and none can end a header value or begin another group', () => {
  expect(normaliseGroups(['staff', ' admins ', 'staff'])).toEqual(['admins', 'staff']);
  for (const group of ['a,b', 'a\r\nb', '', 'x'.repeat(65)]) expect(normaliseGroups([group])).toBeNull();
  expect(normaliseGroups(Array.from({ length: 65 }, (_, index) => `g${index}`))).toBeNull();
  const long = (count: number) => Array.from({ length: count }, (_, index) => `${index + 10}${'ü'.repeat(31)}`);
  expect(normaliseGroups(long(15))).toHaveLength(15);
  expect(normaliseGroups(long(16))).toBeNull();
});

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 'Firefox on Linux'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    'Safari on an iPhone',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0',
    'Edge on Windows',
  ],
  [
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
    'Chrome on an Android phone',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
    'Safari on a Mac',
  ],
  ['Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/94.0 Safari/537.36', 'Chrome on a television'],
  ['curl/8.5.0', 'curl'],
  ['', 'A browser'],
  ['<script>alert(1)</script>', 'A browser'],
])('%j is called %j', (userAgent, name) => {
  expect(deviceNameOf(userAgent)).toBe(name);
});

test('a device may be called anything that is one short line', () => {
  expect(normaliseDeviceName(' kitchen tablet ')).toBe('kitchen tablet');
  for (const text of ['', '   ', 'a\nb', 'x'.repeat(61)]) expect(normaliseDeviceName(text)).toBeNull();
});
