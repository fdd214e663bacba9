// How an account shows that it is the one behind an address, when it accepts a key: by its password, or by mailed digits together with a new
// password. The account as it is at that moment decides, so a password that was set meanwhile is asked for.

import { accountStanding } from '../../core/model/account.ts';
import type { Sql } from '../../store/port/store.ts';
import { type AccountRecord, findVerifiedAccount } from '../../store/rows/accounts.ts';

/** `password`: of a verified, active account that has one; `digits`: of every other address, with a password to have from now on. */
export type ShareProofKind = 'password' | 'digits';

/** The verified account of an address, and what it has to show. @param email  normalised */
export async function findProof(
  sql: Sql,
  email: string,
): Promise<{ readonly account: AccountRecord | null; readonly needs: ShareProofKind }> {
  const account = await findVerifiedAccount(sql, email);
  const hasPassword = account !== null && accountStanding(account) === 'usable' && account.passwordHash !== null;
  return { account, needs: hasPassword ? 'password' : 'digits' };
}
