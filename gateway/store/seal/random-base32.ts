// Random text for names that people read and type: ids of keys and credentials, the demo's password.
// RFC 4648's base32 in lower case: no case to get wrong, and no character that a URL, a shell or a file name would mind.

import { randomBytes } from 'node:crypto';

/** @param length  characters, 5 random bits each */
export function randomBase32(length: number): string {
  return Array.from(randomBytes(length), (byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte & 31]).join('');
}
