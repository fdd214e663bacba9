// Tokens with a good MAC over whatever header and claims a test wants, and the verdict on them in one word.

import { createHmac } from 'node:crypto';
import type { SigningKey } from '../../../gateway/core/model/signing-key.ts';
import { verifyToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';

export const secret = Buffer.from('0123456789abcdef0123456789abcdef');
export const exp = 1_800_000_000;

export function record(id: string, changes: Partial<SigningKey> = {}): SigningKey {
  return { id, algorithm: 'HS256', purpose: 'content', state: 'signing', secret, ...changes };
}

export const ring = buildKeyRing([
  record('k1'),
  record('old', { state: 'verifying' }),
  record('gone', { state: 'retired' }),
  record('inner', { purpose: 'internal' }),
]);

export function encode(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url');
}

export function sign(signed: string): string {
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** A token with a good MAC over whatever header and claims the test wants. */
export function token(header: string, claims: string | Uint8Array = `{"exp":${exp},"paths":["/*"]}`): string {
  return sign(`${encode(header)}.${encode(claims)}`);
}

export const goodHeader = '{"alg":"HS256","kid":"k1","typ":"JWT"}';

export function withClaims(claims: object | string): string {
  return token(goodHeader, typeof claims === 'string' ? claims : JSON.stringify(claims));
}

export function outcome(text: string, keys = ring): string {
  const verified = verifyToken(text, keys);
  return verified.kind === 'refused' ? verified.reason : 'verified';
}

export function detailOf(text: string): string {
  const verified = verifyToken(text, ring);
  return verified.kind === 'refused' ? verified.detail : 'verified';
}

export function signingKey(id = 'k1') {
  const key = ring.find(id);
  if (key === undefined) throw new Error(`no key ${id}`);
  return key;
}
