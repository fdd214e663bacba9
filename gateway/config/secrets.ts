// Reads a secret file: the bytes are the key as they stand, one final newline dropped, at least 32 bytes.
// Never puts a byte of it into a message. Rule: RFC 7518 §3.2 (a key as long as the hash at least).

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Shortest key that HS256 may use, in bytes. */
export const minKeyBytes = 32;
/** Longest secret file that is read; a longer one is surely the wrong file. */
export const maxKeyBytes = 4096;

export type KeyFile =
  | {
      readonly kind: 'read';
      readonly secret: Uint8Array /** Every account of the machine may read it. */;
      readonly worldReadable: boolean;
    }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/**
 * Reads a key from a file.
 *
 * @param path  absolute path of a regular file
 * @returns the key's bytes with one final LF or CRLF dropped, or why they cannot be one
 */
export function readKeyFile(path: string): KeyFile {
  let bytes: Buffer;
  let mode: number;
  try {
    // Non-blocking, so that a FIFO in the place of the file cannot hang the start.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = fstatSync(descriptor);
      if (!status.isFile()) return refused(`${path} is not a regular file`, 'name a file that holds the key');
      if (status.size > maxKeyBytes) {
        return refused(
          `${path} has ${status.size} bytes, more than ${maxKeyBytes}`,
          'a key file holds the key and nothing else',
        );
      }
      mode = status.mode;
      bytes = readFileSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return fileRefusal(path, error, `make one with: latchkey common-key generate --out ${path}`);
  }
  const secret = dropFinalNewline(bytes);
  if (secret.length < minKeyBytes) {
    return refused(
      `${path} holds ${secret.length} bytes, a key needs at least ${minKeyBytes}`,
      `make one with: latchkey common-key generate --out FILE`,
    );
  }
  return { kind: 'read', secret: new Uint8Array(secret), worldReadable: (mode & 0o004) !== 0 };
}

/** The refusal for a file that could not be opened or read, in words. */
export function fileRefusal(path: string, error: unknown, missingHint: string): KeyFile & { kind: 'refused' } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return refused(`${path} does not exist`, missingHint);
    case 'EACCES':
    case 'EPERM':
      return refused(`${path} cannot be read: permission denied`, 'let the account that runs latchkey read it');
    default:
      return refused(`${path} cannot be read: ${code}`, 'name a readable file');
  }
}

function refused(problem: string, hint: string): KeyFile & { kind: 'refused' } {
  return { kind: 'refused', problem, hint };
}

function dropFinalNewline(bytes: Buffer): Buffer {
  let end = bytes.length;
  if (end > 0 && bytes[end - 1] === 0x0a) {
    end--;
    if (end > 0 && bytes[end - 1] === 0x0d) end--;
  }
  return bytes.subarray(0, end);
}
