// The JSON shapes of accounts over `v1`, as administrators and the operator see them. The endpoints answer with them, and the command line
// reads answers by them.

import { z } from 'zod';
import type { AccountView } from '../../control/accounts/administer-accounts.ts';

export const roleShape = z.enum(['user', 'admin']);

export const accountShape = z.object({
  id: z.string(),
  email: z.string(),
  is_verified: z.boolean(),
  name: z.string(),
  groups: z.array(z.string()),
  role: roleShape,
  state: z.enum(['active', 'disabled', 'deleted']),
  has_password: z.boolean(),
  created_at: z.int(),
});

/** An account without its password's hash. `created_at` is in epoch seconds. */
export type Account = z.infer<typeof accountShape>;

export const accountsShape = z.object({ accounts: z.array(accountShape), next: z.string().nullable() });

/** A URL that signs in once, or null for everybody but the operator. */
const wayIn = z.string().nullable().describe('for the operator only; works once');

export const accountMadeShape = z.object({ account: z.string(), invitation_url: wayIn });
export const codeShape = z.object({ url: wayIn });

/** @returns the account in its JSON shape */
export function showAccount(account: AccountView): Account {
  return {
    id: account.id,
    email: account.email,
    is_verified: account.emailVerifiedAt !== null,
    name: account.displayName,
    groups: [...account.groups],
    role: account.role,
    state: account.state,
    has_password: account.hasPassword,
    created_at: account.createdAt,
  };
}
