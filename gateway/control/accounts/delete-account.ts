// Deletes an account, on behalf of its owner, an admin or the operator. Personal data is erased in the same unit: address, name, groups,
// password, sessions, devices, mails that wait. The row stays with its id and nothing else, so that the audit list still means
// something and the id never becomes another account's. Everything that the account opened or handed out ends.

import { readAccount, updateAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { removeAccountDevices } from '../../store/rows/devices.ts';
import { removeAccountMails } from '../../store/rows/outbox.ts';
import { removeAccountSessions } from '../../store/rows/sessions.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';
import { endAccountKeys } from '../keys/end-account-keys.ts';
import { askPasswordAgain } from '../proof/check-password.ts';
import { mailAccountDeleted } from './account-mails.ts';
import { isLastAdmin } from './administer.ts';
import { endAccountSessions, endBelongings } from './end-belongings.ts';

interface DeleteAccountInput {
  /** Default: the actor's own. */
  readonly accountId?: string | undefined;
  /** The password of the actor's own account; any text when that account has no password. Not checked when an admin deletes another account. */
  readonly password?: string | undefined;
  readonly clientAddress?: string | undefined;
  readonly requestId?: string | null | undefined;
}

type DeleteAccountOutcome =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'refused'; readonly reason: 'not-allowed' | 'unknown' | 'last-admin' | 'wrong-password' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

export async function deleteAccount(
  context: ControlContext,
  actor: Actor,
  input: DeleteAccountInput,
): Promise<DeleteAccountOutcome> {
  const own = actor.kind === 'account' ? actor.accountId : null;
  const accountId = input.accountId ?? own;
  if (accountId === null) return { kind: 'refused', reason: 'unknown' };
  if (actor.kind === 'account' && accountId === own) {
    const refused = await askPasswordAgain(context, actor, input.password ?? '', input.clientAddress ?? '');
    if (refused !== null) return refused;
  } else if (!mayAdminister(actor)) {
    return { kind: 'refused', reason: 'not-allowed' };
  }
  const written = await context.write(async (unit): Promise<DeleteAccountOutcome> => {
    const account = await readAccount(unit.sql, accountId);
    if (account === null || account.state === 'deleted') return { kind: 'refused', reason: 'unknown' };
    if (await isLastAdmin(unit, account)) return { kind: 'refused', reason: 'last-admin' };
    await endAccountSessions(unit, accountId);
    const by = actorName(actor);
    const requestId = input.requestId ?? null;
    const belongings = await endBelongings(unit, accountId, by);
    const keys = await endAccountKeys(unit, { id: accountId, email: account.email, by, requestId });
    await removeAccountSessions(unit.sql, accountId);
    await removeAccountDevices(unit.sql, accountId);
    await removeAccountMails(unit, accountId);
    await updateAccount(unit.sql, accountId, {
      email: '',
      emailVerifiedAt: null,
      passwordHash: null,
      timeZone: null,
      displayName: '',
      groups: [],
      role: 'user',
      state: 'deleted',
    });
    // The mail names no account: its row has to outlive all rows of the account.
    if (account.emailVerifiedAt !== null)
      await mailAccountDeleted(unit, context, { to: account.email, accountId: null });
    await appendAudit(unit, {
      actor: by,
      action: 'account.deleted',
      subject: accountId,
      details: { ...belongings, ...keys },
      requestId,
    });
    return { kind: 'deleted' };
  });
  return written.value;
}
