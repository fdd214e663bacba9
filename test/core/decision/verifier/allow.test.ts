// `allow` of a route: whom `decide` lets in, by every kind of credential. gateway/RULES.md "Whom a route lets in".

import { afterAll, describe, expect, test } from 'vitest';
import { compileSnapshot } from '../../../../gateway/config/compile.ts';
import { decide } from '../../../../gateway/core/decision/decide.ts';
import type { RequestFacts } from '../../../../gateway/core/decision/state/facts.ts';
import { type Answers, noAnswers } from '../../../../gateway/core/decision/state/lookups.ts';
import { isNoLooser } from '../../../../gateway/core/decision/state/route-strictness.ts';
import type { LiveIndex } from '../../../../gateway/core/decision/state/snapshot.ts';
import { groupsNode } from '../../../../gateway/core/model/node-id.ts';
import { mintToken, verifyToken } from '../../../../gateway/core/token/common-key-token.ts';
import { ConfigFolder, minimalYaml } from '../../../support/rigs/config-folder.ts';
import { exp, ring, signingKey } from '../../token/signed-token.ts';

const folder = new ConfigFolder();
afterAll(() => folder.remove());

const host = 'a.example';
const now = exp - 100;
const place = { epoch: 'e', seq: 5 };
const rule = 'allow: { groups: [staff], accounts: [Anna@Example.org], domains: [firm.example, "*.branch.example"] }';
const config = folder.config(`${minimalYaml.replace(/routes.*/, '')}
portal: { public_url: "http://portal.example" }
routes:
  - { name: named, path: /, upstream: web, accept: [token, session, member], ${rule} }
  - { name: members, path: /m/, upstream: web, accept: [member], ${rule} }
  - { name: either, path: /either/, upstream: web, accept: [member, session] }
  - { name: wider, path: /wider/, upstream: web, accept: [token, session, member], allow: { groups: [staff, editors], domains: ["*.branch.example", example.org, firm.example] } }
`);
const snapshot = compileSnapshot(config, 1, { routes: [0, 1, 2, 3], upstreams: [0] }, 1);

/** An index that knows these revocations, one place of the log after the tokens were made. */
function liveWith(...revoked: string[]): LiveIndex {
  return {
    verify: (token) => verifyToken(token, ring),
    isOurs: (token) => ring.isNamedBy(token),
    isRevoked: () => false,
    hasRevoked: (nodes, { seq }) => seq <= place.seq && nodes.some((node) => revoked.includes(node)),
    placesAhead: () => 0,
    isForeign: () => false,
    findAccess: () => null,
    position: place,
    indexAgeMs: 0,
  };
}

const bare = {
  ...{ method: 'GET', host, pathNeeds: 0, clientAddress: '192.0.2.1', isReserved: false },
  ...{ explicitToken: null, explicitForm: null, explicitCount: 0, moreTokens: [], passCookies: [] },
  ...{ sessionCookie: null, linkTokens: 0, basic: null },
} as const;

const account = { sub: 'ac_1', sid: 'se_1', did: 'dv_1', n: ['ac_1', 'se_1', 'dv_1'] };

function session(claims: object, seq = place.seq): string {
  const own = { ...account, aud: [host], iat: now, exp: now + 90, v: [place.epoch, seq], ...claims };
  return mintToken(own, { key: signingKey('inner'), type: 'session' });
}

function pass(claims: object): string {
  const own = { ...account, grant: 'me_1', hosts: [host], paths: ['/*'], iat: now, exp: now + 90, v: [place.epoch, 5] };
  return mintToken({ ...own, ...claims }, { key: signingKey(), type: 'pass' });
}

function outside(claims: object): string {
  return mintToken({ paths: ['/*'], iat: now, exp: now + 90, ...claims }, { key: signingKey(), type: 'outside' });
}

function ask(facts: Partial<RequestFacts>, live = liveWith(), answers: Answers | null = null): string {
  const decision = decide({ ...bare, path: '/a', ...facts }, snapshot, live, now, answers);
  if (decision.kind === 'lookup') return `asks ${decision.question}`;
  return decision.kind === 'allow' ? `allow ${decision.how}` : `${decision.reason} ${decision.leadsTo}`;
}

const bearer = (claims: object): Partial<RequestFacts> => ({
  ...{ explicitToken: outside(claims), explicitForm: 'bearer', explicitCount: 1 },
});

function answered(claims: object): Answers {
  const scope = { host, path: '/', methods: null, untilAt: null };
  const granted = {
    kind: 'granted',
    position: place,
    subjects: ['ac_1'],
    nodes: ['ac_1'],
    grant: 'me_1',
    scope,
  } as const;
  return { ...noAnswers, access: { ...granted, claims: { sub: 'ac_1', ...claims } } };
}

