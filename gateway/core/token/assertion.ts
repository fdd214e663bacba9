// Assertions to upstreams: what latchkey says about a request's user, signed so that the upstream can check it.
// This file makes assertions and lists their public keys; it verifies none. Key pairs are arguments, since making one needs randomness.
// Rules: RFC 8037 §3.1 (EdDSA), RFC 7517, RFC 7638 (thumbprint as `kid`), gateway/RULES.md "Token types".

import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';
import { digestOf } from '../model/digest.ts';
import type { EpochSeconds } from '../model/time.ts';

/** The claims of every assertion; further members are signed as they are. */
interface AssertionClaims {
  readonly iss: string;
  /** Name of the upstream that the assertion is for. */
  readonly aud: string;
  readonly sub?: string | undefined;
  readonly iat: EpochSeconds;
  readonly exp: EpochSeconds;
  readonly [name: string]: unknown;
}

/** An Ed25519 private key and the id of its public half in the JWKS. */
export interface AssertionKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** A public Ed25519 key as it stands in the JWKS (RFC 8037 §2). */
interface AssertionJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

/** The header is the same for every assertion of a key. */
const headers = new WeakMap<AssertionKey, string>();

/**
 * Makes an assertion: JWS compact, `alg` EdDSA, `typ` la+jwt. Synchronous.
 *
 * @param claims  plain JSON data; members that are undefined are left out
 */
export function mintAssertion(claims: AssertionClaims, key: AssertionKey): string {
  let header = headers.get(key);
  if (header === undefined) {
    header = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid: key.kid, typ: 'la+jwt' })).toString('base64url');
    headers.set(key, header);
  }
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${signed}.${sign(null, Buffer.from(signed), key.privateKey).toString('base64url')}`;
}

/**
 * The public key as the JWKS lists it. Of a private key only the public half is taken.
 *
 * @param kid  usually `thumbprint` of the same key
 * @throws Error when the key is not Ed25519
 */
export function publicJwk(kid: string, publicKey: KeyObject): AssertionJwk {
  return { kty: 'OKP', crv: 'Ed25519', x: publicX(publicKey), kid, alg: 'EdDSA', use: 'sig' };
}

/** RFC 7638 thumbprint of an Ed25519 key (RFC 8037 appendix A.3): SHA-256 over the required members in order, base64url. */
export function thumbprint(jwk: { readonly x: string }): string {
  return digestOf(`{"crv":"Ed25519","kty":"OKP","x":${JSON.stringify(jwk.x)}}`);
}

function publicX(key: KeyObject): string {
  const { crv, x } = key.export({ format: 'jwk' });
  if (crv !== 'Ed25519' || x === undefined) throw new Error('the assertion key is not an Ed25519 key');
  return x;
}
