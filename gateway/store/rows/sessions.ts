// Rows of sessions: each is one sign-in of one browser. Holds no rule of its own.
// Whether a session is alive depends on its account and its device as well: `readSessionStanding` reads all three at once.

import type { Selectable } from 'kysely';
import type { AccountRole, AccountState } from '../../core/model/account.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { fixedStatement, type Places } from '../port/fixed-statement.ts';
import type { Sql } from '../port/store.ts';
import type { SessionsTable } from '../port/tables.ts';
import { endOfPage, type WalkedPage, type WalkFrom } from '../port/walk.ts';
import { usedForDays } from './used-for-days.ts';

export type SessionRow = Selectable<SessionsTable>;

/** A session with the account and the device that it depends on, read by one statement. */
export interface SessionStanding {
  readonly session: SessionRow;
  readonly account: {
    readonly id: string;
    readonly email: string;
    readonly emailVerifiedAt: EpochSeconds | null;
    readonly displayName: string;
    readonly groups: readonly string[];
    readonly role: AccountRole;
    readonly state: AccountState;
    /** Null until one is chosen. */
    readonly timeZone: string | null;
  };
  readonly deviceEndedAt: EpochSeconds | null;
}

export async function insertSession(sql: Sql, session: SessionRow): Promise<void> {
  await sql.insertInto('sessions').values(session).execute();
}

export async function readSession(sql: Sql, id: string): Promise<SessionRow | null> {
  return (await sql.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

export async function readSessionStanding(sql: Sql, id: string): Promise<SessionStanding | null> {
  const [row] = (await findSessionStanding(sql, { id })).rows;
  if (row === undefined) return null;
  const groups: unknown = JSON.parse(row.groups);
  return {
    session: {
      id: row.id,
      account_id: row.account_id,
      device_id: row.device_id,
      created_at: row.created_at,
      last_seen_at: row.last_seen_at,
      expires_at: row.expires_at,
      ended_at: row.ended_at,
    },
    account: {
      id: row.account_id,
      email: row.email,
      emailVerifiedAt: row.email_verified_at,
      displayName: row.display_name,
      groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
      role: row.role,
      state: row.state,
      timeZone: row.time_zone,
    },
    deviceEndedAt: row.device_ended_at,
  };
}

const findSessionStanding = fixedStatement((sql, at: Places<{ readonly id: string }>) =>
  sql
    .selectFrom('sessions')
    .innerJoin('accounts', 'accounts.id', 'sessions.account_id')
    .innerJoin('devices', 'devices.id', 'sessions.device_id')
    .selectAll('sessions')
    .select([
      'accounts.email',
      'accounts.email_verified_at',
      'accounts.display_name',
      'accounts.groups',
      'accounts.role',
      'accounts.state',
      'accounts.time_zone',
      'devices.ended_at as device_ended_at',
    ])
    .where('sessions.id', '=', at.value('id')),
);

/**
 * Sessions of an account that are alive, the last used first.
 *
 * @param idleSince  a session that was last used before this has ended
 * @param limit      default 200
 */
export async function listLiveSessions(
  sql: Sql,
  accountId: string,
  now: EpochSeconds,
  idleSince: EpochSeconds,
  limit = 200,
): Promise<SessionRow[]> {
  return await sql
    .selectFrom('sessions')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .where('last_seen_at', '>', idleSince)
    .orderBy('last_seen_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Marks a session as ended. @returns whether it was running until now */
export async function markSessionEnded(sql: Sql, id: string, now: EpochSeconds): Promise<boolean> {
  const result = await sql
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Marks all running sessions of an account as ended. @returns how many there were */
export async function markAccountSessionsEnded(sql: Sql, accountId: string, now: EpochSeconds): Promise<number> {
  const result = await sql
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/** Marks all running sessions of a device as ended. @returns how many there were */
export async function markDeviceSessionsEnded(sql: Sql, deviceId: string, now: EpochSeconds): Promise<number> {
  const result = await sql
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('device_id', '=', deviceId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/** Moves the last use of sessions forward, never back. A session that ended or was idle for too long stays as it is. */
export async function markSessionsSeen(
  sql: Sql,
  ids: readonly string[],
  at: EpochSeconds,
  idleSince: EpochSeconds,
): Promise<void> {
  if (ids.length === 0) return;
  await sql
    .updateTable('sessions')
    .set({ last_seen_at: at })
    .where('id', 'in', [...ids])
    .where('ended_at', 'is', null)
    .where('last_seen_at', '<', at)
    .where('last_seen_at', '>', idleSince)
    .execute();
}

/** Removes sessions that ended, expired or idled out before a moment. Reads one page of the walk. */
export async function removeOldSessions(
  sql: Sql,
  before: EpochSeconds,
  idleBefore: EpochSeconds,
  from: WalkFrom,
): Promise<WalkedPage> {
  const page = sql.selectFrom('sessions').where('id', '>', from.after).orderBy('id').limit(from.rows);
  const last = endOfPage(await page.select('id').execute(), from);
  const result = await sql
    .deleteFrom('sessions')
    .where('id', '>', from.after)
    .$if(last !== null, (query) => query.where('id', '<=', last ?? ''))
    .where((query) =>
      query.or([
        query('ended_at', '<', before),
        query('expires_at', '<', before),
        query('last_seen_at', '<', idleBefore),
      ]),
    )
    .executeTakeFirst();
  return { removed: Number(result.numDeletedRows), last };
}

/** Marks sessions that were not used since a moment as ended. Reads one page of the walk; `removed` counts the marked sessions. */
export async function markIdleSessionsEnded(
  sql: Sql,
  idleSince: EpochSeconds,
  now: EpochSeconds,
  from: WalkFrom,
): Promise<WalkedPage> {
  const page = sql.selectFrom('sessions').where('id', '>', from.after).orderBy('id').limit(from.rows);
  const last = endOfPage(await page.select('id').execute(), from);
  const result = await sql
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('id', '>', from.after)
    .$if(last !== null, (query) => query.where('id', '<=', last ?? ''))
    .where('ended_at', 'is', null)
    .where('last_seen_at', '<', idleSince)
    .executeTakeFirst();
  return { removed: Number(result.numUpdatedRows), last };
}

/** Ids of an account's live sessions beyond the first `kept` in the order of `usedForDays`; at most 20. */
export async function listSessionsBeyond(sql: Sql, accountId: string, kept: number): Promise<readonly string[]> {
  const rows = await sql
    .selectFrom('sessions')
    .select('id')
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .orderBy(usedForDays)
    .orderBy('last_seen_at', 'desc')
    .orderBy('id')
    .limit(20)
    .offset(kept)
    .execute();
  return rows.map(({ id }) => id);
}

/** Removes ended sessions of an account beyond the `kept` newest; at most 50. */
export async function removeEndedSessionsBeyond(sql: Sql, accountId: string, kept: number): Promise<void> {
  const rows = await sql
    .selectFrom('sessions')
    .select('id')
    .where('account_id', '=', accountId)
    .where('ended_at', 'is not', null)
    .orderBy('ended_at', 'desc')
    .orderBy('id')
    .limit(50)
    .offset(kept)
    .execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await sql.deleteFrom('sessions').where('id', 'in', ids).execute();
}

/** Removes all sessions of an account. */
export async function removeAccountSessions(sql: Sql, accountId: string): Promise<void> {
  await sql.deleteFrom('sessions').where('account_id', '=', accountId).execute();
}
