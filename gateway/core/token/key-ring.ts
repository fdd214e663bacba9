// The keys a process knows, by id, ready for use, and the token headers already seen to be good under them.
// A ring never changes its keys: a new set of keys is a new ring, and its table of headers starts empty.
// Rules: one algorithm and one purpose per key, from the record (RFC 8725 §3.1); at least 256 bits (RFC 7518 §3.2).

import type { KeyObject } from 'node:crypto';
import { createSecretKey } from 'node:crypto';
import type { SigningKey, SigningKeyPurpose } from '../model/signing-key.ts';
import { encodeJoseHeader, isKeyId, keyIdsIn } from './jose-header.ts';
import { forEachKind, type TokenType } from './token-kinds.ts';

/** A key with what is made from it once. */
export interface RingKey {
  readonly record: SigningKey;
  readonly keyObject: KeyObject;
  /** base64url headers of tokens made with this key, by their type. */
  readonly headers: Readonly<Record<TokenType, string>>;
}

/** What a header text stood for when a token's MAC held under it. */
export interface AcceptedHeader {
  readonly kind: 'accepted';
  readonly key: RingKey;
  readonly type: TokenType;
}

/** RFC 7518 §3.2: a key of the hash's size or more. */
export const minSecretBytes = 32;

/** Only holders of a key can fill the table, so it needs a bound but no eviction: what came first stays. */
const maxAcceptedHeaders = 256;

/** Longest header that is looked into for a key id; those of good tokens have at most 220 characters. */
const maxHeaderLength = 2048;

/** The keys by id. Made by `buildKeyRing`. */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, RingKey>;
  readonly #headers = new Map<string, AcceptedHeader>();

  /** @internal use `buildKeyRing` */
  constructor(keys: ReadonlyMap<string, RingKey>) {
    this.#keys = keys;
  }

  /** The key of this id, in whatever state and of whatever purpose: the caller checks both. */
  find(kid: string): RingKey | undefined {
    return this.#keys.get(kid);
  }

  /**
   * Whether a text names one of these keys, retired ones included: then it is meant for us, whatever else is wrong with it. Looks at
   * what stands before the first dot and verifies nothing.
   */
  isNamedBy(token: string): boolean {
    const dot = token.indexOf('.');
    const header = dot < 0 ? token : token.slice(0, dot);
    if (header.length > maxHeaderLength) return false;
    if (this.#headers.has(header)) return true;
    return keyIdsIn(Buffer.from(header, 'base64url').toString('latin1')).some((kid) => this.#keys.has(kid));
  }

  /** The first key of the purpose that may sign; null when there is none. */
  signer(purpose: SigningKeyPurpose): RingKey | null {
    for (const key of this.#keys.values()) {
      if (key.record.purpose === purpose && key.record.state === 'signing') return key;
    }
    return null;
  }

  /** Every key, in the order of the records. */
  keys(): readonly RingKey[] {
    return [...this.#keys.values()];
  }

  /** What this exact header text stood for before; undefined sends the caller the strict slow way. */
  acceptedHeader(text: string): AcceptedHeader | undefined {
    return this.#headers.get(text);
  }

  /** Remembers a header, of a token whose MAC held and of no other. */
  rememberHeader(text: string, accepted: AcceptedHeader): void {
    if (this.#headers.size >= maxAcceptedHeaders) return;
    // A copy: `text` is a slice that would keep the whole request head alive as long as the ring.
    this.#headers.set(Buffer.from(text, 'latin1').toString('latin1'), accepted);
  }
}

/**
 * Builds a ring.
 *
 * @throws Error for two keys of one id, a secret below 32 bytes, or an id that cannot stand in a token header
 *   (the configuration checks all three before)
 */
export function buildKeyRing(records: readonly SigningKey[]): KeyRing {
  const keys = new Map<string, RingKey>();
  for (const record of records) {
    if (!isKeyId(record.id)) {
      throw new Error('a key id is not 1 to 128 printable ASCII characters without double quote and backslash');
    }
    if (keys.has(record.id)) throw new Error(`two keys have the id "${record.id}"`);
    if (record.secret.length < minSecretBytes) {
      throw new Error(`key "${record.id}" has ${record.secret.length} bytes, at least ${minSecretBytes} are needed`);
    }
    keys.set(record.id, {
      record,
      keyObject: createSecretKey(record.secret),
      headers: forEachKind((type) => encodeJoseHeader(record.id, type)),
    });
  }
  return new KeyRing(keys);
}