describe.each<[claims: object, isAmong: boolean]>([
  [{ groups: ['staff'] }, true],
  [{ groups: ['family', 'staff'], email: 'x@elsewhere.example' }, true],
  [{ email: 'anna@example.org' }, true],
  [{ email: 'ben@firm.example' }, true],
  [{ email: 'ben@a.branch.example' }, true],
  [{}, false],
  [{ groups: [] }, false],
  [{ groups: ['Staff', 'staff2'] }, false],
  [{ email: 'ben@example.org' }, false],
  [{ email: 'ben@sub.firm.example' }, false],
  [{ email: 'ben@branch.example' }, false],
  [{ email: 'ben@firm.example.evil.example' }, false],
  [{ email: 'anna@example.org@evil.example' }, false],
])('%j', (claims, isAmong) => {
  test('by an outside token', () => {
    expect(ask(bearer(claims))).toBe(isAmong ? 'allow token' : 'not-allowed-here nowhere');
  });

  test('by a pass: who is not named is led to sign in, since another account may be', () => {
    expect(ask({ passCookies: [pass(claims)] })).toBe(isAmong ? 'allow pass' : 'not-allowed-here sign-in');
  });

  test('by a session', () => {
    expect(ask({ sessionCookie: session(claims) })).toBe(isAmong ? 'allow session' : 'not-allowed-here nowhere');
  });

  test('by membership', () => {
    const facts = { path: '/m/a', sessionCookie: session(claims) };
    expect(ask(facts, liveWith(), answered(claims))).toBe(isAmong ? 'allow member' : 'not-allowed-here nowhere');
  });
});

test('an address that a holder of the common key wrote in another form is the same address', () => {
  expect(ask(bearer({ email: 'ANNA@EXAMPLE.ORG' }))).toBe('allow token');
  expect(ask(bearer({ email: 'x@firm.example, anna@example.org' }))).toBe('not-allowed-here nowhere');
});

test('no look-up is needed, and a good pass behind a session that is not named still lets in', () => {
  const both = { passCookies: [pass({ sub: 'ac_2', groups: ['staff'] })], sessionCookie: session({}) };
  expect(ask(both)).toBe('allow pass');
});

describe('after the groups of the account changed', () => {
  const changed = liveWith(groupsNode('ac_1'));

  test('its session is asked about, and the new token decides', () => {
    const facts = { sessionCookie: session({ groups: ['staff'] }) };
    expect(ask(facts, changed)).toBe('asks session');
    const renewed = (claims: object): Answers => ({
      ...noAnswers,
      session: { kind: 'renewed', token: session(claims, place.seq + 1), maxAgeSeconds: 60 },
    });
    expect(ask(facts, changed, renewed({ groups: ['staff'] }))).toBe('allow session');
    expect(ask(facts, changed, renewed({ groups: ['family'] }))).toBe('not-allowed-here nowhere');
  });

  test('an answer that is older than the change lets nobody in', () => {
    const late = session({ groups: ['staff'] });
    const answers: Answers = { ...noAnswers, session: { kind: 'renewed', token: late, maxAgeSeconds: 60 } };
    expect(ask({ sessionCookie: late }, changed, answers)).toBe('control-away nowhere');
    expect(ask({ sessionCookie: late }, changed, { ...noAnswers, session: { kind: 'ended' } })).toBe(
      'no-credential sign-in',
    );
  });

  test('its passes count as absent here, and go on where nobody is named', () => {
    expect(ask({ passCookies: [pass({ groups: ['staff'] })] }, changed)).toBe('no-credential sign-in');
    expect(ask({ path: '/either/a', passCookies: [pass({ groups: ['staff'] })] }, changed)).toBe('allow pass');
    expect(ask({ path: '/either/a', sessionCookie: session({}) }, changed)).toBe('allow session');
  });
});

test('a route for fewer people is stricter, and one without allow is never as strict', () => {
  const [named, , , wider] = ['/', '/m/', '/either/', '/wider/'].map((path) => snapshot.routes.find(host, path));
  if (named == null || wider == null) throw new Error('no such route');
  expect(isNoLooser(named, wider)).toBe(true);
  expect(isNoLooser(wider, named)).toBe(false);
  expect(isNoLooser({ ...named, allow: null }, named)).toBe(false);
  expect(isNoLooser(named, { ...named, allow: null })).toBe(true);
});

test.each([
  ['accept: [anyone], allow: { groups: [a] }', 'routes[0].accept[0]: anyone lets everybody in, and allow names some'],
  ['accept: [password], allow: { groups: [a] }', 'routes[0].accept[0]: a password of the users file says neither'],
  ['accept: [token], allow: {}', 'routes[0].allow: names nobody (name groups, accounts or domains, or drop it)'],
  ['accept: [token], allow: { groups: ["a,b"] }', 'routes[0].allow.groups[0]: "a,b" is not the name of a group'],
  ['accept: [token], allow: { accounts: [anna] }', 'routes[0].allow.accounts[0]: "anna" is not a mail address'],
  ['accept: [token], allow: { domains: ["a@b.example"] }', 'routes[0].allow.domains[0]: '],
])('%s is a problem of the file', (fields, problem) => {
  const yaml = minimalYaml.replace('path: /, upstream: web, accept: [token]', `path: /, upstream: web, ${fields}`);
  expect(folder.problems(`${yaml}\nusers_file: users`).join('\n')).toContain(problem);
});
