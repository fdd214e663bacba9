// Reads a secret file: the bytes are the key as they stand, one final newline (LF or CRLF) dropped, at least 32 bytes.
// No byte of the secret gets into a message. Rule: RFC 7518 §3.2 (a key is at least as long as the hash).

import { type SecretOddity, secretOddities } from '../problems/secret-form.ts';
import { type FileRefusal, readNamedFile } from './named-file.ts';

/** Shortest key that HS256 may use, in bytes. */
const minKeyBytes = 32;
/** Longest secret file that is read, in bytes; a longer file is surely the wrong one. */
const maxKeyBytes = 4096;

export type KeyFile =
  | {
      readonly kind: 'read';
      readonly secret: Uint8Array;
      /** Every account of the machine may read it. */
      readonly worldReadable: boolean;
      /** What is unusual about the file's bytes, such as blanks at the end; the key is used all the same. */
      readonly oddities: readonly SecretOddity[];
    }
  | FileRefusal;

/**
 * Reads a key from a file.
 *
 * @param path  absolute path of a regular file
 * @returns the key's bytes with one final LF or CRLF dropped, or why they cannot be one
 */
export function readKeyFile(path: string): KeyFile {
  const missingHint = `make one with: latchkey common-key generate --out ${path}`;
  const hint = 'a key file holds the key and nothing else';
  const read = readNamedFile(path, { maxBytes: maxKeyBytes, hint, missingHint });
  if (read.kind === 'refused') return read;
  const secret = dropFinalNewline(read.bytes);
  if (secret.length < minKeyBytes) {
    return {
      kind: 'refused',
      problem: `${path} holds ${secret.length} bytes, a key needs at least ${minKeyBytes}`,
      hint: 'make one with: latchkey common-key generate --out FILE',
    };
  }
  return {
    kind: 'read',
    secret: new Uint8Array(secret),
    worldReadable: read.worldReadable,
    oddities: secretOddities(read.bytes, 'one-newline-dropped'),
  };
}

function dropFinalNewline(bytes: Buffer): Buffer {
  let end = bytes.length;
  if (end > 0 && bytes[end - 1] === 0x0a) {
    end--;
    if (end > 0 && bytes[end - 1] === 0x0d) end--;
  }
  return bytes.subarray(0, end);
}
