// The account behind a session, as its rows say it at this moment: nobody passes, and nobody claims, on what a token says.
// One query: the account is active and verified, the session and its device are not ended.

import type { Kysely } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import { fixedStatement, type Places } from '../../store/fixed-statement.ts';
import type { Tables } from '../../store/tables.ts';

/** Ids as a verified session token names them. */
export interface SessionReference {
  readonly account: string;
  readonly session: string;
  readonly device: string;
}

/** Active, with a verified address. */
export interface LiveAccount {
  readonly id: string;
  readonly email: string;
  readonly displayName: string;
  readonly groups: readonly string[];
  readonly role: 'user' | 'admin';
}

/** @returns null when anything of it was ended, disabled, deleted or never verified */
export async function readLiveAccount(
  sql: Kysely<Tables>,
  reference: SessionReference,
  now: EpochSeconds,
): Promise<LiveAccount | null> {
  const { account, session, device } = reference;
  const [row] = (await findLiveAccount(sql, { account, session, device, now })).rows;
  return row === undefined ? null : { ...row, groups: textsOf(row.groups) };
}

const findLiveAccount = fixedStatement((sql, at: Places<SessionReference & { readonly now: EpochSeconds }>) =>
  sql
    .selectFrom('accounts')
    .innerJoin('sessions', 'sessions.account_id', 'accounts.id')
    .innerJoin('devices', 'devices.id', 'sessions.device_id')
    .select(['accounts.id as id', 'accounts.email as email', 'accounts.display_name as displayName'])
    .select(['accounts.groups as groups', 'accounts.role as role'])
    .where('accounts.id', '=', at.value('account'))
    .where('accounts.state', '=', 'active')
    .where('accounts.email_verified_at', 'is not', null)
    .where('sessions.id', '=', at.value('session'))
    .where('sessions.device_id', '=', at.value('device'))
    .where('sessions.ended_at', 'is', null)
    .where('sessions.expires_at', '>', at.value('now'))
    .where('devices.ended_at', 'is', null),
);

/** Whether the session goes on, whatever became of its account. */
export async function isSessionLive(
  sql: Kysely<Tables>,
  { session, device }: SessionReference,
  now: EpochSeconds,
): Promise<boolean> {
  const row = await sql
    .selectFrom('sessions')
    .innerJoin('devices', 'devices.id', 'sessions.device_id')
    .select('sessions.id')
    .where('sessions.id', '=', session)
    .where('sessions.device_id', '=', device)
    .where('sessions.ended_at', 'is', null)
    .where('sessions.expires_at', '>', now)
    .where('devices.ended_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** The active account whose verified address this is. @param email  normalised */
export async function findActiveAccountId(sql: Kysely<Tables>, email: string): Promise<string | null> {
  const row = await sql
    .selectFrom('accounts')
    .select('id')
    .where('email', '=', email)
    .where('email_verified_at', 'is not', null)
    .where('state', '=', 'active')
    .executeTakeFirst();
  return row?.id ?? null;
}

/** How people call an account: its name, else its address; null for one that is gone. */
export async function readPersonName(sql: Kysely<Tables>, accountId: string): Promise<string | null> {
  const row = await sql
    .selectFrom('accounts')
    .select(['display_name', 'email'])
    .where('id', '=', accountId)
    .where('state', '<>', 'deleted')
    .executeTakeFirst();
  return row === undefined ? null : row.display_name || row.email;
}

function textsOf(json: string): string[] {
  const list: unknown = JSON.parse(json);
  return Array.isArray(list) ? list.filter((text) => typeof text === 'string') : [];
}
