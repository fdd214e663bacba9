// The account behind the address that a share goes to. The statements and their number are the same whatever is known of the address.

import { sql as raw } from 'kysely';
import type { Sql } from '../port/store.ts';

/**
 * The account that a share to an address points at: the verified one, else the oldest unverified one, else the candidate. The candidate
 * is removed unless it is the one.
 *
 * @param candidateId  an unverified account of this address that was inserted in this unit
 */
export async function settleRecipient(
  sql: Sql,
  email: string,
  candidateId: string,
): Promise<{ readonly id: string; readonly isVerified: boolean }> {
  const { id, email_verified_at } = await sql
    .selectFrom('accounts')
    .select(['id', 'email_verified_at'])
    .where('email', '=', email)
    .where('state', '<>', 'deleted')
    .orderBy(raw`case when email_verified_at is null then 1 else 0 end`)
    .orderBy(raw`case when id = ${candidateId} then 1 else 0 end`)
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirstOrThrow();
  await sql.deleteFrom('accounts').where('id', '=', candidateId).where('id', '<>', id).execute();
  return { id, isVerified: email_verified_at !== null };
}

/** Whether an address is the verified one of any of some accounts. @param ids  at least one */
export async function isAddressOfAny(sql: Sql, email: string, ids: readonly string[]): Promise<boolean> {
  const row = await sql
    .selectFrom('accounts')
    .select('id')
    .where('id', 'in', [...ids])
    .where('email', '=', email)
    .where('email_verified_at', 'is not', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether an account has shown that an address is its own, whatever its state. */
export async function isVerifiedAddress(sql: Sql, email: string): Promise<boolean> {
  const row = await sql
    .selectFrom('accounts')
    .select('id')
    .where('email', '=', email)
    .where('email_verified_at', 'is not', null)
    .where('state', '<>', 'deleted')
    .executeTakeFirst();
  return row !== undefined;
}
