// Finds a person by address, the one way in which any room does: only a verified address of an active account counts.
// Rule: product.md, and attacks.md: whoever names an address first does not own it.

import type { Kysely } from 'kysely';
import { accountStanding } from '../../core/model/account.ts';
import { normaliseAddress } from '../../core/model/address.ts';
import { type AccountRecord, findVerifiedAccount, readAccount } from '../../store/accounts.ts';
import type { Tables } from '../../store/tables.ts';

/** A context's `store`, or a unit. */
export interface Readable {
  readonly sql: Kysely<Tables>;
}

/**
 * @param address  as somebody typed it
 * @returns null for no account, and for one that is unverified, disabled or deleted
 */
export async function findActiveAccountByAddress(from: Readable, address: string): Promise<AccountRecord | null> {
  const email = normaliseAddress(address);
  return email === null ? null : usable(await findVerifiedAccount(from.sql, email));
}

/** @returns null for no account, and for one that is unverified, disabled or deleted */
export async function findActiveAccount(from: Readable, accountId: string): Promise<AccountRecord | null> {
  return usable(await readAccount(from.sql, accountId));
}

function usable(account: AccountRecord | null): AccountRecord | null {
  return account !== null && accountStanding(account) === 'usable' ? account : null;
}
