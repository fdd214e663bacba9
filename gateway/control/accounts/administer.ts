// The one rule that binds administrators too: at least one admin who can sign in has to be left.

import type { Unit } from '../../store/port/store.ts';
import { countOtherAdmins } from '../../store/rows/account-lists.ts';
import type { AccountRecord } from '../../store/rows/accounts.ts';

/**
 * Whether an account is the only admin who can sign in, so that it can neither go nor become a user. Units are serial on all
 * nodes, so two admins who remove each other at once leave one.
 */
export async function isLastAdmin(unit: Unit, account: AccountRecord): Promise<boolean> {
  const counts = account.role === 'admin' && account.state === 'active' && account.emailVerifiedAt !== null;
  return counts && (await countOtherAdmins(unit.sql, account.id)) === 0;
}
