// Verifying and making common-key tokens: form, header, key, MAC, claims.

import { createHmac, createSecretKey } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { jwtVerify, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';
import type { KeyRecord } from '../../../gateway/core/model/key.ts';
import {
  decodeUnverified,
  maxTokenLength,
  mintToken,
  VerifiedToken,
  verifyToken,
} from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';

const secret = Buffer.from('0123456789abcdef0123456789abcdef');
const exp = 1_800_000_000;

function record(id: string, changes: Partial<KeyRecord> = {}): KeyRecord {
  return { id, algorithm: 'HS256', purpose: 'content', state: 'signing', secret, ...changes };
}

const ring = buildKeyRing([
  record('k1'),
  record('old', { state: 'verifying' }),
  record('gone', { state: 'retired' }),
  record('inner', { purpose: 'internal' }),
]);

function encode(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url');
}

function sign(signed: string): string {
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** A token with a good MAC over whatever header and claims the test wants. */
function token(header: string, claims: string | Uint8Array = `{"exp":${exp},"paths":["/*"]}`): string {
  return sign(`${encode(header)}.${encode(claims)}`);
}

const goodHeader = '{"alg":"HS256","kid":"k1","typ":"JWT"}';

function withClaims(claims: object | string): string {
  return token(goodHeader, typeof claims === 'string' ? claims : JSON.stringify(claims));
}

function outcome(text: string, keys = ring): string {
  const verified = verifyToken(text, keys);
  return verified.kind === 'refused' ? verified.reason : 'verified';
}

function detailOf(text: string): string {
  const verified = verifyToken(text, ring);
  return verified.kind === 'refused' ? verified.detail : 'verified';
}

function signingKey(id = 'k1') {
  const key = ring.find(id);
  if (key === undefined) throw new Error(`no key ${id}`);
  return key;
}

describe('a good token', () => {
  it('RFC 7515 A.1: its MAC holds byte for byte, key and text as printed; only the missing kid refuses it', () => {
    const key = Buffer.from(
      'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
      'base64url',
    );
    const signed =
      'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
    const keys = buildKeyRing([record('joe', { secret: key })]);
    expect(outcome(`${signed}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`, keys)).toBe('token-bad-header');
    expect(createHmac('sha256', key).update(signed).digest('base64url')).toBe(
      'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    );
    // The same claims and white space under a header with a kid.
    const header = encode('{"typ":"JWT",\r\n "alg":"HS256",\r\n "kid":"joe"}');
    const text = `${header}.${signed.split('.')[1]}`;
    const verified = verifyToken(`${text}.${createHmac('sha256', key).update(text).digest('base64url')}`, keys);
    expect(verified).toMatchObject({ kind: 'verified', keyId: 'joe', claims: { iss: 'joe', exp: 1300819380 } });
  });

  it('made by jsonwebtoken passes', () => {
    const text = jsonwebtoken.sign({ exp, sub: 'user-1', paths: ['/vod/*'] }, secret, { keyid: 'k1' });
    expect(verifyToken(text, ring)).toMatchObject({ kind: 'verified', type: 'outside', claims: { sub: 'user-1' } });
  });

  it('made by jose passes', async () => {
    const text = await new SignJWT({ paths: ['/vod/*'] })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .setExpirationTime(exp)
      .setAudience('media')
      .sign(secret);
    expect(verifyToken(text, ring)).toMatchObject({ kind: 'verified', type: 'outside', claims: { aud: ['media'] } });
  });

  it('made here passes in jsonwebtoken and jose', async () => {
    const text = mintToken({ exp, sub: 'Zoë', paths: ['/vod/*'] }, { key: signingKey(), type: 'outside' });
    const now = 1_799_999_000;
    expect(jsonwebtoken.verify(text, secret, { algorithms: ['HS256'], clockTimestamp: now })).toMatchObject({
      sub: 'Zoë',
    });
    const read = await jwtVerify(text, createSecretKey(secret), { typ: 'JWT', currentDate: new Date(now * 1000) });
    expect(read.protectedHeader).toEqual({ alg: 'HS256', kid: 'k1', typ: 'JWT' });
    expect(read.payload.sub).toBe('Zoë');
  });

  it('is told apart by typ: absent and JWT are outside, lp+jwt is a pass', () => {
    expect(verifyToken(token('{"alg":"HS256","kid":"k1"}'), ring)).toMatchObject({ type: 'outside' });
    expect(verifyToken(token(goodHeader), ring)).toMatchObject({ type: 'outside' });
    expect(verifyToken(token('{"alg":"HS256","kid":"k1","typ":"lp+jwt"}'), ring)).toMatchObject({ type: 'pass' });
    const pass = mintToken({ exp, sub: 'u' }, { key: signingKey(), type: 'pass' });
    expect(verifyToken(pass, ring)).toMatchObject({ type: 'pass', keyId: 'k1' });
  });

  it('verifies under a key that no longer signs', () => {
    expect(outcome(token('{"alg":"HS256","kid":"old"}'))).toBe('verified');
  });

  it('carries all known claims and none of the unknown', () => {
    const claims = {
      exp,
      nbf: 1,
      iat: 2,
      iss: 'site',
      sub: 'user-1',
      jti: 'j',
      aud: 'a',
      paths: ['/vod/*'],
      methods: ['GET'],
      hosts: ['*.example.org'],
      ips: ['10.0.0.0/8'],
      cred: { id: 'c1', v: 3 },
      email: 'u@example.org',
      name: 'Ü',
      preferred_username: 'u',
      groups: ['g1', 'g2'],
      amr: ['pwd'],
      grant: 'g',
    };
    const verified = verifyToken(withClaims({ ...claims, color: 'blue', deep: [{ a: { b: null } }] }), ring);
    expect(verified.kind === 'verified' && verified.claims).toEqual({ ...claims, aud: ['a'] });
  });

  it('gives the same answer through the table of seen headers as on the first time', () => {
    const keys = buildKeyRing([record('k1')]);
    const text = withClaims({ exp, sub: 'u' });
    const first = verifyToken(text, keys);
    expect(keys.acceptedHeader(encode(goodHeader))).toBeDefined();
    expect(verifyToken(text, keys)).toEqual(first);
    expect(first).toBeInstanceOf(VerifiedToken);
    expect(outcome(`${text.slice(0, -1)}${text.endsWith('A') ? 'E' : 'A'}`, keys)).toBe('token-bad-signature');
  });

  it('does not enter a header into the table before a MAC held under it', () => {
    const keys = buildKeyRing([record('k1')]);
    const [header] = withClaims({ exp }).split('.');
    outcome(`${header}.${encode('{}')}.${'A'.repeat(43)}`, keys);
    expect(keys.acceptedHeader(header ?? '')).toBeUndefined();
  });

  it('keeps nothing alive of the request head it was cut from', () => {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    if (typeof collect !== 'function') throw new Error('no collector');
    const keys = buildKeyRing([record('k1')]);
    const filler = Buffer.alloc(1_000_000, 'x');
    const kept: unknown[] = [];
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 100; index++) {
      const claims = { exp, sub: `a subject of some length ${index}`, paths: [`/a/path/of/some/length/${index}/*`] };
      const head = Buffer.concat([filler, Buffer.from(withClaims(claims))]).toString('latin1');
      kept.push(verifyToken(head.slice(filler.length), keys));
    }
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
    expect(kept.every((verified) => verified instanceof VerifiedToken)).toBe(true);
  });

  it('makes the identity lines once per writer', () => {
    const verified = verifyToken(withClaims({ exp, sub: 'u' }), ring);
    if (verified.kind !== 'verified') throw new Error('refused');
    let calls = 0;
    const writer = (claims: { readonly sub?: string }) => `X: ${claims.sub} ${++calls}\r\n`;
    expect(verified.identityLines(writer)).toBe('X: u 1\r\n');
    expect(verified.identityLines(writer)).toBe('X: u 1\r\n');
    expect(verified.identityLines(() => 'other')).toBe('other');
  });
});

describe('a bad header', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{"alg":"none","kid":"k1"}', 'token-bad-header'],
    ['{"alg":"None","kid":"k1"}', 'token-bad-header'],
    ['{"alg":"HS512","kid":"k1"}', 'token-bad-header'],
    ['{"alg":"RS256","kid":"k1"}', 'token-bad-header'],
    ['{"alg":"hs256","kid":"k1"}', 'token-bad-header'],
    ['{"kid":"k1"}', 'token-bad-header'],
    ['{"alg":"HS256"}', 'token-bad-header'],
    ['{"alg":"HS256","kid":1}', 'token-bad-header'],
    ['{"alg":"HS256","kid":null}', 'token-bad-header'],
    ['{"alg":"HS256","kid":["k1"]}', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k1","kid":"k1"}', 'token-bad-header'],
    ['{"alg":"none","alg":"HS256","kid":"k1"}', 'token-bad-header'],
    ['{"alg":"HS256","\\u0061lg":"none","kid":"k1"}', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k1","jku":"https://evil/"}', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k1","jwk":{"kty":"oct","k":"AA"}}', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k1","crit":["b64"],"b64":false}', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k1","x5c":[]}', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k1","__proto__":"x"}', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k1",}', 'token-bad-header'],
    ['{,"alg":"HS256","kid":"k1"}', 'token-bad-header'],
    ['{"alg":"HS256" "kid":"k1"}', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k1"', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k1"}x', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k1"}{}', 'token-bad-header'],
    ['["alg","HS256"]', 'token-bad-header'],
    ['"HS256"', 'token-bad-header'],
    ['{}', 'token-bad-header'],
    ['\ufeff{"alg":"HS256","kid":"k1"}', 'token-bad-header'],
    ['{"alg":"HS256","kid":"k\xe9"}', 'token-bad-header'],
    ['{"alg":"HS256","kid":"../../k1"}', 'token-unknown-key'],
    ['{"alg":"HS256","kid":"K1"}', 'token-unknown-key'],
    ['{"alg":"HS256","kid":""}', 'token-unknown-key'],
    ['{"alg":"HS256","kid":"__proto__"}', 'token-unknown-key'],
    ['{"alg":"HS256","kid":"gone"}', 'token-retired-key'],
    ['{"alg":"HS256","kid":"inner"}', 'token-wrong-type'],
    ['{"alg":"HS256","kid":"k1","typ":"at+jwt"}', 'token-wrong-type'],
    ['{"alg":"HS256","kid":"k1","typ":"ls+jwt"}', 'token-wrong-type'],
    ['{"alg":"HS256","kid":"k1","typ":"jwt"}', 'token-wrong-type'],
    ['{"alg":"HS256","kid":"k1","typ":"application/lp+jwt"}', 'token-wrong-type'],
    ['{"alg":"HS256","kid":"k1","typ":""}', 'token-wrong-type'],
  ];

  it.each(cases)('%s is refused as %s, however good the MAC', (header, reason) => {
    expect(outcome(token(header))).toBe(reason);
  });

  it('of alg none without a signature is refused', () => {
    expect(outcome(`${encode('{"alg":"none","kid":"k1"}')}.${encode(`{"exp":${exp}}`)}.`)).toBe('token-bad-header');
  });
});

describe('a bad form', () => {
  const good = withClaims({ exp, sub: 'user-1', paths: ['/vod/*'] });
  const [header = '', payload = '', mac = ''] = good.split('.');

  const cases: readonly (readonly [string, string, string])[] = [
    ['nothing', '', 'token-malformed'],
    ['one part', header, 'token-malformed'],
    ['two parts', `${header}.${payload}`, 'token-malformed'],
    ['four parts', `${good}.`, 'token-malformed'],
    ['five parts (JWE)', `${good}.a.b`, 'token-malformed'],
    ['an empty payload', `${header}..${mac}`, 'token-malformed'],
    ['an empty header', `.${payload}.${mac}`, 'token-malformed'],
    ['a padded MAC', `${good}=`, 'token-malformed'],
    ['a padded payload', `${header}.${payload}=.${mac}`, 'token-malformed'],
    ['white space before', ` ${good}`, 'token-malformed'],
    ['white space after', `${good} `, 'token-malformed'],
    ['a newline after', `${good}\n`, 'token-malformed'],
    ['white space inside', `${header}. ${payload}.${mac}`, 'token-malformed'],
    ['characters that end in the same byte', good.replace('.', '\u012e'), 'token-malformed'],
    ['an empty MAC', `${header}.${payload}.`, 'token-bad-signature'],
    [
      'a MAC cut by one byte',
      `${header}.${payload}.${Buffer.from(mac, 'base64url').subarray(0, 31).toString('base64url')}`,
      'token-bad-signature',
    ],
    [
      'a MAC cut to half',
      `${header}.${payload}.${Buffer.from(mac, 'base64url').subarray(0, 16).toString('base64url')}`,
      'token-bad-signature',
    ],
    [
      'a MAC longer by one byte',
      `${header}.${payload}.${encode(Buffer.concat([Buffer.from(mac, 'base64url'), Buffer.alloc(1)]))}`,
      'token-bad-signature',
    ],
    ['a MAC twice', `${header}.${payload}.${mac}${mac}`, 'token-malformed'],
    ['a MAC of zeros', `${header}.${payload}.${'A'.repeat(43)}`, 'token-bad-signature'],
    ['claims changed', `${header}.${encode(`{"exp":${exp},"sub":"root"}`)}.${mac}`, 'token-bad-signature'],
  ];

  it.each(cases)('%s is refused', (_name, text, reason) => {
    expect(outcome(text)).toBe(reason);
  });

  it('with other last bits in any part is refused, even when signed like that', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = (part: string) => `${part.slice(0, -1)}${alphabet[alphabet.indexOf(part.at(-1) ?? '') + 1]}`;
    const twoLeft = encode(`{"exp":${exp}, "a":1}`.padEnd(25));
    expect(twoLeft.length % 4).toBe(2);
    expect(outcome(sign(`${header}.${twoLeft}`))).toBe('verified');
    expect(outcome(sign(`${header}.${twin(twoLeft)}`))).toBe('token-malformed');
    const oneLeft = encode('{"alg":"HS256","kid":"k1"} '.padEnd(29));
    expect(oneLeft.length % 4).toBe(3);
    expect(outcome(sign(`${oneLeft}.${payload}`))).toBe('verified');
    expect(outcome(sign(`${twin(oneLeft)}.${payload}`))).toBe('token-malformed');
    expect(outcome(`${header}.${payload}.${twin(mac)}`)).toBe('token-malformed');
    expect(outcome(sign(`${header}.AAAAA`))).toBe('token-malformed');
  });

  it('in the standard alphabet is refused', () => {
    const claims = `{"exp":${exp},"sub":"\u{1f511}\u{1f5ff}>>>???~~~"}`;
    const standard = Buffer.from(claims).toString('base64').replaceAll('=', '');
    expect(standard).toMatch(/[+/]/);
    expect(outcome(withClaims(claims))).toBe('verified');
    expect(outcome(sign(`${header}.${standard}`))).toBe('token-malformed');
  });

  it('is accepted at 4096 characters and refused above', () => {
    const filler = (length: number) => withClaims({ exp, filler: 'x'.repeat(length) });
    let length = 2900;
    while (filler(length + 1).length <= maxTokenLength) length++;
    expect(outcome(filler(length))).toBe('verified');
    expect(outcome(filler(length + 3))).toBe('token-malformed');
    expect(outcome('a'.repeat(10_000_000))).toBe('token-malformed');
  });

  it('never shows a piece of the token in the detail', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'B', '.', '-', '=', '0'), minLength: 8, maxLength: 60 }),
        (text) => {
          expect(detailOf(text)).not.toContain(text);
        },
      ),
    );
    expect(detailOf(withClaims({ exp, sub: 'hush\r\n' }))).not.toContain('hush');
  });

  it('with any one character changed is refused', () => {
    const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \xff\u0141';
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.constantFrom(...characters), (at, character) => {
        fc.pre(good[at] !== character);
        expect(outcome(good.slice(0, at) + character + good.slice(at + 1))).not.toBe('verified');
      }),
      { numRuns: 3000 },
    );
  });

  it('with anything cut out, put in or signed by another key is refused', () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 50 }), fc.base64String(), (at, count, extra) => {
        expect(outcome(good.slice(0, at) + good.slice(at + count))).not.toBe('verified');
        fc.pre(extra !== '');
        expect(outcome(good.slice(0, at) + extra + good.slice(at))).not.toBe('verified');
      }),
    );
    const stranger = createHmac('sha256', Buffer.alloc(32, 1)).update(`${header}.${payload}`).digest('base64url');
    expect(outcome(`${header}.${payload}.${stranger}`)).toBe('token-bad-signature');
  });

  it('of any text at all never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(outcome(text)).toMatch(/^token-/);
      }),
    );
  });
});

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

