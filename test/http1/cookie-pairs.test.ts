// How edges and control read a Cookie field: both in the same way, with SP and HT as the only blanks.

import { expect, test } from 'vitest';
import { cookieValueOf, cutCookieName, onlyCookieValueOf } from '../../gateway/http1/cookie-pairs.ts';

test.each([
  ['a=1', '1'],
  ['b=2; a=1; a=3', '1'],
  ['b=2;a=1', '1'],
  ['\t a \t=\t 1 \t;b=2', '1'],
  ['a=', ''],
  ['a=b=c', 'b=c'],
  ['a="1"', '"1"'],
  ['a=%31', '%31'],
  ['b="x; a=1; y"', '1'],
  ['a', null],
  ['=a=1', null],
  ['A=1', null],
  ['aa=1', null],
  ['b=a', null],
  ['\xa0a=1', null],
  ['a\xa0=1', null],
  ['\x0ba=1', null],
  ['\x0ca=1', null],
  ['\ufeffa=1', null],
  ['', null],
])('in the field %j the cookie a has the value %j', (field, value) => {
  expect(cookieValueOf(field, 'a')).toBe(value);
});

test('a value keeps every byte but SP and HT at its ends', () => {
  expect(cookieValueOf('a=\xa01\xa0', 'a')).toBe('\xa01\xa0');
  expect(cookieValueOf('a= \x85 ', 'a')).toBe('\x85');
});

test.each([
  ['a=1', '1'],
  ['a=1; a=1', '1'],
  ['a=1; a=2', ''],
  ['a=; a=2', ''],
  ['b=1', null],
])('for a cookie that a browser holds only once, the field %j gives %j', (field, value) => {
  expect(onlyCookieValueOf(field, 'a')).toBe(value);
});

test.each(['a', ' a', '\xa0a', '\xc2\xa0a\xc2\xa0', '"a"', '=a', '== "a', '\x1fa\x7f', '\ufeffa', '.a.', "'a'"])(
  'the cookie name %j is cut to a',
  (name) => {
    expect(cutCookieName(`${name}=1`)).toBe('a');
    expect(cutCookieName(name)).toBe('a');
  },
);

test('a name with letters or digits around it is another name', () => {
  for (const name of ['xa', 'a1', 'a_', '-a', 'a b']) expect(cutCookieName(`${name}=1`)).not.toBe('a');
});
