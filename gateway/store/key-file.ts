// The content keys that latchkey made itself: `<data_dir>/keys.json`, mode 0600, made on the first run.
// A file that others could read is refused, and one that cannot be understood is never replaced: tokens hang on it.

import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { KeyRecord } from '../core/model/key.ts';
import { minSecretBytes } from '../core/token/key-ring.ts';
import { createFile, errorCode } from './atomic-file.ts';

export type LoadedKeys =
  | {
      readonly kind: 'loaded';
      readonly keys: readonly KeyRecord[];
      /** A key was made just now, in `file`. */
      readonly generated: boolean;
      /** Absolute path of the file. */
      readonly file: string;
    }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

export interface KeyOptions {
  /** `refuse` for commands that only read. Default `make`. */
  readonly missing?: 'make' | 'refuse';
}

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const keyFileSchema = z.strictObject({
  version: z.literal(1),
  keys: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
        algorithm: z.literal('HS256'),
        purpose: z.enum(['content', 'internal']),
        state: z.enum(['signing', 'verifying', 'retired']),
        secret: base64url,
      }),
    )
    .min(1),
});

/** Reads the keys of a data folder anew; makes folder and file when there are none. */
export function loadKeyFile(dataDir: string, options: KeyOptions = {}): LoadedKeys {
  const file = join(dataDir, 'keys.json');
  const existing = readKeys(file);
  if (existing.kind !== 'missing') return existing;
  if (options.missing === 'refuse') {
    return refused(`${file} does not exist`, 'start latchkey once, or mint a token: both make the first key');
  }
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const generated = createFile(file, keyFileText([makeContentKey()]));
    // Read back what is there: of two first runs at the same moment one made it, and both use that one.
    const made = readKeys(file);
    if (made.kind === 'missing')
      return refused(`${file} vanished while it was made`, 'see who else writes to data_dir');
    return made.kind === 'loaded' ? { ...made, generated } : made;
  } catch (error) {
    return refused(`${file} cannot be made: ${errorCode(error)}`, 'let latchkey write to data_dir');
  }
}

/** A new content key: 32 random bytes, id `k_` and 8 characters. It signs. */
export function makeContentKey(): KeyRecord {
  return {
    id: `k_${randomBase32(8)}`,
    algorithm: 'HS256',
    purpose: 'content',
    state: 'signing',
    secret: new Uint8Array(randomBytes(32)),
  };
}

/** `length` random characters of RFC 4648's base32, in lower case. */
export function randomBase32(length: number): string {
  return Array.from(randomBytes(length), (byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte & 31]).join('');
}

function readKeys(file: string): LoadedKeys | { readonly kind: 'missing' } {
  let text: string;
  try {
    const descriptor = openSync(file, 'r');
    try {
      const mode = fstatSync(descriptor).mode & 0o777;
      if ((mode & 0o077) !== 0) {
        return refused(
          `${file} can be read by others (mode 0${mode.toString(8)})`,
          `chmod 600 ${file}; if others had access, make new keys`,
        );
      }
      text = readFileSync(descriptor, 'utf8');
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = errorCode(error);
    return code === 'ENOENT' ? { kind: 'missing' } : refused(`${file} cannot be read: ${code}`, 'let latchkey read it');
  }
  return parseKeys(file, text);
}

function parseKeys(file: string, text: string): LoadedKeys {
  const damaged = (what: string) =>
    refused(
      `${file} is damaged: ${what}`,
      'restore it from a backup; only when no token matters any more, move it away',
    );
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return damaged('it is not JSON');
  }
  const parsed = keyFileSchema.safeParse(document);
  if (!parsed.success) {
    return damaged(`unexpected ${parsed.error.issues[0]?.path.join('.') || 'content'}`);
  }
  const keys: KeyRecord[] = [];
  for (const { secret, ...key } of parsed.data.keys) {
    const bytes = Buffer.from(secret, 'base64url');
    if (bytes.length < minSecretBytes || bytes.toString('base64url') !== secret)
      return damaged(`the secret of ${key.id}`);
    if (keys.some((known) => known.id === key.id)) return damaged(`two keys named ${key.id}`);
    keys.push({ ...key, secret: new Uint8Array(bytes) });
  }
  if (keys.filter((key) => key.purpose === 'content' && key.state === 'signing').length !== 1) {
    return damaged('it needs exactly one content key that signs');
  }
  return { kind: 'loaded', keys, generated: false, file };
}

function keyFileText(keys: readonly KeyRecord[]): string {
  const list = keys.map(({ secret, ...key }) => ({ ...key, secret: Buffer.from(secret).toString('base64url') }));
  return `${JSON.stringify({ version: 1, keys: list }, null, 2)}\n`;
}

function refused(problem: string, hint: string): { kind: 'refused'; problem: string; hint: string } {
  return { kind: 'refused', problem, hint };
}
