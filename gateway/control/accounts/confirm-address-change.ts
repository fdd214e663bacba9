// Ends a change of address by the code that came to the new one. Every session ends, and every other code with them: what was
// mailed to the old address opens nothing any more. Others who only named the new address lose that claim.

import { accountStanding } from '../../core/model/account.ts';
import { normaliseAddress } from '../../core/model/address.ts';
import { findVerifiedAccount, readAccount, updateAccount } from '../../store/accounts.ts';
import { appendAudit } from '../../store/audit.ts';
import type { ControlContext } from '../control-context.ts';
import { forgetUnverified } from './claim-address.ts';
import { endAccountSessions } from './end-account-sessions.ts';
import { detailText, redeemCode } from './one-time-code.ts';

export interface ConfirmAddressInput {
  readonly code: string;
  readonly requestId?: string | null | undefined;
}

export type ConfirmAddressOutcome =
  /** Sign in again, with the new address. */
  | { readonly kind: 'changed'; readonly email: string }
  /** The code does not work, or the address became somebody else's meanwhile. */
  | { readonly kind: 'refused' };

export async function confirmAddressChange(
  context: ControlContext,
  input: ConfirmAddressInput,
): Promise<ConfirmAddressOutcome> {
  const written = await context.write(async (unit): Promise<ConfirmAddressOutcome> => {
    const code = await redeemCode(unit, 'change-address', input.code);
    const account = code === null ? null : await readAccount(unit.sql, code.accountId);
    if (account === null || accountStanding(account) !== 'usable') return { kind: 'refused' };
    const email = normaliseAddress(detailText(code?.details, 'newEmail'));
    if (email === null || (await findVerifiedAccount(unit.sql, email)) !== null) return { kind: 'refused' };
    await forgetUnverified(unit, email, account.id);
    await updateAccount(unit.sql, account.id, { email, emailVerifiedAt: unit.now });
    const ended = await endAccountSessions(unit, account.id);
    await appendAudit(unit, {
      actor: account.id,
      action: 'account.address-changed',
      subject: account.id,
      details: { sessionsEnded: ended },
      requestId: input.requestId ?? null,
    });
    return { kind: 'changed', email };
  });
  return written.value;
}
