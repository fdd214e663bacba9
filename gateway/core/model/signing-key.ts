// A signing key as every process sees it: a symmetric key that makes and verifies tokens.
// Rules: a key has one algorithm and one purpose, taken from this record and never from a token (RFC 8725 §3.1).

/** `signing`: makes and verifies; `verifying`: verifies only; `retired`: neither. */
export type SigningKeyState = 'signing' | 'verifying' | 'retired';

/** `content`: the common key, which other servers may share; `internal`: a key that never leaves latchkey. */
export type SigningKeyPurpose = 'content' | 'internal';

/** One key of the ring. `secret` is the raw key, 32 bytes or more. */
export interface SigningKey {
  readonly id: string;
  readonly algorithm: 'HS256';
  readonly purpose: SigningKeyPurpose;
  readonly state: SigningKeyState;
  readonly secret: Uint8Array;
}
