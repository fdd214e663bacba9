// The outbox: mails that were caused by a unit and wait to be delivered. Rows are written in the unit that causes them, so no mail
// leaves for what was rolled back, and none is forgotten. Knows rows; what is in the sealed body is control/notify's.
// Who may deliver a row is the row count of one conditional update. Rules: gateway/RULES.md "The code" and "Sessions, links and guessing".

import { sql as raw, type Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../port/store.ts';
import type { OutboxTable } from '../port/tables.ts';

/** A mail on its way in. */
interface NewMail {
  readonly id: string;
  readonly kind: string;
  readonly accountId: string | null;
  readonly bodySealed: string;
}

/** A row that was taken: nobody else delivers it before `leasedUntilAt`. */
export interface TakenMail {
  readonly id: string;
  readonly kind: string;
  readonly bodySealed: string;
  readonly createdAt: EpochSeconds;
  /** This one included. */
  readonly attempts: number;
  readonly leasedUntilAt: EpochSeconds;
}

/** What waits. */
interface OutboxDepth {
  readonly waiting: number;
  /** When the oldest of them was written; null when nothing waits. */
  readonly oldestAt: EpochSeconds | null;
}

/** Writes a mail; it is due at once. */
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
      next_attempt_at: unit.now,
      leased_until_at: 0,
      delivered_at: null,
      given_up_at: null,
      last_problem: null,
    })
    .execute();
}

/**
 * When the next row is due, leased ones at the end of their lease; null when nothing waits. A hint: `takeDueMail` decides.
 *
 * @param latestAt  nothing is put back beyond it: a row that says more was written by a clock that was ahead, and is due
 */
export async function nextMailDue(sql: Sql, latestAt: EpochSeconds): Promise<EpochSeconds | null> {
  const row = await waitingMail(sql)
    .select((row) => row.fn.min<number | null>(dueAt(latestAt)).as('due'))
    .executeTakeFirst();
  return toNumber(row?.due);
}

/**
 * Takes rows that are due, the longest due first. Counts the attempt at once, so that one that ends the process is counted too.
 *
 * @param maxWaitSeconds  nothing is put back for longer; see `nextMailDue`
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
      row.or([row('next_attempt_at', '<=', unit.now), row('next_attempt_at', '>', unit.now + maxWaitSeconds)]),
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

/** Marks a mail as delivered and wipes what it said. @returns false when it was marked before */
export async function markMailDelivered(unit: Unit, id: string): Promise<boolean> {
  const { numUpdatedRows } = await waitingUpdate(unit)
    .set({ delivered_at: unit.now, body_sealed: null, leased_until_at: 0, last_problem: null })
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Puts a mail back until `nextAttemptAt`. Only who still holds the lease may. */
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

/** Gives a mail up and wipes what it said. Only who still holds the lease may. @returns whether it was given up by this call */
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

/** Takes a mail back in the unit that wrote it. */
export async function removeMail(unit: Unit, id: string): Promise<void> {
  await unit.sql.deleteFrom('outbox').where('id', '=', id).execute();
}

/** Takes all mails to or about an account away, those that wait and those that were delivered. */
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
        // what was over before a moment was written before it: that has an index
        .where('created_at', '<', before)
        .where((row) => row.or([row('delivered_at', '<', before), row('given_up_at', '<', before)]))
        .orderBy('created_at')
        .limit(limit),
    )
    .executeTakeFirst();
  return Number(old.numDeletedRows);
}

/** How much waits, for metrics. */
export async function measureOutbox(sql: Sql): Promise<OutboxDepth> {
  const row = await waitingMail(sql)
    .select((row) => [row.fn.countAll<number>().as('waiting'), row.fn.min<number | null>('created_at').as('oldest')])
    .executeTakeFirst();
  return { waiting: toNumber(row?.waiting) ?? 0, oldestAt: toNumber(row?.oldest) };
}

function dueAt(latestAt: EpochSeconds) {
  return raw<number>`case when leased_until_at > next_attempt_at or next_attempt_at > ${latestAt} then leased_until_at else next_attempt_at end`;
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
      attempts: row.attempts,
      leasedUntilAt: row.leased_until_at,
    },
  ];
}

/** PostgreSQL gives counts and sums as texts. */
function toNumber(value: number | string | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
