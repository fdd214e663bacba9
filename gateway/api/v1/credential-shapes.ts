// The JSON shapes of credentials and their keys over `v1`, for administrators and the command line.

import { z } from 'zod';
import type { CredentialKeyView, CredentialView } from '../../control/keys/credential-view.ts';
import { id } from '../serve/shapes.ts';
import { at } from './link-shapes.ts';

export const credentialShape = z.object({
  id,
  state: z.enum(['in-force', 'early', 'over', 'withdrawn']),
  account: id.describe('the account that it belongs to'),
  email: z.string().nullable().describe('of that account; null once it was deleted'),
  name: z.string(),
  issuer: z.string(),
  picture: z.string().nullable().describe('a `data:` URL'),
  valid_from_at: at.nullable(),
  valid_until_at: at.nullable(),
  keys: z.int().describe('how many keys hang off it that were not removed'),
  created_at: at,
  withdrawn_at: at.nullable(),
});

export const credentialKeyShape = z.object({
  id,
  credential: id,
  name: z.string(),
  collection: z.string(),
  host: z.string(),
  path: z.string(),
  clean_url: z.string().describe('what it opens, without a token'),
  methods: z.array(z.string()).nullable().describe('null: those of the route'),
  needs_second_factor: z.boolean(),
  created_at: at,
  removed_at: at.nullable(),
});

export const credentialsShape = z.object({ credentials: z.array(credentialShape), next: z.string().nullable() });
export const credentialKeysShape = z.object({ keys: z.array(credentialKeyShape) });
export const endedShape = z.object({ was_live: z.boolean().describe('false: it had ended before') });

export function showCredential(view: CredentialView): z.output<typeof credentialShape> {
  const { id, state, accountId, email, name, issuer, picture, keys } = view;
  return {
    ...{ id, state, account: accountId, email, name, issuer, picture, keys },
    ...{ valid_from_at: view.validFromAt, valid_until_at: view.validUntilAt },
    ...{ created_at: view.createdAt, withdrawn_at: view.withdrawnAt },
  };
}

export function showCredentialKey(view: CredentialKeyView): z.output<typeof credentialKeyShape> {
  const { id, credentialId, name, collection, host, path, cleanUrl, methods } = view;
  return {
    ...{ id, credential: credentialId, name, collection, host, path, clean_url: cleanUrl },
    methods: methods === null ? null : [...methods],
    needs_second_factor: view.needsSecondFactor,
    ...{ created_at: view.createdAt, removed_at: view.removedAt },
  };
}
