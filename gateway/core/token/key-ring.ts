// The keys that a process knows, by id, and the token headers that were accepted under them before.
// The keys of a ring never change: a new set of keys is a new ring, whose table of headers is empty.
// Rules: a key has one algorithm and one purpose, from its record (RFC 8725 §3.1); at least 256 bits (RFC 7518 §3.2).

import type { KeyObject } from 'node:crypto';
import { createSecretKey } from 'node:crypto';
import type { SigningKey, SigningKeyPurpose } from '../model/signing-key.ts';
import { encodeJoseHeader, isKeyId, keyIdsIn } from './jose-header.ts';
import { forEachKind, type TokenType } from './token-kinds.ts';

/** A key, with the objects that are made from it once. */
export interface RingKey {
  readonly record: SigningKey;
  readonly keyObject: KeyObject;
  /** The base64url headers of tokens that this key signs, by token type. */
  readonly headers: Readonly<Record<TokenType, string>>;
}

/** The meaning of a header under which a token's MAC held. */
export interface AcceptedHeader {
  readonly kind: 'accepted';
  readonly key: RingKey;
  readonly type: TokenType;
}

/** RFC 7518 §3.2: a key is at least as long as the hash. */
export const minSecretBytes = 32;

/** The most headers in the table. Only holders of a key can add one, so the table needs a bound but no eviction. */
const maxAcceptedHeaders = 256;

/** The longest header in which a key id is searched for; headers of good tokens have at most 220 characters. */
const maxHeaderLength = 2048;

/** The keys by id. Made by `buildKeyRing`. */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, RingKey>;
  readonly #headers = new Map<string, AcceptedHeader>();

  /** @internal use `buildKeyRing` */
  constructor(keys: ReadonlyMap<string, RingKey>) {
    this.#keys = keys;
  }

  /** The key of this id, in any state and for any purpose: the caller checks both. */
  find(kid: string): RingKey | undefined {
    return this.#keys.get(kid);
  }

  /**
   * Whether a text names one of these keys, retired ones included. Then the text is meant for latchkey, even if it is no valid token.
   * Only the part before the first dot is read, and nothing is verified.
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

  /** All keys, in the order of the records. */
  keys(): readonly RingKey[] {
    return [...this.#keys.values()];
  }

  /** The meaning of a header text that was accepted before; undefined for a header that has to be parsed. */
  acceptedHeader(text: string): AcceptedHeader | undefined {
    return this.#headers.get(text);
  }

  /** Remembers the header of a token. Called only after the token's MAC held. */
  rememberHeader(text: string, accepted: AcceptedHeader): void {
    if (this.#headers.size >= maxAcceptedHeaders) return;
    // the text is copied, because a slice would keep the whole request head in memory as long as the ring
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
