// Assertions: another library checks them against the JWKS form of the key.

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { mintAssertion, publicJwk, thumbprint } from '../../../gateway/core/token/assertion.ts';

const now = 1_800_000_000;

function makeKey() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const kid = thumbprint(publicJwk('', publicKey));
  return { key: { kid, privateKey }, jwk: publicJwk(kid, publicKey) };
}

const claims = { iss: 'latchkey', aud: 'web', sub: 'user-1', iat: now, exp: now + 60, groups: ['a'], email: undefined };

describe('mintAssertion', () => {
  it('makes what jose verifies against the JWKS', async () => {
    const { key, jwk } = makeKey();
    const jwks = createLocalJWKSet({ keys: [makeKey().jwk, jwk] });
    for (let round = 0; round < 2; round++) {
      const read = await jwtVerify(mintAssertion(claims, key), jwks, {
        typ: 'la+jwt',
        issuer: 'latchkey',
        audience: 'web',
        algorithms: ['EdDSA'],
        currentDate: new Date(now * 1000),
      });
      expect(read.protectedHeader).toEqual({ alg: 'EdDSA', kid: jwk.kid, typ: 'la+jwt' });
      expect(read.payload).toEqual({
        iss: 'latchkey',
        aud: 'web',
        sub: 'user-1',
        iat: now,
        exp: now + 60,
        groups: ['a'],
      });
    }
  });

  it('is refused by jose under another key', async () => {
    const text = mintAssertion(claims, makeKey().key);
    const other = {
      ...makeKey().jwk,
      kid: JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()).kid,
    };
    const verdict = jwtVerify(text, createLocalJWKSet({ keys: [other] }), { currentDate: new Date(now * 1000) });
    await expect(verdict).rejects.toThrow('signature verification failed');
  });
});

describe('publicJwk', () => {
  it('lists the public half only, of a private key too', () => {
    const { key, jwk } = makeKey();
    expect(publicJwk(key.kid, key.privateKey)).toEqual(jwk);
    expect(Object.keys(jwk)).toEqual(['kty', 'crv', 'x', 'kid', 'alg', 'use']);
  });

  it('refuses a key of another kind', () => {
    const { publicKey } = generateKeyPairSync('x25519');
    expect(() => publicJwk('k', publicKey)).toThrow('not an Ed25519 key');
  });
});

describe('thumbprint', () => {
  it('RFC 8037 A.3: is that of the printed key', () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
    expect(thumbprint({ x })).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('RFC 8037 A.1, A.2: the printed private key has the printed public half', () => {
    const d = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A';
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
    const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x }, format: 'jwk' });
    expect(publicJwk('k', key).x).toBe(x);
  });

  it('agrees with jose', async () => {
    const { jwk } = makeKey();
    expect(await calculateJwkThumbprint({ ...jwk })).toBe(jwk.kid);
  });
});
