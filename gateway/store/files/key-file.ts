// Reads `<data_dir>/keys.json`, in which an earlier latchkey without a store kept its content keys, to move the keys into the
// store. A file that others could read is refused, and so is a damaged one, since tokens hang on its keys. Latchkey writes no
// such file.

import { z } from 'zod';
import type { SigningKey } from '../../core/model/signing-key.ts';
import { minSecretBytes } from '../../core/token/key-ring.ts';
import { readPrivateFile } from '../disk/private-file.ts';

type KeyFile =
  | { readonly kind: 'read'; readonly keys: readonly SigningKey[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

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

/** Far more than any real file of keys has. */
const maxBytes = 1024 * 1024;

/** Reads and checks the file. @param file  absolute path */
export function readKeyFile(file: string): KeyFile {
  const found = readPrivateFile(file, 'if others had access, make new keys', maxBytes);
  if (found.kind === 'too-long') return refused(`${file} is too long for keys`, 'is it the file of something else?');
  return found.kind === 'read' ? parseKeys(file, found.text) : found;
}

function parseKeys(file: string, text: string): KeyFile {
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
  const keys: SigningKey[] = [];
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
  return { kind: 'read', keys };
}

function refused(problem: string, hint: string): { kind: 'refused'; problem: string; hint: string } {
  return { kind: 'refused', problem, hint };
}
