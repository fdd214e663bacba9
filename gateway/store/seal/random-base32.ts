// Random text for names that people read and type: ids of keys and credentials, the demo's password.
// The base32 alphabet of RFC 4648 in lower case: a reader cannot mistake the case, and URLs, shells and file names need no escapes.

import { randomBytes } from 'node:crypto';

/** Makes a random text. @param length  characters, 5 random bits each */
export function randomBase32(length: number): string {
  return Array.from(randomBytes(length), (byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte & 31]).join('');
}
