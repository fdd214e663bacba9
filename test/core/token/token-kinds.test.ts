// What stands on the wire for each kind of token: other servers read it, so it never changes.

import { expect, test } from 'vitest';
import { encodeJoseHeader } from '../../../gateway/core/token/jose-header.ts';
import { tokenKinds, tokenTypeOf, tokenTypes } from '../../../gateway/core/token/token-kinds.ts';

test.each([
  ['outside', '{"alg":"HS256","kid":"k1","typ":"JWT"}'],
  ['pass', '{"alg":"HS256","kid":"k1","typ":"lp+jwt"}'],
  ['session', '{"alg":"HS256","kid":"k1","typ":"ls+jwt"}'],
] as const)('the header of a token of kind %s is these bytes', (type, header) => {
  expect(Buffer.from(encodeJoseHeader('k1', type), 'base64url').toString()).toBe(header);
});

test('RFC 8725 §3.11: a typ is one kind or none, letter by letter', () => {
  for (const type of tokenTypes) expect(tokenTypeOf(tokenKinds[type].typ)).toBe(type);
  expect(tokenTypeOf(undefined)).toBe('outside');
  for (const typ of ['', 'jwt', 'LP+JWT', 'application/lp+jwt', 'la+jwt', 'at+jwt'])
    expect(tokenTypeOf(typ)).toBeNull();
});

test('whoever holds the common key can make no session', () => {
  expect(tokenKinds.session.purpose).toBe('internal');
  expect(tokenKinds.session.standsIn).toBe('session-cookie');
});
