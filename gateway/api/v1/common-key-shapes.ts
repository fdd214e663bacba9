// How the keys of the ring look over `v1`, for the endpoints and for the command line. The secret is in one shape only: an export's.

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

export type Key = z.infer<typeof signingKeyShape>;

export const signingKeysShape = z.object({ keys: z.array(signingKeyShape) });
export const exportedSigningKeyShape = z.object({ id: z.string(), secret: z.string().describe('base64url') });

export function showSigningKey({ createdAt, ...key }: SigningKeyView): Key {
  return { ...key, created_at: createdAt };
}
