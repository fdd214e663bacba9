// Sends a code for a new password to whoever reads the mailbox. The answer is the same for known and unknown addresses, and a unit
// is written for both; only a verified address of an active account gets a mail.

import { accountStanding } from '../../core/model/account.ts';
import { normaliseAddress } from '../../core/model/address.ts';
import { findVerifiedAccount } from '../../store/accounts.ts';
import { appendAudit } from '../../store/audit.ts';
import { endCodes } from '../../store/one-time-codes.ts';
import type { ControlContext } from '../control-context.ts';
import { mailCode } from './account-mails.ts';
import { issueCode } from './one-time-code.ts';
import { countRequest, mayMail } from './request-throttle.ts';

export interface PasswordResetRequest {
  /** As typed. */
  readonly email: string;
  /** Address the request came from. */
  readonly address: string;
  readonly requestId?: string | null | undefined;
}

export type PasswordResetRequestOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

export async function requestPasswordReset(
  context: ControlContext,
  input: PasswordResetRequest,
): Promise<PasswordResetRequestOutcome> {
  const email = normaliseAddress(input.email);
  const written = await context.write(async (unit): Promise<PasswordResetRequestOutcome> => {
    const retryAfterSeconds = await countRequest(unit, input.address, 'reset-password');
    if (retryAfterSeconds !== null) return { kind: 'busy', retryAfterSeconds };
    if (email === null || !(await mayMail(unit, email, 'reset-password'))) return { kind: 'accepted' };
    const account = await findVerifiedAccount(unit.sql, email);
    if (account === null || accountStanding(account) !== 'usable') return { kind: 'accepted' };
    const accountId = account.id;
    await endCodes(unit, accountId, 'reset-password');
    const code = await issueCode(unit, context, { purpose: 'reset-password', accountId });
    await mailCode(unit, context, 'reset-password', { to: email, accountId }, code);
    const requestId = input.requestId ?? null;
    await appendAudit(unit, {
      actor: 'system',
      action: 'account.password-reset-requested',
      subject: accountId,
      requestId,
    });
    return { kind: 'accepted' };
  });
  return written.value;
}
