// Reads and makes the master key's file: 32 bytes as base64, base64url or hex in one line, mode 0600.
// files/open-sealer.ts decides whether a key may be made. The key is never part of a backup and never logged.

import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createFile } from '../disk/atomic-file.ts';
import { readPrivateFile } from '../disk/private-file.ts';
import { describeFailure } from '../port/failure-cause.ts';
import { masterKeyBytes } from './sealing.ts';

type ReadMasterKey =
  | { readonly kind: 'read'; readonly key: Uint8Array }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/** Longest text that is read, so that a wrong file is not loaded into memory. */
const maxTextLength = 1024;

/** Reads the key. @param file  absolute path */
export function readMasterKey(file: string): ReadMasterKey {
  const found = readPrivateFile(file, 'if others had access, they can open what is sealed in the store', maxTextLength);
  if (found.kind === 'too-long') return refused(`${file} is no master key: it is too long`, formHint);
  if (found.kind !== 'read') return found;
  const key = parseMasterKey(found.text);
  return key === null ? refused(`${file} is no master key`, formHint) : { kind: 'read', key };
}

/** Makes the file, unless another process just did. @returns the key in it */
export function makeMasterKey(file: string): ReadMasterKey {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    createFile(file, `${randomBytes(masterKeyBytes).toString('base64url')}\n`);
  } catch (error) {
    return refused(
      `${file} cannot be made: ${describeFailure(error).words}`,
      'let latchkey write to data_dir, with room',
    );
  }
  return readMasterKey(file);
}

/** The bytes of a master key written as text: 64 hex digits, or base64 or base64url; white space around it is dropped. */
function parseMasterKey(text: string): Uint8Array | null {
  const value = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(value)) return new Uint8Array(Buffer.from(value, 'hex'));
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(value)) return null;
  const bytes = Buffer.from(value, 'base64');
  // The last bits must be canonical, so that one key has one text.
  const canonical = bytes.toString('base64url');
  return canonical === value.replace('=', '').replaceAll('+', '-').replaceAll('/', '_') ? new Uint8Array(bytes) : null;
}

const formHint = 'it holds 32 random bytes as base64 or hex in one line, like: openssl rand -base64 32';

function refused(problem: string, hint: string): ReadMasterKey {
  return { kind: 'refused', problem, hint };
}
