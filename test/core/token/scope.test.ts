// When a token holds, and which requests it opens.

import { describe, expect, it } from 'vitest';
import type { ScopeFacts, ScopeRules } from '../../../gateway/core/token/common-key-token.ts';
import { checkScope, checkTimes, mintToken, verifyToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';

const ring = buildKeyRing([
  { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret: new Uint8Array(32) },
]);
const now = 1_800_000_000;

function verified(claims: object) {
  const key = ring.signer('content');
  if (key === null) throw new Error('no key');
  const token = verifyToken(mintToken({ exp: now + 60, ...claims }, { key, type: 'outside' }), ring);
  if (token.kind === 'refused') throw new Error(token.detail);
  return token;
}

describe('checkTimes', () => {
  const cases: readonly (readonly [string, object, string | null])[] = [
    ['holds before exp', { exp: now + 1 }, null],
    ['holds within the skew after exp', { exp: now - 4 }, null],
    ['has ended at exp + skew', { exp: now - 5 }, 'token-expired'],
    ['holds when nbf is within the skew', { nbf: now + 5 }, null],
    ['does not hold before nbf', { nbf: now + 6 }, 'token-not-yet-valid'],
    ['holds when iat is within the skew', { iat: now + 5 }, null],
    ['does not hold when issued in the future', { iat: now + 6 }, 'token-issued-ahead'],
    ['holds for the longest life', { iat: now - 40, exp: now + 60 }, null],
    ['does not hold for longer', { iat: now - 41, exp: now + 60 }, 'token-lives-too-long'],
    ['holds for the longest life and skew without iat', { exp: now + 105 }, null],
    ['does not hold for longer without iat', { exp: now + 106 }, 'token-lives-too-long'],
    ['does not hold for ever', { exp: Number.MAX_SAFE_INTEGER }, 'token-lives-too-long'],
  ];

  it.each(cases)('%s', (_name, claims, reason) => {
    expect(checkTimes(verified(claims), now, 5, 100)).toBe(reason);
  });
});

describe('checkScope', () => {
  const route: ScopeRules = { unscopedTokens: 'refuse', audience: [] };
  const facts: ScopeFacts = { method: 'GET', host: 'app.example.org', path: '/vod/a.ts', clientAddress: '192.0.2.1' };
  const paths = ['/vod/*'];

  const cases: readonly (readonly [string, object, Partial<ScopeRules>, Partial<ScopeFacts>, string | null])[] = [
    ['opens its path', { paths }, {}, {}, null],
    ['does not open another path', { paths }, {}, { path: '/live/a.ts' }, 'outside-path'],
    ['looks at every pattern', { paths: ['/x', '/vod/*'] }, {}, {}, null],
    ['without paths is unscoped', {}, {}, {}, 'token-unscoped'],
    ['without paths opens a route that allows it', {}, { unscopedTokens: 'allow' }, {}, null],
    ['with empty paths opens nothing, there neither', { paths: [] }, { unscopedTokens: 'allow' }, {}, 'outside-path'],
    ['opens its method', { paths, methods: ['POST'] }, {}, { method: 'POST' }, null],
    ['does not open another method', { paths, methods: ['POST'] }, {}, {}, 'outside-method'],
    ['opens HEAD with GET', { paths, methods: ['GET'] }, {}, { method: 'HEAD' }, null],
    ['does not open GET with HEAD', { paths, methods: ['HEAD'] }, {}, {}, 'outside-method'],
    ['takes methods as they are written', { paths, methods: ['GET'] }, {}, { method: 'get' }, 'outside-method'],
    ['with empty methods opens nothing', { paths, methods: [] }, {}, {}, 'outside-method'],
    ['opens its host', { paths, hosts: ['app.example.org'] }, {}, {}, null],
    ['opens hosts below its wildcard', { paths, hosts: ['x', '*.example.org'] }, {}, {}, null],
    ['does not open the parent of its wildcard', { paths, hosts: ['*.app.example.org'] }, {}, {}, 'outside-host'],
    [
      'does not open a host that only ends alike',
      { paths, hosts: ['example.org'] },
      {},
      { host: 'badexample.org' },
      'outside-host',
    ],
    ['with empty hosts opens nothing', { paths, hosts: [] }, {}, {}, 'outside-host'],
    ['opens for its address', { paths, ips: ['192.0.2.0/24'] }, {}, { clientAddress: '::ffff:192.0.2.9' }, null],
    [
      'does not open for another address',
      { paths, ips: ['192.0.2.0/24'] },
      {},
      { clientAddress: '2001:db8::1' },
      'outside-address',
    ],
    ['with empty ips opens nothing', { paths, ips: [] }, {}, {}, 'outside-address'],
    ['with aud is refused where no audience is set', { paths, aud: 'media' }, {}, {}, 'token-wrong-audience'],
    ['with empty aud is refused where no audience is set', { paths, aud: [] }, {}, {}, 'token-wrong-audience'],
    ['without aud is refused where one is set', { paths }, { audience: ['media'] }, {}, 'token-wrong-audience'],
    [
      'with another aud is refused',
      { paths, aud: ['Media', 'x'] },
      { audience: ['media'] },
      {},
      'token-wrong-audience',
    ],
    ['with one of the audiences opens', { paths, aud: ['x', 'media'] }, { audience: ['y', 'media'] }, {}, null],
    ['is judged by audience first', { paths, aud: 'x' }, {}, { path: '/live/' }, 'token-wrong-audience'],
  ];

  it.each(cases)('a token %s', (_name, claims, rules, asked, reason) => {
    expect(checkScope(verified(claims), { ...route, ...rules }, { ...facts, ...asked })).toBe(reason);
  });
});
