// The credentials of the load: right for the libraries and servers that check them, distinct, and of equal length.

import { createHash } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';
import {
  issuer,
  keyId,
  makeBearer,
  makeSecureLink,
  makeUriSigning,
  spoil,
  tokenLength,
} from '../../../bench/workload/tokens.ts';

const secret = 'a secret of at least thirty-two bytes';
const expires = 4_102_444_800;

describe('bearer tokens', () => {
  it('verify with another JWT library, with key id, user and paths', () => {
    const token = jwt.verify(makeBearer(7, secret, expires), secret, { algorithms: ['HS256'], complete: true });
    expect(token.header).toEqual({ alg: 'HS256', typ: 'JWT', kid: keyId });
    expect(token.payload).toMatchObject({ sub: 'user-00007', exp: expires, paths: ['/vod/*'] });
  });
  it('are all different and about 300 bytes long', () => {
    const tokens = Array.from({ length: 1000 }, (_, user) => makeBearer(user, secret, expires));
    expect(new Set(tokens).size).toBe(1000);
    for (const token of tokens) expect(Math.abs(token.length - tokenLength)).toBeLessThanOrEqual(3);
  });
  it('no longer verify once spoilt, and keep their length', () => {
    const token = makeBearer(7, secret, expires);
    expect(spoil(token)).toHaveLength(token.length);
    expect(() => jwt.verify(spoil(token), secret)).toThrow('invalid signature');
  });
});

describe('URI signing tokens', () => {
  it('name the issuer that the key is looked up by', () => {
    const token = makeUriSigning(7, secret, expires);
    expect(jwt.verify(token, secret)).toMatchObject({ iss: issuer, cdniv: 1, exp: expires });
    expect(Math.abs(token.length - tokenLength)).toBeLessThanOrEqual(3);
  });
});

describe('secure links', () => {
  it('are the MD5 that nginx computes from its configured expression', () => {
    const sum = createHash('md5').update(`${expires}/vod/a.ts ${secret}`).digest('base64');
    const nginx = sum.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    expect(makeSecureLink('/vod/a.ts', secret, expires)).toBe(nginx);
  });
});
