// Verifying and making common-key tokens: form, header, key, MAC.

import { createHmac, createSecretKey } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { jwtVerify, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';
import {
  decodeUnverified,
  maxTokenLength,
  mintToken,
  VerifiedToken,
  verifyToken,
} from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import {
  detailOf,
  encode,
  exp,
  goodHeader,
  outcome,
  record,
  ring,
  secret,
  sign,
  signingKey,
  token,
  withClaims,
} from './signed-token.ts';

describe('a good token', () => {
  it('RFC 7515 A.1: the printed MAC holds for the printed key and text; only the missing kid is refused', () => {
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

  it('has its type from typ: absent and JWT are outside tokens, lp+jwt is a pass', () => {
    expect(verifyToken(token('{"alg":"HS256","kid":"k1"}'), ring)).toMatchObject({ type: 'outside' });
    expect(verifyToken(token(goodHeader), ring)).toMatchObject({ type: 'outside' });
    expect(verifyToken(token('{"alg":"HS256","kid":"k1","typ":"lp+jwt"}'), ring)).toMatchObject({ type: 'pass' });
    const pass = mintToken({ exp, sub: 'u' }, { key: signingKey(), type: 'pass' });
    expect(verifyToken(pass, ring)).toMatchObject({ type: 'pass', keyId: 'k1' });
  });

  it('a session is made and verified under an internal key', () => {
    const claims = { exp, sub: 'ac_1', aud: ['media.example'], sid: 'se_1', did: 'dv_1' };
    const session = mintToken(claims, { key: signingKey('inner'), type: 'session' });
    expect(verifyToken(session, ring)).toMatchObject({ type: 'session', keyId: 'inner', claims });
    // the header is known from here on
    expect(verifyToken(session, ring)).toMatchObject({ type: 'session', keyId: 'inner' });
  });

  it('a common key makes no session, and an internal key makes only sessions', () => {
    const claims = `{"exp":${exp},"aud":"media.example","sub":"ac_1"}`;
    expect(outcome(token('{"alg":"HS256","kid":"k1","typ":"ls+jwt"}', claims))).toBe('token-wrong-type');
    for (const header of ['{"alg":"HS256","kid":"inner"}', '{"alg":"HS256","kid":"inner","typ":"lp+jwt"}']) {
      expect(outcome(token(header))).toBe('token-wrong-type');
    }
    expect(() => mintToken({ exp }, { key: signingKey(), type: 'session' })).toThrow('not an internal key');
    expect(() => mintToken({ exp }, { key: signingKey('inner'), type: 'pass' })).toThrow('not a content key');
  });

  it('verifies under a key that no longer signs', () => {
    expect(outcome(token('{"alg":"HS256","kid":"old"}'))).toBe('verified');
  });

  it('has all known claims and no unknown ones', () => {
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
      n: ['ac_1', 'li_2'],
      v: ['epoch', 7],
    };
    const verified = verifyToken(withClaims({ ...claims, color: 'blue', deep: [{ a: { b: null } }] }), ring);
    expect(verified.kind === 'verified' && verified.claims).toEqual({ ...claims, aud: ['a'] });
  });

  it('gives the same result from the table of accepted headers as the first time', () => {
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

  it('keeps no part of its request head in memory', () => {
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

  it('with characters removed or added, or signed by another key, is refused', () => {
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

describe('mintToken', () => {
  it('makes tokens that verifyToken accepts', () => {
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
