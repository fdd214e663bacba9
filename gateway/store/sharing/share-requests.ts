// Requests for shares: one browser asks for one key. A request grants nothing and touches no other browser's request.

import { sql as raw } from 'kysely';
import { maxOpenRequests } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';

interface NewRequest {
  readonly selector: string;
  readonly digest: string;
  readonly shareId: string;
  readonly expiresAt: EpochSeconds;
  /** For an account that proves itself by digits that are mailed; null where a password does. */
  readonly digits: { readonly digest: string; readonly tries: number } | null;
}

/**
 * Opens a request by one conditional statement: only for a pending share that is not over, after its first message was handed over, and
 * while fewer than five are open.
 *
 * @returns whether it was opened
 */
export async function openRequest(sql: Sql, request: NewRequest, now: EpochSeconds): Promise<boolean> {
  const { selector, digest, shareId, expiresAt, digits } = request;
  const { numAffectedRows } = await raw`
    insert into share_requests (selector, digest, share_id, created_at, expires_at, digits_digest, tries_left, used_at)
    select ${selector}, ${digest}, id, ${raw.lit(now)}, ${raw.lit(expiresAt)}, cast(${digits?.digest ?? null} as text),
      cast(${digits?.tries ?? null} as integer), null
    from shares
    where id = ${shareId} and state = 'pending' and first_mail_at is not null and expires_at > ${now}
      and (usable_until_at is null or usable_until_at > ${now})
      and (select count(*) from share_requests where share_id = ${shareId} and used_at is null and expires_at > ${now})
        < ${maxOpenRequests}`.execute(sql);
  return numAffectedRows === 1n;
}

/** A request of a browser, if its secret is right and it is not over; spent ones too. */
export interface FoundRequest {
  readonly shareId: string;
  readonly expiresAt: EpochSeconds;
  readonly needsDigits: boolean;
  readonly isUsed: boolean;
}

export async function findRequest(
  sql: Sql,
  request: { readonly selector: string; readonly digest: string },
  now: EpochSeconds,
): Promise<FoundRequest | null> {
  const row = await sql
    .selectFrom('share_requests')
    .select(['share_id', 'expires_at', 'digits_digest', 'used_at'])
    .where('selector', '=', request.selector)
    .where('digest', '=', request.digest)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    shareId: row.share_id,
    expiresAt: row.expires_at,
    needsDigits: row.digits_digest !== null,
    isUsed: row.used_at !== null,
  };
}

/** When the oldest open request of a share ends; null when none is open. */
export async function nextRequestEnd(sql: Sql, shareId: string, now: EpochSeconds): Promise<EpochSeconds | null> {
  const row = await sql
    .selectFrom('share_requests')
    .select(({ fn }) => fn.min<number | string | null>('expires_at').as('ends'))
    .where('share_id', '=', shareId)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row?.ends == null ? null : Number(row.ends);
}

/** Takes one of the tries at the mailed digits, before they are looked at. @returns null where none is left or none is asked for */
export async function takeDigitsTry(
  sql: Sql,
  selector: string,
  now: EpochSeconds,
): Promise<{ readonly digitsDigest: string; readonly triesLeft: number } | null> {
  const row = await sql
    .updateTable('share_requests')
    .set({ tries_left: raw<number>`tries_left - 1` })
    .where('selector', '=', selector)
    .where('tries_left', '>', 0)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['digits_digest', 'tries_left'])
    .executeTakeFirst();
  return row === undefined ? null : { digitsDigest: row.digits_digest ?? '', triesLeft: row.tries_left ?? 0 };
}

/** Spends a request in the unit that accepted by it. @returns whether it was open */
export async function spendRequest(
  sql: Sql,
  request: { readonly selector: string; readonly digest: string },
  now: EpochSeconds,
): Promise<boolean> {
  const { numUpdatedRows } = await sql
    .updateTable('share_requests')
    .set({ used_at: now })
    .where('selector', '=', request.selector)
    .where('digest', '=', request.digest)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Forgets requests that were over before a moment. @returns how many */
export async function pruneRequests(sql: Sql, before: EpochSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await sql
    .deleteFrom('share_requests')
    .where('selector', 'in', (of) =>
      of
        .selectFrom('share_requests')
        .select('selector')
        .where('expires_at', '<', before)
        .orderBy('expires_at')
        .limit(limit),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
