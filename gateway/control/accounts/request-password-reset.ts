// Sends a code for a new password to the mailbox of an account. The answer is given once the request is counted; whether there is such
// an account is looked up afterwards, so no answer, however exactly it is timed, tells known from unknown addresses. The work that
// follows is the same for both, except that only a verified address of an active account gets a mail: otherwise the answer to the next
// request would reveal whether the address of this request is known.

import { accountStanding } from '../../core/model/account.ts';
import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import { findVerifiedAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import type { ControlContext } from '../context/control-context.ts';
import { withdrawMail } from '../notify/queue-mail.ts';
import type { CarriedWay } from '../proof/carried-way.ts';
import { endEarlierCodes, issueCode, withdrawCode } from '../proof/one-time-code.ts';
import { busyRetrySeconds } from '../proof/password-work.ts';
import { mailCode } from './account-mails.ts';
import { countStranger, mayMail } from './count-strangers.ts';

interface PasswordResetRequest {
  /** As typed. */
  readonly email: string;
  /** Address the request came from. */
  readonly clientAddress: string;
  readonly requestId?: string | null | undefined;
  /** Where the person was going; the mail carries it, so that it is not lost in another browser. */
  readonly way?: CarriedWay | null;
}

type PasswordResetRequestOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

export async function requestPasswordReset(
  context: ControlContext,
  input: PasswordResetRequest,
): Promise<PasswordResetRequestOutcome> {
  const email = normaliseMailAddress(input.email);
  if (!context.afterwards.hasRoom()) return { kind: 'busy', retryAfterSeconds: busyRetrySeconds };
  const written = await context.write(async (unit) => {
    const retryAfterSeconds = await countStranger(unit, context, input.clientAddress, 'reset-password');
    return {
      retryAfterSeconds,
      mayMail: retryAfterSeconds === null && (await mayMail(unit, context, email ?? '', 'reset-password')),
    };
  });
  const { retryAfterSeconds } = written.value;
  if (retryAfterSeconds !== null) return { kind: 'busy', retryAfterSeconds };
  if (email !== null && written.value.mayMail) {
    context.afterwards.run(() => mailResetCode(context, email, input));
  }
  return { kind: 'accepted' };
}

async function mailResetCode(context: ControlContext, email: string, input: PasswordResetRequest): Promise<void> {
  const requestId = input.requestId ?? null;
  const way = input.way ?? null;
  await context.write(async (unit) => {
    const account = await findVerifiedAccount(unit.sql, email);
    const known = account !== null && accountStanding(account) === 'usable' ? account : null;
    const accountId = known?.id ?? makeId('account', context.random(idRandomBytes));
    const code = await issueCode(unit, context, {
      purpose: 'reset-password',
      accountId,
      ...(way === null ? {} : { carries: { email, way } }),
    });
    const queued = await mailCode(unit, context, 'reset-password', { to: email, accountId }, code);
    // When this mail is left out, the mail that was sent before still works.
    if (queued.kind !== 'left-out') await endEarlierCodes(unit, accountId, 'reset-password', code);
    if (known === null || queued.kind === 'left-out') {
      await withdrawCode(unit, code);
      await withdrawMail(unit, queued);
      return;
    }
    await appendAudit(unit, {
      actor: 'system',
      action: 'account.password-reset-requested',
      subject: accountId,
      requestId,
    });
  });
}
