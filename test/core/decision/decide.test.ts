// Only `decide` makes permits, and what a refusal holds. Verdicts on requests are tested at the edge, from bytes on.

import { afterAll, expect, test } from 'vitest';
import { compileSnapshot } from '../../../gateway/config/compile.ts';
import { decide, isPermit } from '../../../gateway/core/decision/decide.ts';
import type { RequestFacts } from '../../../gateway/core/decision/state/facts.ts';
import type { LiveIndex } from '../../../gateway/core/decision/state/snapshot.ts';
import { verifyToken } from '../../../gateway/core/token/common-key-token.ts';
import { ConfigFolder } from '../../support/rigs/config-folder.ts';
import { exp, ring, withClaims } from '../token/signed-token.ts';

const folder = new ConfigFolder();
afterAll(() => folder.remove());
const config = folder.config(`
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes:
  - { name: closed, path: /, upstream: web, accept: [token] }
  - { name: open, path: /open/, upstream: web, accept: [anyone] }
`);
const snapshot = compileSnapshot(config, 1, { routes: [0, 1], upstreams: [0] }, 1);

const live: LiveIndex = {
  verify: (token) => verifyToken(token, ring),
  isOurs: (token) => ring.isNamedBy(token),
  isRevoked: () => false,
  hasRevoked: () => false,
  placesAhead: () => 0,
  isForeign: () => false,
  findAccess: () => null,
  position: null,
  indexAgeMs: 0,
};

function requestFor(path: string, token: string | null = null): RequestFacts {
  return {
    ...{ method: 'GET', host: 'a.example', path, pathNeeds: 0, clientAddress: '192.0.2.1', isReserved: false },
    ...{ explicitToken: token, explicitForm: token === null ? null : 'bearer', explicitCount: token === null ? 0 : 1 },
    ...{ moreTokens: [], passCookies: [], sessionCookie: null, linkTokens: 0, basic: null },
  };
}

test('only an object that decide made is a permit, not an equal one', () => {
  const permit = decide(requestFor('/open/a'), snapshot, live, exp - 10, null);
  expect(permit.kind).toBe('allow');
  expect(isPermit(permit)).toBe(true);
  expect(isPermit({ ...permit })).toBe(false);
  expect(isPermit(Object.create(permit))).toBe(false);
});

test('a permit names the kind of credential, its place and its token', () => {
  const token = withClaims({ exp, paths: ['/*'], sub: 'anna' });
  const permit = decide(requestFor('/a', token), snapshot, live, exp - 10, null);
  expect(permit).toMatchObject({ kind: 'allow', how: 'token', place: 'bearer', claims: { sub: 'anna' }, issue: null });
});

test('the refusal of an expired token holds the verified token', () => {
  const token = withClaims({ exp, paths: ['/*'], sub: 'anna' });
  const denial = decide(requestFor('/a', token), snapshot, live, exp + 60, null);
  expect(denial).toMatchObject({ kind: 'deny', reason: 'token-expired', presented: true, leadsTo: 'nowhere' });
  expect(denial.kind === 'deny' && denial.ranOut?.claims.sub).toBe('anna');
});

test('every other refusal holds no token', () => {
  for (const token of [withClaims({ exp, paths: ['/b/*'] }), 'x', null]) {
    const denial = decide(requestFor('/a', token), snapshot, live, exp - 10, null);
    expect(denial).toMatchObject({ kind: 'deny', ranOut: null });
  }
});
