// What a symmetric key is, as every process sees it.
// Rules: one algorithm and one purpose per key, taken from this record and never from a token (RFC 8725 §3.1).

/** `signing`: makes and verifies; `verifying`: verifies only; `retired`: neither. */
export type KeyState = 'signing' | 'verifying' | 'retired';

/** `content`: the common key, may be shared with other servers; `internal`: never leaves latchkey. */
export type KeyPurpose = 'content' | 'internal';

/** One key of the ring. `secret` is the raw key, 32 bytes or more. */
export interface KeyRecord {
  readonly id: string;
  readonly algorithm: 'HS256';
  readonly purpose: KeyPurpose;
  readonly state: KeyState;
  readonly secret: Uint8Array;
}
