// The JSON shapes of signing keys over `v1`. The endpoints answer with them, and the command line reads answers by them.
// Only `exportedSigningKeyShape` holds a secret.

import { z } from 'zod';
import type { SigningKeyView } from '../../control/signing-keys/change-signing-keys.ts';

export const signingKeyShape = z.object({
  id: z.string(),
  algorithm: z.literal('HS256'),
  purpose: z.enum(['content', 'internal']),
  state: z.enum(['signing', 'verifying', 'retired']),
  owner: z.enum(['yaml', 'store']),
  created_at: z.int().nullable(),
});

/** A signing key without its secret. `created_at` is in epoch seconds, null for a key of the configuration file. */
export type Key = z.infer<typeof signingKeyShape>;

export const signingKeysShape = z.object({ keys: z.array(signingKeyShape) });
export const exportedSigningKeyShape = z.object({ id: z.string(), secret: z.string().describe('base64url') });

/** @returns the signing key in its JSON shape; a view holds no secret */
export function showSigningKey({ createdAt, ...key }: SigningKeyView): Key {
  return { ...key, created_at: createdAt };
}
