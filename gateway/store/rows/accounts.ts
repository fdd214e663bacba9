// Rows of accounts: inserted, found, changed, removed. Lists and counts are account-lists.ts. Holds no rule of its own.
// An address belongs to an account only once it is verified; a search for a person uses `findVerifiedAccount`.

import type { Selectable } from 'kysely';
import type { AccountRole, AccountState } from '../../core/model/account.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import type { AccountsTable } from '../port/tables.ts';

/** A row with its JSON parsed. No answer of control may hold `passwordHash`. */
export interface AccountRecord {
  readonly id: string;
  /** Normalised; empty when deleted. */
  readonly email: string;
  readonly emailVerifiedAt: EpochSeconds | null;
  /** PHC string; null for an account without a password. */
  readonly passwordHash: string | null;
  /** Empty for none. */
  readonly displayName: string;
  readonly groups: readonly string[];
  readonly role: AccountRole;
  readonly state: AccountState;
  readonly createdAt: EpochSeconds;
  /** Zone in which times are told to the person; null until one is chosen. */
  readonly timeZone: string | null;
}

/** The members of an account that may be changed. */
export type AccountChange = Partial<Omit<AccountRecord, 'id' | 'createdAt'>>;

export async function insertAccount(sql: Sql, account: Omit<AccountRecord, 'timeZone'>): Promise<void> {
  await sql
    .insertInto('accounts')
    .values({
      id: account.id,
      email: account.email,
      email_verified_at: account.emailVerifiedAt,
      password_hash: account.passwordHash,
      display_name: account.displayName,
      groups: JSON.stringify(account.groups),
      role: account.role,
      state: account.state,
      created_at: account.createdAt,
    })
    .execute();
}

export async function readAccount(sql: Sql, id: string): Promise<AccountRecord | null> {
  return toRecord(await sql.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst());
}

/** The account whose address this is, whatever its state. @param address  normalised */
export async function findVerifiedAccount(sql: Sql, address: string): Promise<AccountRecord | null> {
  const row = await sql
    .selectFrom('accounts')
    .selectAll()
    .where('email', '=', address)
    .where('email_verified_at', 'is not', null)
    .where('state', '<>', 'deleted')
    .executeTakeFirst();
  return toRecord(row);
}

/** The id of the active account whose verified address this is; null for none. @param address  normalised */
export async function findActiveAccountId(sql: Sql, address: string): Promise<string | null> {
  const row = await sql
    .selectFrom('accounts')
    .select('id')
    .where('email', '=', address)
    .where('email_verified_at', 'is not', null)
    .where('state', '=', 'active')
    .executeTakeFirst();
  return row?.id ?? null;
}

/** What people call an account: its name, else its address; null for an account that is deleted or was never there. */
export async function readPersonName(sql: Sql, id: string): Promise<string | null> {
  const row = await sql
    .selectFrom('accounts')
    .select(['display_name', 'email'])
    .where('id', '=', id)
    .where('state', '<>', 'deleted')
    .executeTakeFirst();
  return row === undefined ? null : row.display_name || row.email;
}

/** The time zone that an account chose; null for none, and for an account that is not there. */
export async function readTimeZone(sql: Sql, id: string): Promise<string | null> {
  const row = await sql.selectFrom('accounts').select('time_zone').where('id', '=', id).executeTakeFirst();
  return row?.time_zone ?? null;
}

/** The address that mails to an account go to: its verified one; null unless the account is active. */
export async function readMailAddress(sql: Sql, id: string): Promise<string | null> {
  const row = await sql
    .selectFrom('accounts')
    .select('email')
    .where('id', '=', id)
    .where('state', '=', 'active')
    .where('email_verified_at', 'is not', null)
    .executeTakeFirst();
  return row?.email ?? null;
}

/** Accounts that name this address and have not verified it; the oldest first. */
export async function findUnverifiedAccounts(sql: Sql, address: string): Promise<AccountRecord[]> {
  const rows = await sql
    .selectFrom('accounts')
    .selectAll()
    .where('email', '=', address)
    .where('email_verified_at', 'is', null)
    .where('state', '<>', 'deleted')
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map(toAccountRecord);
}

export async function updateAccount(sql: Sql, id: string, change: AccountChange): Promise<void> {
  await sql
    .updateTable('accounts')
    .set({
      ...(change.email === undefined ? {} : { email: change.email }),
      ...(change.emailVerifiedAt === undefined ? {} : { email_verified_at: change.emailVerifiedAt }),
      ...(change.passwordHash === undefined ? {} : { password_hash: change.passwordHash }),
      ...(change.displayName === undefined ? {} : { display_name: change.displayName }),
      ...(change.groups === undefined ? {} : { groups: JSON.stringify(change.groups) }),
      ...(change.role === undefined ? {} : { role: change.role }),
      ...(change.state === undefined ? {} : { state: change.state }),
      ...(change.timeZone === undefined ? {} : { time_zone: change.timeZone }),
    })
    .where('id', '=', id)
    .execute();
}

/** Replaces the hash `from` by a costlier hash of the same password; does nothing when the password was changed meanwhile. */
export async function replacePasswordHash(sql: Sql, id: string, from: string, to: string): Promise<void> {
  await sql
    .updateTable('accounts')
    .set({ password_hash: to })
    .where('id', '=', id)
    .where('password_hash', '=', from)
    .execute();
}

/** Removes the row itself: only for accounts that were never used. A used account keeps its row, with `state` deleted. */
export async function removeAccountRow(sql: Sql, id: string): Promise<void> {
  await sql.deleteFrom('accounts').where('id', '=', id).execute();
}

function toRecord(row: Selectable<AccountsTable> | undefined): AccountRecord | null {
  return row === undefined ? null : toAccountRecord(row);
}

/** Parses a row. */
export function toAccountRecord(row: Selectable<AccountsTable>): AccountRecord {
  return {
    id: row.id,
    email: row.email,
    emailVerifiedAt: row.email_verified_at,
    passwordHash: row.password_hash,
    displayName: row.display_name,
    groups: readGroups(row.groups),
    role: row.role,
    state: row.state,
    createdAt: row.created_at,
    timeZone: row.time_zone,
  };
}

function readGroups(text: string): readonly string[] {
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) ? value.filter((group) => typeof group === 'string') : [];
}