describe('mintToken', () => {
  it('makes what verifyToken takes', () => {
    const text = mintToken({ exp, iat: 5, cred: { id: 'c', v: 1 } }, { key: signingKey(), type: 'pass' });
    expect(verifyToken(text, ring)).toMatchObject({ claims: { exp, iat: 5, cred: { id: 'c', v: 1 } } });
  });

  it('refuses keys that may not sign content', () => {
    for (const id of ['old', 'gone', 'inner']) {
      expect(() => mintToken({ exp }, { key: signingKey(id), type: 'outside' })).toThrow(`key "${id}"`);
    }
  });

  it('refuses claims that would be refused, and tokens that are too long', () => {
    expect(() => mintToken({ sub: 'u' }, { key: signingKey(), type: 'outside' })).toThrow('exp is missing');
    expect(() => mintToken({ exp, paths: ['vod'] }, { key: signingKey(), type: 'outside' })).toThrow('paths');
    expect(() => mintToken({ exp, x: 'x'.repeat(4000) }, { key: signingKey(), type: 'pass' })).toThrow('at most 4096');
  });
});

describe('decodeUnverified', () => {
  it('shows what a token says, whoever made it', () => {
    expect(decodeUnverified(token('{"alg":"none"}', '{"exp":"x"}'))).toEqual({
      header: { alg: 'none' },
      claims: { exp: 'x' },
    });
  });

  it.each(['', 'a.b', 'a.b.c', `${encode('{}')}.${encode('{')}.`])('answers null for %j', (text) => {
    expect(decodeUnverified(text)).toBeNull();
  });
});
