// What happens to shares as time passes: one reminder before the end, and addresses that never answered are forgotten. Rows stay, so chains
// and the audit log stay whole.

import { sql as raw } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import { endOfPage, type WalkedPage, type WalkFrom } from '../port/walk.ts';

/** A reminder comes a day before the end, or after three quarters of a window that is shorter than four days. */
const earliestReminderSeconds = 86_400;

/**
 * Takes accepted shares whose holders are to be reminded now, by one conditional statement: each share is taken once, whichever node asks.
 *
 * @returns their ids
 */
export async function takeDueReminders(sql: Sql, now: EpochSeconds, limit: number): Promise<readonly string[]> {
  const start = raw<number>`case when usable_from_at > accepted_at then usable_from_at else accepted_at end`;
  const rows = await sql
    .updateTable('shares')
    .set({ reminded_at: now })
    .where('id', 'in', (of) =>
      of
        .selectFrom('shares')
        .select('id')
        .where('usable_until_at', '>', now)
        .where('usable_until_at', '<=', now + earliestReminderSeconds)
        .where('state', '=', 'accepted')
        .where('reminded_at', 'is', null)
        .where(raw<boolean>`(usable_until_at - ${now}) * 4 <= usable_until_at - (${start})`)
        .orderBy('usable_until_at')
        .limit(limit),
    )
    .where('reminded_at', 'is', null)
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Erases what people typed in shares that nobody accepted and that ended before a moment: the address, the giver's words, the secret. Reads one
 * page of the walk.
 */
export async function eraseUnanswered(sql: Sql, before: EpochSeconds, from: WalkFrom): Promise<WalkedPage> {
  const page = await sql
    .selectFrom('shares')
    .select(['id', 'email', 'accepted_at', 'ended_at', 'expires_at', 'usable_until_at'])
    .where('id', '>', from.after)
    .orderBy('id')
    .limit(from.rows)
    .execute();
  const ids = page
    .filter(({ email, accepted_at }) => email !== '' && accepted_at === null)
    .filter((row) => (row.ended_at ?? Math.min(row.expires_at, row.usable_until_at ?? row.expires_at)) < before)
    .map(({ id }) => id);
  if (ids.length > 0) {
    await sql
      .updateTable('shares')
      .set({ email: '', words: '', secret_sealed: null })
      .where('id', 'in', ids)
      .where('accepted_at', 'is', null)
      .execute();
  }
  return { removed: ids.length, last: endOfPage(page, from) };
}
