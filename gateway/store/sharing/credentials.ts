// Rows of credentials, and of the keys that hang off them. Rows are never deleted: shares, tokens and the audit log name them.

import type { Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import type { CredentialKeysTable, CredentialsTable } from '../port/tables-sharing.ts';

export type CredentialRow = Selectable<CredentialsTable>;
export type CredentialKeyRow = Selectable<CredentialKeysTable>;

export async function insertCredential(sql: Sql, credential: CredentialRow): Promise<void> {
  await sql.insertInto('credentials').values(credential).execute();
}

export async function insertCredentialKey(sql: Sql, key: CredentialKeyRow): Promise<void> {
  await sql.insertInto('credential_keys').values(key).execute();
}

export async function findCredential(sql: Sql, id: string): Promise<CredentialRow | null> {
  return (await sql.selectFrom('credentials').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

export async function findCredentialKey(sql: Sql, id: string): Promise<CredentialKeyRow | null> {
  return (await sql.selectFrom('credential_keys').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

/** The keys of a credential, oldest first, removed ones too. */
export async function listCredentialKeys(sql: Sql, credentialId: string): Promise<CredentialKeyRow[]> {
  return await sql
    .selectFrom('credential_keys')
    .selectAll()
    .where('credential_id', '=', credentialId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** How many keys a credential has, removed ones too. */
export async function countCredentialKeys(sql: Sql, credentialId: string): Promise<number> {
  const row = await sql
    .selectFrom('credential_keys')
    .select((key) => key.fn.countAll<number | string>().as('keys'))
    .where('credential_id', '=', credentialId)
    .executeTakeFirst();
  return Number(row?.keys ?? 0);
}

/** Marks a credential as withdrawn, for good. @returns whether it was in force until now */
export async function markCredentialWithdrawn(sql: Sql, id: string, by: string, now: EpochSeconds): Promise<boolean> {
  const { numUpdatedRows } = await sql
    .updateTable('credentials')
    .set({ withdrawn_at: now, withdrawn_by: by })
    .where('id', '=', id)
    .where('withdrawn_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Marks a key as removed, for good. @returns whether it was in force until now */
export async function markCredentialKeyRemoved(sql: Sql, id: string, by: string, now: EpochSeconds): Promise<boolean> {
  const { numUpdatedRows } = await sql
    .updateTable('credential_keys')
    .set({ removed_at: now, removed_by: by })
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Ids of the credentials of an account that were not withdrawn. */
export async function findStandingCredentials(sql: Sql, accountId: string): Promise<readonly string[]> {
  const rows = await sql
    .selectFrom('credentials')
    .select('id')
    .where('account_id', '=', accountId)
    .where('withdrawn_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}
