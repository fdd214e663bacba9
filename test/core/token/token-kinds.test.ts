// What stands on the wire for each kind of token, which other servers read, so it never changes; and that the table says what the
// code does: which claims a kind requires, and who makes it.

import { globSync, readFileSync } from 'node:fs';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { judgeSession } from '../../../gateway/core/decision/verifier/judge-session.ts';
import { verifyToken } from '../../../gateway/core/token/common-key-token.ts';
import { encodeJoseHeader } from '../../../gateway/core/token/jose-header.ts';
import { type TokenType, tokenKinds, tokenTypeOf, tokenTypes } from '../../../gateway/core/token/token-kinds.ts';
import { type AnyNode, isNode, nameOf, readLiteral, visit } from '../../support/architecture/syntax-nodes.ts';
import { exp, ring, token } from './signed-token.ts';

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

test('a holder of the common key can make no session', () => {
  expect(tokenKinds.session.purpose).toBe('internal');
  expect(tokenKinds.session.standsIn).toBe('session-cookie');
});

const claimValues: Readonly<Record<string, unknown>> = {
  exp,
  sub: 'ac_1',
  sid: 'se_1',
  did: 'dv_1',
  aud: ['app.test'],
};

/** Whether a token of this kind with a good signature is one that holds, before any route is asked. */
function isTaken(type: TokenType, claims: object): boolean {
  const kid = tokenKinds[type].purpose === 'internal' ? 'inner' : 'k1';
  const text = token(`{"alg":"HS256","kid":"${kid}","typ":"${tokenKinds[type].typ}"}`, JSON.stringify(claims));
  if (type !== 'session') return verifyToken(text, ring).kind === 'verified';
  const live = { verify: (presented: string) => verifyToken(presented, ring) };
  return judgeSession(text, 'app.test', { clockSkewSeconds: 5 }, live, exp - 60).kind === 'live';
}

test.each(tokenTypes)(
  'a token of kind %s is refused without any one of its required claims, and needs no other',
  (type) => {
    const { requiredClaims } = tokenKinds[type];
    const whole = Object.fromEntries(requiredClaims.map((name) => [name, claimValues[name]]));
    expect(isTaken(type, whole)).toBe(true);
    for (const name of requiredClaims) expect(isTaken(type, { ...whole, [name]: undefined }), name).toBe(false);
  },
);

const roomOfMinter = { 'key-holder': 'cli', control: 'control', edge: 'edge' } as const;

test('each kind is made in the rooms that its row names, and nowhere else', () => {
  const made = globSync('gateway/**/*.ts')
    .filter((path) => readFileSync(path, 'utf8').includes('mintToken('))
    .flatMap((path) => typesMintedIn(path).map((type) => `${type} in ${path.split('/')[1]}`));
  const said = tokenTypes.flatMap((type) => tokenKinds[type].mintedBy.map((by) => `${type} in ${roomOfMinter[by]}`));
  expect([...new Set(made)].sort()).toEqual(said.sort());
});

/** The `type` that each call of `mintToken` in a file spells out; `unknown` where it is no literal. */
function typesMintedIn(path: string): string[] {
  const types: string[] = [];
  visit(parseSync(path, readFileSync(path, 'utf8')).program, (node) => {
    if (node.type !== 'CallExpression' || nameOf(node.callee) !== 'mintToken' || !Array.isArray(node.arguments)) return;
    const [, options]: readonly unknown[] = node.arguments;
    const properties = isNode(options) && Array.isArray(options.properties) ? options.properties.filter(isNode) : [];
    const type = properties.find((property: AnyNode) => nameOf(property.key) === 'type');
    types.push(readLiteral(type?.value) ?? 'unknown');
  });
  return types;
}
