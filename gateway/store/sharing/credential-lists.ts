// Credentials as administrators read them: one with the account it belongs to, and pages of all of them, newest first. Reads only.

import { sql as raw, type Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import type { CredentialsTable } from '../port/tables-sharing.ts';

/** A credential, the address of its account, and how many of its keys were not removed. */
export interface ListedCredential extends Selectable<CredentialsTable> {
  /** Empty once the account was deleted; null when its row is gone. */
  readonly email: string | null;
  readonly keys: number | string;
}

/** A page of the list. */
interface CredentialPage {
  /** Part of a name, an issuer or an address, meant literally; null for all. */
  readonly search: string | null;
  /** Only those of one account; null for all. */
  readonly accountId: string | null;
  /** The last credential of the page before; null for the first page. */
  readonly before: { readonly createdAt: EpochSeconds; readonly id: string } | null;
  readonly limit: number;
}

export async function readListedCredential(sql: Sql, id: string): Promise<ListedCredential | null> {
  return (await listed(sql).where('c.id', '=', id).executeTakeFirst()) ?? null;
}

export async function listCredentialRows(sql: Sql, page: CredentialPage): Promise<ListedCredential[]> {
  const { search, accountId, before, limit } = page;
  const pattern = `%${(search ?? '').toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
  return await listed(sql)
    .$if(accountId !== null, (query) => query.where('c.account_id', '=', accountId ?? ''))
    .$if(search !== null, (query) =>
      query.where(
        raw<boolean>`(lower(c.name) like ${pattern} escape '\\' or lower(c.issuer) like ${pattern} escape '\\'
          or a.email like ${pattern} escape '\\')`,
      ),
    )
    .$if(before !== null, (query) =>
      query.where(raw<boolean>`(c.created_at, c.id) < (${before?.createdAt ?? 0}, ${before?.id ?? ''})`),
    )
    .orderBy('c.created_at', 'desc')
    .orderBy('c.id', 'desc')
    .limit(limit)
    .execute();
}

function listed(sql: Sql) {
  return sql
    .selectFrom('credentials as c')
    .leftJoin('accounts as a', 'a.id', 'c.account_id')
    .selectAll('c')
    .select('a.email as email')
    .select((of) =>
      of
        .selectFrom('credential_keys as k')
        .select((key) => key.fn.countAll<number | string>().as('keys'))
        .whereRef('k.credential_id', '=', 'c.id')
        .where('k.removed_at', 'is', null)
        .$castTo<{ keys: number | string }>()
        .as('keys'),
    )
    .$narrowType<{ keys: number | string }>();
}
