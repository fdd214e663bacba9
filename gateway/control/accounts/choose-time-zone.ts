// Keeps the time zone in which pages and mails tell times to a person. It opens nothing, so no token changes by it.

import { isTimeZone } from '../../core/model/time-zone.ts';
import { updateAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';

/** @param input.timeZone  a name such as `Europe/Berlin`, NOT checked; null: none, so times are in UTC */
export async function chooseTimeZone(
  context: ControlContext,
  actor: Extract<Actor, { readonly kind: 'account' }>,
  input: { readonly timeZone: string | null; readonly requestId: string | null },
): Promise<{ readonly kind: 'chosen' } | { readonly kind: 'refused'; readonly reason: 'unknown-zone' }> {
  const { timeZone, requestId } = input;
  if (timeZone !== null && !isTimeZone(timeZone)) return { kind: 'refused', reason: 'unknown-zone' };
  const { accountId } = actor;
  await context.write(async (unit) => {
    await updateAccount(unit.sql, accountId, { timeZone });
    await appendAudit(unit, { actor: accountId, action: 'account.time-zone-chosen', subject: accountId, requestId });
  });
  return { kind: 'chosen' };
}
