// Lists and counts of accounts: for administrators, and for the removal of accounts that were never verified.

import { type ExpressionBuilder, sql as raw } from 'kysely';
import type { AccountRole } from '../../core/model/account.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import type { Tables } from '../port/tables.ts';
import { endOfPage, type WalkFrom } from '../port/walk.ts';
import { type AccountRecord, toAccountRecord } from './accounts.ts';

/** `waiting`: its address is not confirmed; `blocked`: disabled; `active`: neither; `not-blocked`: `active` or `waiting`. */
export type AccountStatus = 'active' | 'waiting' | 'blocked' | 'not-blocked';

/** A page of the list, in the order of addresses. */
interface AccountPage {
  /** Part of an address or a name; null for all. */
  readonly search: string | null;
  readonly status?: AccountStatus | undefined;
  readonly role?: AccountRole | undefined;
  /** The last account of the page before; its row may be gone by now. */
  readonly after: Pick<AccountRecord, 'email' | 'id'> | null;
  readonly limit: number;
}

/** How many admins other than one account can sign in. */
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

/** A page of all accounts that are not deleted. */
export async function listAccountRows(sql: Sql, page: AccountPage): Promise<AccountRecord[]> {
  const { search, after, status, role } = page;
  const pattern = search === null ? '' : `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
  const rows = await sql
    .selectFrom('accounts')
    .selectAll()
    .where('state', '<>', 'deleted')
    .$if(status === 'blocked', (query) => query.where('state', '=', 'disabled'))
    .$if(status !== undefined && status !== 'blocked', (query) => query.where('state', '=', 'active'))
    .$if(status === 'active', (query) => query.where('email_verified_at', 'is not', null))
    .$if(status === 'waiting', (query) => query.where('email_verified_at', 'is', null))
    .$if(role !== undefined, (query) => query.where('role', '=', role ?? 'user'))
    .$if(after !== null, (query) => query.where(raw<boolean>`(email, id) > (${after?.email}, ${after?.id})`))
    .$if(search !== null, (query) =>
      // The search text is meant literally, so wildcards of `like` were escaped. `lower` folds only ASCII on SQLite, more on
      // PostgreSQL.
      query.where(raw<boolean>`(email like ${pattern} escape '\\' or lower(display_name) like ${pattern} escape '\\')`),
    )
    .orderBy('email')
    .orderBy('id')
    .limit(page.limit)
    .execute();
  return rows.map(toAccountRecord);
}

/** How many accounts are not verified. */
export async function countUnverified(sql: Sql): Promise<number> {
  return Number((await unverified(sql).executeTakeFirst())?.unverified ?? 0);
}

/** How many of them no key was offered to that still waits. */
export async function countUnoffered(sql: Sql, now: EpochSeconds): Promise<number> {
  const row = await unverified(sql)
    .where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom('shares')
            .select('shares.id')
            .whereRef('shares.account_id', '=', 'accounts.id')
            .where('shares.state', '=', 'pending')
            .where('shares.expires_at', '>', now),
        ),
      ),
    )
    .executeTakeFirst();
  return Number(row?.unverified ?? 0);
}

function unverified(sql: Sql) {
  return sql
    .selectFrom('accounts')
    .select((query) => query.fn.countAll<number | string>().as('unverified'))
    .where('email_verified_at', 'is', null)
    .where('state', '<>', 'deleted');
}

/**
 * Ids of accounts that registration or a share of a key made and no administrator touched, without a code or a share that could still
 * verify them; the oldest first.
 */
export async function listExpiredRegistrations(sql: Sql, limit: number, now: EpochSeconds): Promise<readonly string[]> {
  const rows = await sql
    .selectFrom('accounts')
    .select('id')
    .where('email_verified_at', 'is', null)
    .where('state', '=', 'active')
    .where('role', '=', 'user')
    .where('groups', '=', '[]')
    .where('display_name', '=', '')
    .where(nothingWaits(now))
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Accounts that were made before a moment and never verified, without a code or a share that could still verify them. Reads one page of
 * the walk.
 *
 * @param limit  most ids in the answer; when more match, the page ends at the last id of the answer
 */
export async function listAbandonedAccounts(
  sql: Sql,
  createdBefore: EpochSeconds,
  from: WalkFrom,
  limit: number,
  now: EpochSeconds,
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
    .where(nothingWaits(now))
    .orderBy('id')
    .limit(limit)
    .execute();
  const ids = rows.map(({ id }) => id);
  return { ids, last: ids.length < limit ? last : (ids.at(-1) ?? last) };
}

/** Whether neither a code nor a key that was offered waits for the account's holder. */
function nothingWaits(now: EpochSeconds) {
  return ({ exists, not, or, selectFrom }: ExpressionBuilder<Tables, 'accounts'>) =>
    not(
      or([
        exists(
          selectFrom('one_time_codes')
            .select('one_time_codes.selector')
            .whereRef('one_time_codes.account_id', '=', 'accounts.id'),
        ),
        exists(
          selectFrom('shares')
            .select('shares.id')
            .whereRef('shares.account_id', '=', 'accounts.id')
            .where('shares.state', '=', 'pending')
            .where('shares.expires_at', '>', now),
        ),
      ]),
    );
}
