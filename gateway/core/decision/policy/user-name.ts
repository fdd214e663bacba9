// The name by which a site shows a user. Accounts have none beside their address, and sites like Grafana and Gitea want one that people
// know themselves by. Pure.

import { isOfKind } from '../../model/node-id.ts';
import type { TokenClaims } from '../../token/claims.ts';

/** The claim `preferred_username`; for an account, whose tokens do not have it, the account's address. */
export function preferredUsername(claims: TokenClaims): string | undefined {
  return claims.preferred_username ?? addressOfAccount(claims);
}

/** The address of the holder when the holder is an account; undefined for holders whom latchkey does not know. */
export function addressOfAccount({ sub, email }: TokenClaims): string | undefined {
  return sub !== undefined && isOfKind('account', sub) ? email : undefined;
}
