// Accounts as lists and counts: for administrators, and for what is forgotten because nobody verified it.

import { sql as raw } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import { endOfPage, type WalkFrom } from '../port/walk.ts';
import { type AccountRecord, toAccountRecord } from './accounts.ts';

/** A page of the list, in the order of addresses. */
interface AccountPage {
  /** Part of an address or a name; null for all. */
  readonly search: string | null;
  /** The last one of the page before; it need not be there any more. */
  readonly after: Pick<AccountRecord, 'email' | 'id'> | null;
  readonly limit: number;
}

/** Admins who can sign in, one account left out. */
export async function countOtherAdmins(sql: Sql, exceptId: string): Promise<number> {
  const row = await sql
    .selectFrom('accounts')
    .select((query) => query.fn.countAll<number | string>().as('admins'))
    .where('role', '=', 'admin')
    .where('state', '=', 'active')
    .where('email_verified_at', 'is not', null)
    .where('id', '<>', exceptId)
    .executeTakeFirst();
  return Number(row?.admins ?? 0);
}

/** Without the deleted ones. */
export async function listAccountRows(sql: Sql, page: AccountPage): Promise<AccountRecord[]> {
  const { search, after } = page;
  const pattern = search === null ? '' : `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
  const rows = await sql
    .selectFrom('accounts')
    .selectAll()
    .where('state', '<>', 'deleted')
    .$if(after !== null, (query) => query.where(raw<boolean>`(email, id) > (${after?.email}, ${after?.id})`))
    .$if(search !== null, (query) =>
      // A search text is text: what `like` gives a meaning to was escaped. `lower` folds ASCII on SQLite, more on PostgreSQL.
      query.where(raw<boolean>`(email like ${pattern} escape '\\' or lower(display_name) like ${pattern} escape '\\')`),
    )
    .orderBy('email')
    .orderBy('id')
    .limit(page.limit)
    .execute();
  return rows.map(toAccountRecord);
}

/** Accounts that nobody verified. */
export async function countUnverified(sql: Sql): Promise<number> {
  const row = await sql
    .selectFrom('accounts')
    .select((query) => query.fn.countAll<number | string>().as('unverified'))
    .where('email_verified_at', 'is', null)
    .where('state', '<>', 'deleted')
    .executeTakeFirst();
  return Number(row?.unverified ?? 0);
}

/** The oldest accounts that came by registration alone, with no code left that could verify them. */
export async function listExpiredRegistrations(sql: Sql, limit: number): Promise<readonly string[]> {
  const rows = await sql
    .selectFrom('accounts')
    .select('id')
    .where('email_verified_at', 'is', null)
    .where('state', '=', 'active')
    .where('role', '=', 'user')
    .where('groups', '=', '[]')
    .where('display_name', '=', '')
    .where((query) =>
      query.not(
        query.exists(
          query
            .selectFrom('one_time_codes')
            .select('one_time_codes.selector')
            .whereRef('one_time_codes.account_id', '=', 'accounts.id'),
        ),
      ),
    )
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Accounts that were named long ago and never verified, with no code left that could verify them; looks at one page of all.
 *
 * @param limit  most of them that are named; with more the page ends at the last one
 */
export async function listAbandonedAccounts(
  sql: Sql,
  createdBefore: EpochSeconds,
  from: WalkFrom,
  limit: number,
): Promise<{ readonly ids: readonly string[]; readonly last: string | null }> {
  const page = sql.selectFrom('accounts').where('id', '>', from.after).orderBy('id').limit(from.rows);
  const last = endOfPage(await page.select('id').execute(), from);
  const rows = await sql
    .selectFrom('accounts')
    .select('id')
    .where('id', '>', from.after)
    .$if(last !== null, (query) => query.where('id', '<=', last ?? ''))
    .where('email_verified_at', 'is', null)
    .where('state', '=', 'active')
    .where('created_at', '<', createdBefore)
    .where((query) =>
      query.not(
        query.exists(
          query
            .selectFrom('one_time_codes')
            .select('one_time_codes.selector')
            .whereRef('one_time_codes.account_id', '=', 'accounts.id'),
        ),
      ),
    )
    .orderBy('id')
    .limit(limit)
    .execute();
  const ids = rows.map(({ id }) => id);
  return { ids, last: ids.length < limit ? last : (ids.at(-1) ?? last) };
}
