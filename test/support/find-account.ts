// Finds a usable account by its verified address, for tests that look at the final state of an account.

import { accountStanding } from '../../gateway/core/model/account.ts';
import { normaliseMailAddress } from '../../gateway/core/model/mail-address.ts';
import type { Store } from '../../gateway/store/port/store.ts';
import { type AccountRecord, findVerifiedAccount } from '../../gateway/store/rows/accounts.ts';

/** @returns null for no account, and for one that is unverified, disabled or deleted */
export async function findActiveAccountByAddress(
  from: Pick<Store, 'sql'>,
  address: string,
): Promise<AccountRecord | null> {
  const email = normaliseMailAddress(address);
  const account = email === null ? null : await findVerifiedAccount(from.sql, email);
  return account !== null && accountStanding(account) === 'usable' ? account : null;
}
