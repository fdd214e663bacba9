// Begins a change of address: a code to the new address, a notice to the old one. Nothing changes before the code comes back.
// The password is asked for again, since the owner of the address can take the account over. The answer does not tell whether the new
// address has an account already, nor does its time: that is looked up afterwards. Only the mail tells it, to the reader of that mailbox.

import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import { findVerifiedAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { endCodes } from '../../store/rows/one-time-codes.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { askPasswordAgain } from '../proof/check-password.ts';
import { issueCode, withdrawCode } from '../proof/one-time-code.ts';
import { busyRetrySeconds } from '../proof/password-work.ts';
import { mailAddressChange, mailAddressKnown, mailCode } from './account-mails.ts';
import { mayMail } from './count-strangers.ts';
import { isAllowedDomain } from './register-account.ts';

interface AddressChangeInput {
  /** As typed. */
  readonly newEmail: string;
  /** The account's password; any text when the account has no password. */
  readonly password: string;
  readonly clientAddress: string;
  readonly requestId?: string | null | undefined;
}

type AddressChangeOutcome =
  | { readonly kind: 'accepted' }
  | {
      readonly kind: 'refused';
      readonly reason: 'bad-address' | 'domain' | 'same-address' | 'wrong-password' | 'not-signed-in';
    }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

export async function requestAddressChange(
  context: ControlContext,
  actor: Actor,
  input: AddressChangeInput,
): Promise<AddressChangeOutcome> {
  if (actor.kind !== 'account') return { kind: 'refused', reason: 'not-signed-in' };
  const newEmail = normaliseMailAddress(input.newEmail);
  if (newEmail === null) return { kind: 'refused', reason: 'bad-address' };
  if (newEmail === actor.email) return { kind: 'refused', reason: 'same-address' };
  if (!isAllowedDomain(context, newEmail)) return { kind: 'refused', reason: 'domain' };
  const refused = await askPasswordAgain(context, actor, input.password, input.clientAddress);
  if (refused !== null) return refused;
  const { accountId, email } = actor;
  if (!context.afterwards.hasRoom()) return { kind: 'busy', retryAfterSeconds: busyRetrySeconds };
  const written = await context.write(async (unit) => {
    await endCodes(unit, accountId, 'change-address');
    // The count is asked once for both mails, so that an account can flood neither a stranger's mailbox nor its own old mailbox.
    return await mayMail(unit, context, newEmail, 'change-address');
  });
  const requestId = input.requestId ?? null;
  if (written.value) context.afterwards.run(() => mailBoth(context, { accountId, email, newEmail, requestId }));
  return { kind: 'accepted' };
}

interface AskedChange {
  readonly accountId: string;
  readonly email: string;
  readonly newEmail: string;
  readonly requestId: string | null;
}

async function mailBoth(context: ControlContext, asked: AskedChange): Promise<void> {
  const { accountId, email, newEmail, requestId } = asked;
  await context.write(async (unit) => {
    const taken = await findVerifiedAccount(unit.sql, newEmail);
    // A taken address costs the same work as a free one: a code is made for it as well, and is taken back.
    const code = await issueCode(unit, context, { purpose: 'change-address', accountId, details: { newEmail } });
    if (taken === null) {
      await mailCode(unit, context, 'change-address-confirm', { to: newEmail, accountId }, code);
    } else {
      await mailAddressKnown(unit, context, { to: newEmail, accountId: null });
      await withdrawCode(unit, code);
    }
    await mailAddressChange(unit, context, { to: email, accountId }, newEmail);
    await appendAudit(unit, {
      actor: accountId,
      action: 'account.address-change-requested',
      subject: accountId,
      requestId,
    });
  });
}
