// Rows of shares: inserted, found, moved from state to state. Each move is one conditional statement whose row count is the verdict;
// which moves there are is `shareTransitions` in core/model/share.ts. Whether a chain holds: share-chains.ts.

import { sql as raw, type Selectable } from 'kysely';
import { type ShareEvent, shareTransitions } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import type { SharesTable } from '../port/tables-sharing.ts';
import { chainAboveHolds } from './share-chains.ts';

export type ShareRow = Selectable<SharesTable>;

/** @returns false, and nothing was inserted, when the same form made a share before */
export async function insertShare(sql: Sql, share: ShareRow): Promise<boolean> {
  const inserted = await sql
    .insertInto('shares')
    .values(share)
    .onConflict((conflict) => conflict.column('creation_digest').doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

export async function findShare(sql: Sql, id: string): Promise<ShareRow | null> {
  return (await sql.selectFrom('shares').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

export async function findShareOfForm(sql: Sql, creationDigest: string): Promise<ShareRow | null> {
  const row = await sql
    .selectFrom('shares')
    .selectAll()
    .where('creation_digest', '=', creationDigest)
    .executeTakeFirst();
  return row ?? null;
}

/** A share of a key by a giver to an address that is pending and not over, accepted or disabled; the newest. */
export async function findStandingShare(
  sql: Sql,
  of: { readonly keyId: string; readonly giverId: string; readonly email: string },
  now: EpochSeconds,
): Promise<ShareRow | null> {
  const row = await sql
    .selectFrom('shares')
    .selectAll()
    .where('email', '=', of.email)
    .where('key_id', '=', of.keyId)
    .where('giver_id', '=', of.giverId)
    .where((is) =>
      is.or([
        is('state', 'in', ['accepted', 'disabled']),
        is.and([is('state', '=', 'pending'), is('expires_at', '>', now)]),
      ]),
    )
    .where((is) => is.or([is('usable_until_at', 'is', null), is('usable_until_at', '>', now)]))
    .orderBy('created_at', 'desc')
    .executeTakeFirst();
  return row ?? null;
}

/** Who opens a request, and for which share. */
export interface AcceptAttempt {
  readonly shareId: string;
  /** The account that authenticated in this unit. */
  readonly accountId: string;
  /** The request of this browser: its selector and the digest of its secret. */
  readonly request: { readonly selector: string; readonly digest: string };
  readonly now: EpochSeconds;
}

/**
 * Accepts a share, if it may be accepted at this moment. The condition repeats all earlier checks: the share is pending, its first message
 * was handed over, this browser has an open request for this very share, it is not over, the account is active, verified and has the
 * address that the share was sent to, the key asks for no second factor, and the chain above holds. The row count is the verdict.
 */
export async function acceptShare(sql: Sql, attempt: AcceptAttempt): Promise<boolean> {
  const { shareId, accountId, request, now } = attempt;
  const { numUpdatedRows } = await sql
    .updateTable('shares')
    // the message is not sent again, so nobody needs its secret
    .set({ state: shareTransitions.accept.to, account_id: accountId, accepted_at: now, secret_sealed: null })
    .where('shares.id', '=', shareId)
    .where('shares.state', 'in', [...shareTransitions.accept.from])
    .where('shares.first_mail_at', 'is not', null)
    .where('shares.expires_at', '>', now)
    .where((is) => is.or([is('shares.usable_until_at', 'is', null), is('shares.usable_until_at', '>', now)]))
    .where((is) =>
      is.exists(
        is
          .selectFrom('share_requests as asked')
          .select('asked.selector')
          .where('asked.selector', '=', request.selector)
          .where('asked.digest', '=', request.digest)
          .whereRef('asked.share_id', '=', 'shares.id')
          .where('asked.used_at', 'is', null)
          .where('asked.expires_at', '>', now),
      ),
    )
    .where((is) =>
      is.exists(
        is
          .selectFrom('accounts')
          .select('accounts.id')
          .where('accounts.id', '=', accountId)
          .where('accounts.state', '=', 'active')
          .where('accounts.email_verified_at', 'is not', null)
          .whereRef('accounts.email', '=', 'shares.email'),
      ),
    )
    .where((is) =>
      is.exists(
        is
          .selectFrom('credential_keys')
          .select('credential_keys.id')
          .whereRef('credential_keys.id', '=', 'shares.key_id')
          .where('credential_keys.needs_second_factor', '=', 0),
      ),
    )
    .where(chainAboveHolds(raw`${shareId}`, now))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Moves a share by any event but `accept`. @param by  the actor's text. @returns whether it moved */
export async function moveShare(
  sql: Sql,
  id: string,
  event: Exclude<ShareEvent, 'accept'>,
  by: string,
  now: EpochSeconds,
): Promise<boolean> {
  const { from, to } = shareTransitions[event];
  const isLive = to === 'accepted';
  const { numUpdatedRows } = await sql
    .updateTable('shares')
    .set({
      state: to,
      ended_at: isLive ? null : now,
      ended_by: isLive ? null : by,
      // a share that is over opens nothing by its mail
      ...(isLive || to === 'disabled' ? {} : { secret_sealed: null }),
    })
    .where('id', '=', id)
    .where('state', 'in', [...from])
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** What a giver may change of a share that is not over. */
export type ShareChange = Partial<
  Pick<ShareRow, 'usable_from_at' | 'usable_until_at' | 'uses_allowed' | 'uses_left' | 'reshare_depth' | 'reminded_at'>
>;

/** @returns whether the share was pending, accepted or disabled, and was changed */
export async function changeShare(sql: Sql, id: string, change: ShareChange): Promise<boolean> {
  const { numUpdatedRows } = await sql
    .updateTable('shares')
    .set(change)
    .where('id', '=', id)
    .where('state', 'in', ['pending', 'accepted', 'disabled'])
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Whether a share hangs below another one at once, and is not over for good. */
export async function hasShareBelow(sql: Sql, id: string): Promise<boolean> {
  const row = await sql
    .selectFrom('shares')
    .select('id')
    .where('parent_id', '=', id)
    .where('state', 'in', ['pending', 'accepted', 'disabled'])
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Gives a pending share another secret: the addresses in its earlier messages open nothing from now on. */
export async function replaceShareSecret(
  sql: Sql,
  id: string,
  secret: { readonly digest: string; readonly sealed: string },
): Promise<void> {
  await sql
    .updateTable('shares')
    .set({ secret_digest: secret.digest, secret_sealed: secret.sealed })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .execute();
}

/**
 * Spends one use of an accepted share with a number of uses. The row count is the verdict; the caller has asked whether the chain holds.
 *
 * @returns how many are left then; -1 when none was left, and none was spent
 */
export async function spendUse(sql: Sql, id: string): Promise<number> {
  const row = await sql
    .updateTable('shares')
    .set({ uses_left: raw<number>`uses_left - 1` })
    .where('id', '=', id)
    .where('state', '=', 'accepted')
    .where('uses_left', '>', 0)
    .returning('uses_left')
    .executeTakeFirst();
  return row?.uses_left ?? -1;
}

/** Notes that a message of a share was handed to the transport. Shares that are over are noted too: it is a fact. */
export async function noteMailHandedOver(sql: Sql, id: string, now: EpochSeconds): Promise<void> {
  await sql
    .updateTable('shares')
    .set({ first_mail_at: raw<number>`coalesce(first_mail_at, ${now})`, mail_failed_at: null })
    .where('id', '=', id)
    .execute();
}

/** Notes that delivering a message of a share was given up. */
export async function noteMailFailed(sql: Sql, id: string, now: EpochSeconds): Promise<void> {
  await sql.updateTable('shares').set({ mail_failed_at: now }).where('id', '=', id).execute();
}

/** Notes that a message was queued, if the last one is older than `before`. @returns whether one may be queued now */
export async function noteMailQueued(sql: Sql, id: string, before: EpochSeconds, now: EpochSeconds): Promise<boolean> {
  const { numUpdatedRows } = await sql
    .updateTable('shares')
    .set({ last_mail_at: now })
    .where('id', '=', id)
    .where((is) => is.or([is('last_mail_at', 'is', null), is('last_mail_at', '<=', before)]))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Pending shares that point at one account point at another from now on: the account behind the address is another one. */
export async function repointPending(sql: Sql, email: string, accountId: string): Promise<void> {
  await sql
    .updateTable('shares')
    .set({ account_id: accountId })
    .where('email', '=', email)
    .where('state', '=', 'pending')
    .execute();
}

/** Records the last use of shares, never an earlier one. Ids that no share has are ignored. @param ids  at most 500 */
export async function recordSharesUsed(sql: Sql, ids: readonly string[], at: EpochSeconds): Promise<void> {
  await sql
    .updateTable('shares')
    .set({ last_used_at: at })
    .where('id', 'in', [...ids])
    .where((is) => is.or([is('last_used_at', 'is', null), is('last_used_at', '<', at)]))
    .execute();
}
