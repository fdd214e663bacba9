// Which claims a token may have, shown by whole tokens with a good MAC.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkTimes, verifyToken } from '../../../gateway/core/token/common-key-token.ts';
import { detailOf, exp, goodHeader, outcome, ring, token, withClaims } from './signed-token.ts';

describe('bad claims', () => {
  const bad: readonly (readonly [string, string | object])[] = [
    ['exp is missing', {}],
    ['exp is missing', { sub: 'u' }],
    ['exp is not', { exp: '1800000000' }],
    ['exp is missing', { exp: null }],
    ['exp is not', { exp: -0.5 }],
    ['exp is not', '{"exp":-1e400}'],
    ['exp is not', '{"exp":1e16}'],
    ['nbf is not', { exp, nbf: -0.1 }],
    ['n stands without v', { exp, n: ['ac_1'], v: null }],
    ['cred is not', { exp, cred: { id: 'c', v: null } }],
    ['groups is not a list', { exp, groups: [null] }],
    ['exp is not', { exp: -1 }],
    ['exp is not', { exp: true }],
    ['exp is not', '{"exp":1e400}'],
    ['exp is not', '{"exp":9007199254740992}'],
    ['nbf is not', { exp, nbf: '1' }],
    ['sub is not a string', { exp, sub: 7 }],
    ['iss is not a string', { exp, iss: ['a'] }],
    ['jti is not a string', { exp, jti: {} }],
    ['aud is neither', { exp, aud: 1 }],
    ['aud is neither', { exp, aud: ['a', 1] }],
    ['paths is not a list', { exp, paths: '/vod/*' }],
    ['paths is not a list', { exp, paths: [1] }],
    ['paths has an entry', { exp, paths: ['vod/*'] }],
    ['paths has an entry', { exp, paths: ['/vod/../*'] }],
    ['paths has an entry', { exp, paths: ['/vod/%6'] }],
    ['methods is not a list', { exp, methods: 'GET' }],
    ['methods has an entry', { exp, methods: ['get'] }],
    ['methods has an entry', { exp, methods: [''] }],
    ['hosts is not a list', { exp, hosts: {} }],
    ['hosts has an entry', { exp, hosts: ['Example.org'] }],
    ['hosts has an entry', { exp, hosts: ['example.org:80'] }],
    ['hosts has an entry', { exp, hosts: ['*'] }],
    ['hosts has an entry', { exp, hosts: ['a.*.b'] }],
    ['ips has an entry', { exp, ips: ['10.0.0.0/33'] }],
    ['ips has an entry', { exp, ips: ['localhost'] }],
    ['cred is not', { exp, cred: 'c' }],
    ['cred is not', { exp, cred: { id: 'c' } }],
    ['cred is not', { exp, cred: { id: 'c', v: 1.5 } }],
    ['cred is not', { exp, cred: { id: 1, v: 1 } }],
    ['n is not a list', { exp, n: 'ac_1', v: ['e', 1] }],
    ['n is not a list', { exp, n: ['ac_1', 2], v: ['e', 1] }],
    ['n is not a list', { exp, n: [''], v: ['e', 1] }],
    ['n is not a list', { exp, n: Array(17).fill('ac_1'), v: ['e', 1] }],
    ['n is not a list', { exp, n: ['a'.repeat(301)], v: ['e', 1] }],
    ['n stands without v', { exp, n: ['ac_1'] }],
    ['n stands without v', { exp, n: [] }],
    ['v is not', { exp, n: [], v: 1 }],
    ['v is not', { exp, n: [], v: ['e'] }],
    ['v is not', { exp, n: [], v: ['e', '1'] }],
    ['v is not', { exp, n: [], v: ['e', -1] }],
    ['v is not', { exp, n: [], v: ['e', 1.5] }],
    ['v is not', { exp, n: [], v: ['e', 1, 2] }],
    ['v is not', { exp, n: [], v: ['', 1] }],
    ['v is not', { exp, n: [], v: [1, 1] }],
    ['v is not', { exp, n: [], v: { epoch: 'e', seq: 1 } }],
    ['email is not a string', { exp, email: false }],
    ['groups is not a list', { exp, groups: 'a' }],
    ['groups holds a comma', { exp, groups: ['a,admin'] }],
    ['groups has an entry that is empty', { exp, groups: [''] }],
    ['groups has an entry that is empty', { exp, groups: [' admin'] }],
    ['amr holds a comma', { exp, amr: ['a,b'] }],
    ['begins or ends with a space', { exp, sub: 'admin ' }],
    ['the claims are not JSON', '{"exp":1'],
    ['the claims are not JSON', '\ufeff{"exp":1}'],
    ['the claims are not JSON', ' '],
    ['the claims are not a JSON object', '[1]'],
    ['the claims are not a JSON object', 'null'],
    ['the claims are not a JSON object', '"x"'],
    ['a member twice', `{"exp":1,"exp":${exp}}`],
    ['a member twice', `{"exp":${exp},"sub":"a","s\\u0075b":"b"}`],
    ['a member twice', `{"exp":${exp},"cred":{"id":"a","v":1,"v":2}}`],
    ['a member twice', `{"exp":${exp},"x":[{"a":1,"a" \t\r\n:2}]}`],
    ['nested deeper', `{"exp":${exp},"x":${'['.repeat(1000)}${']'.repeat(1000)}}`],
    ['exp is missing', '{"__proto__":{"exp":1800000000}}'],
  ];

  it.each(bad)('%s: %j', (detail, claims) => {
    const text = withClaims(claims);
    expect(outcome(text)).toBe('token-bad-claims');
    expect(detailOf(text)).toContain(detail);
  });

  it.each(['sub', 'email', 'name', 'preferred_username', 'iss', 'jti', 'grant'])(
    'a control character in %s refuses',
    (name) => {
      for (const control of ['\r\nX-Evil: 1', '\0', '\x1f', '\x7f', '\ud800']) {
        expect(outcome(withClaims({ exp, [name]: `a${control}b` }))).toBe('token-bad-claims');
      }
      expect(outcome(withClaims({ exp, [name]: 'Zoë \u{1f511}' }))).toBe('verified');
    },
  );

  it('a group with a control character is refused', () => {
    expect(outcome(withClaims({ exp, groups: ['ok', 'a\r\nb'] }))).toBe('token-bad-claims');
  });

  it('claims that are not UTF-8 are refused', () => {
    expect(outcome(token(goodHeader, Buffer.from(`{"exp":${exp},"sub":"\xff"}`, 'latin1')))).toBe('token-bad-claims');
  });

  it.each([
    ['a fraction in exp', { exp: exp - 0.5 }],
    ['a fraction in iat and nbf', { exp, iat: 1_700_000_000.25, nbf: 1_700_000_000.75 }],
    ['exp with an exponent', '{"exp":1.8e9}'],
    ['exp with a fraction of zero', '{"exp":1800000000.0,"iat":-0}'],
    [
      'null for every claim that may be missing',
      Object.fromEntries([
        ['exp', exp],
        ...'nbf iat iss sub jti aud methods hosts ips cred email name preferred_username groups amr grant n v sid did'
          .split(' ')
          .map((name) => [name, null]),
      ]),
    ],
  ])('claims as JWT libraries write them are accepted: %s', (_what, claims) => {
    expect(outcome(withClaims(claims))).toBe('verified');
  });

  it('a claim of null counts as absent', () => {
    const verified = verifyToken(withClaims({ exp, paths: null, hosts: null, sub: null, aud: null }), ring);
    expect(verified.kind === 'verified' && verified.claims).toEqual({ exp });
  });

  it('a time with a fraction compares with whole seconds as it is', () => {
    const verified = verifyToken(withClaims({ exp: 100.5, nbf: 50.25, iat: 50.25 }), ring);
    if (verified.kind !== 'verified') throw new Error(verified.detail);
    const at = (now: number, most = 60) => checkTimes(verified, now, 0, most);
    expect([at(50), at(51), at(100), at(101)]).toEqual(['token-not-yet-valid', null, null, 'token-expired']);
    // it lives 50.25 seconds
    expect([at(60, 51), at(60, 49)]).toEqual([null, 'token-lives-too-long']);
  });

  it('colons, quotes and backslashes inside strings do not count as members', () => {
    const tricky = { exp, x: 'a":"b', 'y":': '\\', z: ['\\":', '":', { '': ':' }] };
    expect(outcome(withClaims(tricky))).toBe('verified');
  });

  it('any JSON object with exp and without duplicate members is accepted', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().map((name) => `x${name}`),
          fc.jsonValue({ maxDepth: 3 }),
        ),
        (extra) => {
          fc.pre(JSON.stringify(extra).length < 2500);
          expect(outcome(withClaims({ exp, ...extra }))).toBe('verified');
        },
      ),
    );
  });
});
