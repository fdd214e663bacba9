// The outbox: mails that wait to be delivered. A mail is written in the unit that causes it, so no mail is sent for a unit that was
// undone, and none is lost. The sealed body is the business of control/notify. One conditional update leases a mail to one worker,
// and its row count decides who delivers. Rules: gateway/RULES.md "The code" and "Sessions, links and guessing".

import { sql as raw, type Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../port/store.ts';
import type { OutboxTable } from '../port/tables.ts';

/** A mail to be written. */
interface NewMail {
  readonly id: string;
  readonly kind: string;
  readonly accountId: string | null;
  readonly bodySealed: string;
  /** Id of the share whose first message this is; default none. */
  readonly subject?: string | null;
  /** How long the mail waits before the first attempt; default 0. */
  readonly deferSeconds?: number;
}

/** A mail that a worker has leased: no other worker delivers it before `leasedUntilAt`. */
export interface TakenMail {
  readonly id: string;
  readonly kind: string;
  readonly bodySealed: string;
  readonly createdAt: EpochSeconds;
  /** How long the mail was to wait before the first attempt. */
  readonly deferredSeconds: number;
  /** Id of the share whose first message this is; null for none. */
  readonly subject: string | null;
  /** How often delivery was tried, this attempt included. */
  readonly attempts: number;
  readonly leasedUntilAt: EpochSeconds;
}

/** How many mails wait. */
interface OutboxDepth {
  readonly waiting: number;
  /** When the oldest waiting mail was written, or was to be sent first, where it was put off; null when none waits. */
  readonly oldestAt: EpochSeconds | null;
}

/** Writes a mail; it is due at once, or after the time that it is put off. */
export async function insertMail(unit: Unit, mail: NewMail): Promise<void> {
  await unit.sql
    .insertInto('outbox')
    .values({
      id: mail.id,
      kind: mail.kind,
      account_id: mail.accountId,
      body_sealed: mail.bodySealed,
      created_at: unit.now,
      attempts: 0,
      next_attempt_at: unit.now + (mail.deferSeconds ?? 0),
      leased_until_at: 0,
      delivered_at: null,
      given_up_at: null,
      last_problem: null,
      subject: mail.subject ?? null,
      deferred_seconds: mail.deferSeconds || null,
    })
    .execute();
}

/**
 * When the next mail is due, a leased mail at the end of its lease; null when none waits. A hint: `takeDueMail` decides.
 *
 * @param latestAt  no mail is put back beyond this time, but for the time that it was put off when it was queued: a row with a later
 *   time was written by a clock that was ahead, and is due
 */
export async function nextMailDue(sql: Sql, latestAt: EpochSeconds): Promise<EpochSeconds | null> {
  const row = await waitingMail(sql)
    .select((row) => row.fn.min<number | null>(dueAt(latestAt)).as('due'))
    .executeTakeFirst();
  return toNumber(row?.due);
}

/**
 * Leases mails that are due, the longest due first. The attempt is counted at once, so that an attempt that ends the process
 * counts too.
 *
 * @param maxWaitSeconds  no mail is put back for longer; see `nextMailDue`
 */
export async function takeDueMail(
  unit: Unit,
  limit: number,
  leaseSeconds: number,
  maxWaitSeconds: number,
): Promise<TakenMail[]> {
  const due = waitingMail(unit.sql)
    .select('id')
    .where((row) =>
      row.or([row('next_attempt_at', '<=', unit.now), row(withoutDeferral, '>', unit.now + maxWaitSeconds)]),
    )
    .where('leased_until_at', '<=', unit.now)
    .orderBy('next_attempt_at')
    .orderBy('id')
    .limit(limit);
  const rows = await unit.sql
    .updateTable('outbox')
    .set({ leased_until_at: unit.now + leaseSeconds, attempts: raw<number>`attempts + 1` })
    .where('id', 'in', due)
    .where('leased_until_at', '<=', unit.now)
    .returningAll()
    .execute();
  return rows.flatMap(toTaken);
}

/** Marks a mail as delivered and wipes its text. @returns false when it was delivered or given up before */
export async function markMailDelivered(unit: Unit, id: string): Promise<boolean> {
  const { numUpdatedRows } = await waitingUpdate(unit)
    .set({ delivered_at: unit.now, body_sealed: null, leased_until_at: 0, last_problem: null })
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Puts a mail back until `nextAttemptAt`, if the caller still holds the lease. */
export async function putMailBack(
  unit: Unit,
  mail: Pick<TakenMail, 'id' | 'leasedUntilAt'>,
  nextAttemptAt: EpochSeconds,
  problem: string,
): Promise<void> {
  await waitingUpdate(unit)
    .set({ next_attempt_at: nextAttemptAt, leased_until_at: 0, last_problem: problem })
    .where('id', '=', mail.id)
    .where('leased_until_at', '=', mail.leasedUntilAt)
    .execute();
}

/** Gives a mail up and wipes its text, if the caller still holds the lease. @returns whether this call gave it up */
export async function giveMailUp(
  unit: Unit,
  mail: Pick<TakenMail, 'id' | 'leasedUntilAt'>,
  problem: string,
): Promise<boolean> {
  const { numUpdatedRows } = await waitingUpdate(unit)
    .set({ given_up_at: unit.now, body_sealed: null, leased_until_at: 0, last_problem: problem })
    .where('id', '=', mail.id)
    .where('leased_until_at', '=', mail.leasedUntilAt)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Removes a mail in the unit that wrote it. */
export async function removeMail(unit: Unit, id: string): Promise<void> {
  await unit.sql.deleteFrom('outbox').where('id', '=', id).execute();
}

/** Removes the mails of a share that wait: what they say is not so any more. A mail that a worker has right now is delivered all the same. */
export async function removeWaitingMails(unit: Unit, subject: string): Promise<void> {
  await unit.sql
    .deleteFrom('outbox')
    .where('subject', '=', subject)
    .where('delivered_at', 'is', null)
    .where('given_up_at', 'is', null)
    .where('leased_until_at', '<=', unit.now)
    .execute();
}

/** Removes the mails that wait of all shares that a giver offers to an address. */
export async function removeWaitingOffers(
  unit: Unit,
  { email, giverId }: { readonly email: string; readonly giverId: string },
): Promise<void> {
  await unit.sql
    .deleteFrom('outbox')
    .where('subject', 'in', (of) =>
      of
        .selectFrom('shares')
        .select('id')
        .where('email', '=', email)
        .where('state', '=', 'pending')
        .where('giver_id', '=', giverId),
    )
    .where('delivered_at', 'is', null)
    .where('given_up_at', 'is', null)
    .where('leased_until_at', '<=', unit.now)
    .execute();
}

/** Whether a mail of a share waits, or is being delivered right now. */
export async function hasWaitingMail(unit: Unit, subject: string): Promise<boolean> {
  const row = await waitingMail(unit.sql).select('id').where('subject', '=', subject).limit(1).executeTakeFirst();
  return row !== undefined;
}

/** Removes all mails about an account, waiting and delivered ones. */
export async function removeAccountMails(unit: Unit, accountId: string): Promise<void> {
  await unit.sql.deleteFrom('outbox').where('account_id', '=', accountId).execute();
}

/**
 * Forgets mails that were delivered or given up before `before`; their audit rows stay.
 *
 * @returns how many; `limit` of them means: there may be more
 */
export async function forgetOldMail(unit: Unit, before: EpochSeconds, limit = 500): Promise<number> {
  const old = await unit.sql
    .deleteFrom('outbox')
    .where('id', 'in', (nested) =>
      nested
        .selectFrom('outbox')
        .select('id')
        // a mail that was over before a moment was also written before it, and `created_at` has an index
        .where('created_at', '<', before)
        .where((row) => row.or([row('delivered_at', '<', before), row('given_up_at', '<', before)]))
        .orderBy('created_at')
        .limit(limit),
    )
    .executeTakeFirst();
  return Number(old.numDeletedRows);
}

/** How many mails wait, for metrics. */
export async function measureOutbox(sql: Sql): Promise<OutboxDepth> {
  const row = await waitingMail(sql)
    .select((row) => [row.fn.countAll<number>().as('waiting'), row.fn.min<number | null>(firstDueAt).as('oldest')])
    .executeTakeFirst();
  return { waiting: toNumber(row?.waiting) ?? 0, oldestAt: toNumber(row?.oldest) };
}

/** When a mail is due if no attempt failed. */
const firstDueAt = raw<number>`created_at + coalesce(deferred_seconds, 0)`;
const withoutDeferral = raw<number>`next_attempt_at - coalesce(deferred_seconds, 0)`;

function dueAt(latestAt: EpochSeconds) {
  return raw<number>`case when leased_until_at > next_attempt_at or ${withoutDeferral} > ${latestAt} then leased_until_at else next_attempt_at end`;
}

function waitingMail(sql: Sql) {
  return sql.selectFrom('outbox').where('delivered_at', 'is', null).where('given_up_at', 'is', null);
}

function waitingUpdate(unit: Unit) {
  return unit.sql.updateTable('outbox').where('delivered_at', 'is', null).where('given_up_at', 'is', null);
}

function toTaken(row: Selectable<OutboxTable>): TakenMail[] {
  if (row.body_sealed === null) return [];
  return [
    {
      id: row.id,
      kind: row.kind,
      bodySealed: row.body_sealed,
      createdAt: row.created_at,
      deferredSeconds: row.deferred_seconds ?? 0,
      subject: row.subject,
      attempts: row.attempts,
      leasedUntilAt: row.leased_until_at,
    },
  ];
}

/** PostgreSQL gives counts and sums as texts. */
function toNumber(value: number | string | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
