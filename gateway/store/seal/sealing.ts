// Seals texts that a stolen database must not give away: secrets of keys, and mails that wait.
// AES-256-GCM with the place of the text (table, row, column) as associated data: a sealed text that was moved does not open.
// No error holds key or content. Rules: gateway/RULES.md "Keys"; NIST SP 800-38D §8.2.2 (random nonces).

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Where a sealed text stands; `row` is the row's primary key. */
export interface SealedPlace {
  readonly table: string;
  readonly row: string;
  readonly column: string;
}

/** Seals and opens texts under one master key. */
export interface Sealer {
  /** @returns `s1.` and base64url of nonce, ciphertext and tag */
  readonly seal: (place: SealedPlace, content: string | Uint8Array) => string;
  /** @throws SealBroken  another master key, another place, or changed bytes; these cannot be told apart */
  readonly open: (place: SealedPlace, sealed: string) => Uint8Array;
  /** As `open`, for what was sealed as text. */
  readonly openText: (place: SealedPlace, sealed: string) => string;
}

/** A sealed text does not open. */
export class SealBroken extends Error {
  readonly code = 'SEAL_BROKEN';

  constructor({ table, row, column }: SealedPlace) {
    super(`${table}.${column} of ${row} does not open: another master key, or the text was changed`);
  }
}

/** Length of a master key in bytes. */
export const masterKeyBytes = 32;

const version = 's1';
const nonceBytes = 12;
const tagBytes = 16;

/** Makes a sealer. @param masterKey  `masterKeyBytes` long; the cipher's key is derived from it by HKDF */
export function makeSealer(masterKey: Uint8Array): Sealer {
  if (masterKey.length !== masterKeyBytes) throw new Error(`a master key has ${masterKeyBytes} bytes`);
  const key = Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), 'latchkey store sealing 1', 32));

  function open(place: SealedPlace, sealed: string): Uint8Array {
    const [head, body, ...rest] = sealed.split('.');
    const bytes = Buffer.from(body ?? '', 'base64url');
    const isWhole = head === version && rest.length === 0 && bytes.toString('base64url') === body;
    if (!isWhole || bytes.length < nonceBytes + tagBytes) throw new SealBroken(place);
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(describePlace(place));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      const content = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
      return new Uint8Array(Buffer.concat([content, decipher.final()]));
    } catch {
      throw new SealBroken(place);
    }
  }

  return {
    seal(place, content) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(describePlace(place));
      const bytes = Buffer.concat([nonce, cipher.update(Buffer.from(content)), cipher.final(), cipher.getAuthTag()]);
      return `${version}.${bytes.toString('base64url')}`;
    },
    open,
    openText: (place, sealed) => Buffer.from(open(place, sealed)).toString('utf8'),
  };
}

/** The place as associated data: JSON of a list, so that no two places give the same bytes. */
function describePlace({ table, row, column }: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify([version, table, row, column]));
}
