// What claims must be for a token to hold, seen through whole tokens with a good MAC.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detailOf, exp, goodHeader, outcome, token, withClaims } from './signed-token.ts';

describe('bad claims', () => {
  const bad: readonly (readonly [string, string | object])[] = [
    ['exp is missing', {}],
    ['exp is missing', { sub: 'u' }],
    ['exp is not', { exp: '1800000000' }],
    ['exp is not', { exp: 1_800_000_000.5 }],
    ['exp is not', { exp: null }],
    ['exp is not', { exp: -1 }],
    ['exp is not', { exp: true }],
    ['exp is not', '{"exp":1e400}'],
    ['exp is not', '{"exp":9007199254740992}'],
    ['nbf is not', { exp, nbf: '1' }],
    ['iat is not', { exp, iat: 1.5 }],
    ['iat is not', { exp, iat: null }],
    ['sub is not a string', { exp, sub: 7 }],
    ['sub is not a string', { exp, sub: null }],
    ['iss is not a string', { exp, iss: ['a'] }],
    ['jti is not a string', { exp, jti: {} }],
    ['aud is neither', { exp, aud: 1 }],
    ['aud is neither', { exp, aud: ['a', 1] }],
    ['aud is neither', { exp, aud: null }],
    ['paths is not a list', { exp, paths: '/vod/*' }],
    ['paths is not a list', { exp, paths: [1] }],
    ['paths has an entry', { exp, paths: ['vod/*'] }],
    ['paths has an entry', { exp, paths: ['/vod/../*'] }],
    ['paths has an entry', { exp, paths: ['/vod/%61'] }],
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
    ['n is not a list', { exp, n: null, v: ['e', 1] }],
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
    ['v is not', { exp, v: null }],
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

  it('a control character in a group refuses', () => {
    expect(outcome(withClaims({ exp, groups: ['ok', 'a\r\nb'] }))).toBe('token-bad-claims');
  });

  it('bytes that are not UTF-8 refuse', () => {
    expect(outcome(token(goodHeader, Buffer.from(`{"exp":${exp},"sub":"\xff"}`, 'latin1')))).toBe('token-bad-claims');
  });

  it('colons, quotes and backslashes inside strings are no members', () => {
    const tricky = { exp, x: 'a":"b', 'y":': '\\', z: ['\\":', '":', { '': ':' }] };
    expect(outcome(withClaims(tricky))).toBe('verified');
  });

  it('any JSON object without duplicates keeps its token, with an exp', () => {
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
