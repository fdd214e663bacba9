// Exports all data that latchkey holds about a person, as one JSON document, for the person and for admins. The document contains no hash, digest or code.

import { digestOf } from '../../core/model/digest.ts';
import { type AccountRows, readAccountRows } from '../../store/rows/account-export.ts';
import { readAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';
import { countRequest } from '../proof/throttle.ts';

type ExportOutcome =
  | { readonly kind: 'exported'; readonly document: AccountExport }
  | { readonly kind: 'refused'; readonly reason: 'not-allowed' | 'unknown' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

/** Times are epoch seconds. Rows are as the store keeps them, without secrets; all names are in snake_case. */
interface AccountExport extends AccountRows {
  readonly exported_at: number;
  readonly account: Readonly<Record<string, unknown>>;
}

export async function exportAccount(
  context: ControlContext,
  actor: Actor,
  input: { readonly accountId?: string | undefined; readonly requestId?: string | null | undefined } = {},
): Promise<ExportOutcome> {
  const own = actor.kind === 'account' ? actor.accountId : null;
  const accountId = input.accountId ?? own;
  if (accountId === null) return { kind: 'refused', reason: 'unknown' };
  if (accountId !== own && !mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const { sql } = context.store;
  const account = await readAccount(sql, accountId);
  if (account === null || account.state === 'deleted') return { kind: 'refused', reason: 'unknown' };
  // The audit row is written before the rows are read, so that the document mentions this export too.
  const { value: retryAfterSeconds } = await context.write(async (unit) => {
    if (accountId === own) {
      const counted = await countRequest(unit, context, [{ kind: 'export', subject: accountId }]);
      if (counted.kind === 'blocked') return counted.waitSeconds;
    }
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'account.exported',
      subject: accountId,
      requestId: input.requestId ?? null,
    });
    return null;
  });
  if (retryAfterSeconds !== null) return { kind: 'busy', retryAfterSeconds };
  const document: AccountExport = {
    exported_at: context.clock.epochSeconds(),
    account: {
      id: account.id,
      email: account.email,
      email_verified_at: account.emailVerifiedAt,
      name: account.displayName,
      groups: account.groups,
      role: account.role,
      state: account.state,
      created_at: account.createdAt,
      time_zone: account.timeZone,
      has_password: account.passwordHash !== null,
    },
    ...(await readAccountRows(sql, accountId, digestOf(account.email))),
  };
  return { kind: 'exported', document };
}
