// Changes the name that an account shows. Tokens carry the new name from their next renewal on.

import { normaliseDisplayName } from '../../core/model/account.ts';
import { updateAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';

export async function renameAccount(
  context: ControlContext,
  actor: Actor,
  input: { readonly displayName: string; readonly requestId?: string | null | undefined },
): Promise<{ readonly kind: 'renamed' } | { readonly kind: 'refused'; readonly reason: 'bad-name' | 'not-signed-in' }> {
  if (actor.kind !== 'account') return { kind: 'refused', reason: 'not-signed-in' };
  const displayName = normaliseDisplayName(input.displayName);
  if (displayName === null) return { kind: 'refused', reason: 'bad-name' };
  const { accountId } = actor;
  await context.write(async (unit) => {
    await updateAccount(unit.sql, accountId, { displayName });
    await unit.append({ kind: 'touch', node: accountId });
    const requestId = input.requestId ?? null;
    await appendAudit(unit, { actor: accountId, action: 'account.renamed', subject: accountId, requestId });
  });
  return { kind: 'renamed' };
}
