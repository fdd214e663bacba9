// Requests for shares: one browser asks for one key. A request grants nothing and touches no other browser's request.
// Five of them have a place at a time. A browser that asked and then did nothing for a minute, as a scanner of mails does, gives its place away
// and keeps its request, so whoever comes next is not kept out and nobody's request ends early.

import { sql as raw } from 'kysely';
import { sameDigest } from '../../core/model/digest.ts';
import { maxOpenRequests, requestPlaceSeconds } from '../../core/model/share.ts';
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
 * while fewer than five have a place.
 *
 * @returns whether it was opened
 */
export async function openRequest(sql: Sql, request: NewRequest, now: EpochSeconds): Promise<boolean> {
  const { selector, digest, shareId, expiresAt, digits } = request;
  const { numAffectedRows } = await raw`
    insert into share_requests (selector, digest, share_id, created_at, expires_at, digits_digest, tries_left, used_at, tried_at)
    select ${selector}, ${digest}, id, ${raw.lit(now)}, ${raw.lit(expiresAt)}, cast(${digits?.digest ?? null} as text),
      cast(${digits?.tries ?? null} as integer), null, null
    from shares
    where id = ${shareId} and state = 'pending' and first_mail_at is not null and expires_at > ${now}
      and (usable_until_at is null or usable_until_at > ${now})
      and (select count(*) from share_requests where share_id = ${shareId} and used_at is null and expires_at > ${now}
        and (tried_at is not null or created_at > ${now - requestPlaceSeconds})) < ${maxOpenRequests}`.execute(sql);
  return numAffectedRows === 1n;
}

/** A request of a browser, if its secret is right and it is not over; spent ones too. */
export interface FoundRequest {
  readonly shareId: string;
  readonly expiresAt: EpochSeconds;
  /** How often digits may still be tried; null where the account proved itself by a password when it asked. */
  readonly triesLeft: number | null;
  readonly isUsed: boolean;
}

export async function findRequest(sql: Sql, request: BrowserRequest, now: EpochSeconds): Promise<FoundRequest | null> {
  const row = await sql
    .selectFrom('share_requests')
    .select(['share_id', 'expires_at', 'digits_digest', 'tries_left', 'used_at'])
    .where('selector', '=', request.selector)
    .where('digest', '=', request.digest)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    shareId: row.share_id,
    expiresAt: row.expires_at,
    triesLeft: row.digits_digest === null ? null : (row.tries_left ?? 0),
    isUsed: row.used_at !== null,
  };
}

/** When the first of the requests of a share gives its place away; null when none has one. */
export async function nextRequestEnd(sql: Sql, shareId: string, now: EpochSeconds): Promise<EpochSeconds | null> {
  const row = await sql
    .selectFrom('share_requests')
    .select(
      raw<number | string | null>`min(case when tried_at is null then created_at + ${raw.lit(requestPlaceSeconds)}
        else expires_at end)`.as('ends'),
    )
    .where('share_id', '=', shareId)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .where((is) => is.or([is('tried_at', 'is not', null), is('created_at', '>', now - requestPlaceSeconds)]))
    .executeTakeFirst();
  return row?.ends == null ? null : Number(row.ends);
}

/** Notes that a browser tried to authenticate for its request, which then has a place until it ends. */
export async function noteRequestTried(sql: Sql, request: BrowserRequest, now: EpochSeconds): Promise<void> {
  await openRequestOf(sql, request, now).set({ tried_at: now }).execute();
}

/**
 * Compares the mailed digits, and takes one of the tries unless they are right: one statement, so that parallel guesses are as many as there
 * are tries, and the right digits may be sent twice.
 *
 * @returns null where no try is left or no digits are asked for
 */
export async function tryDigits(
  sql: Sql,
  request: BrowserRequest,
  digitsDigest: string,
  now: EpochSeconds,
): Promise<{ readonly isRight: boolean; readonly triesLeft: number } | null> {
  const row = await openRequestOf(sql, request, now)
    .set({
      tries_left: raw<number>`case when digits_digest = ${digitsDigest} then tries_left else tries_left - 1 end`,
      tried_at: now,
    })
    .where('tries_left', '>', 0)
    .returning(['digits_digest', 'tries_left'])
    .executeTakeFirst();
  if (row === undefined) return null;
  return { isRight: sameDigest(row.digits_digest ?? '', digitsDigest), triesLeft: row.tries_left ?? 0 };
}

/** Spends a request in the unit that accepted by it. @returns whether it was open */
export async function spendRequest(sql: Sql, request: BrowserRequest, now: EpochSeconds): Promise<boolean> {
  const { numUpdatedRows } = await openRequestOf(sql, request, now).set({ used_at: now }).executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Removes a request in the unit that opened it. */
export async function removeRequest(sql: Sql, selector: string): Promise<void> {
  await sql.deleteFrom('share_requests').where('selector', '=', selector).execute();
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

/** A request as the browser that opened it carries it. */
interface BrowserRequest {
  readonly selector: string;
  readonly digest: string;
}

function openRequestOf(sql: Sql, { selector, digest }: BrowserRequest, now: EpochSeconds) {
  return sql
    .updateTable('share_requests')
    .where('selector', '=', selector)
    .where('digest', '=', digest)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now);
}
