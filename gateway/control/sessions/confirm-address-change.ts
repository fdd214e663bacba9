// Completes a change of address. It takes the code that came to the new address, and a proof of the account that asked: its session or its
// password. The code alone proves the mailbox and not the wish: otherwise an attacker could ask for a stranger's address, wait for a
// hasty click, and own the links and invitations for that address, under a password that the stranger never knew.
// Keys that were shared with the old address end (keys/leave-address.ts). Every session and every other code ends: codes that were mailed to the old address open nothing any more.

import { accountStanding } from '../../core/model/account.ts';
import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import { findVerifiedAccount, readAccount, updateAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { endAccountSessions } from '../accounts/end-belongings.ts';
import { forgetUnverified } from '../accounts/take-over-address.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { leaveAddress } from '../keys/leave-address.ts';
import { checkPassword, passwordGuess } from '../proof/check-password.ts';
import { detailText, lookAtCode, redeemCode, refuseCode, type WrongCode } from '../proof/one-time-code.ts';
import { forgiveGuess } from '../proof/throttle.ts';
import { findKnownDevice } from './known-device.ts';

interface ConfirmAddressInput {
  readonly code: string;
  /** The account that is signed in where the code is presented; null where none is. */
  readonly actor: Actor | null;
  /** The account's password; asked for when the browser is not signed in to the account. */
  readonly password?: string | undefined;
  readonly deviceCookie: string | null;
  readonly clientAddress: string;
  readonly requestId?: string | null | undefined;
}

type ConfirmAddressOutcome =
  /** The address was changed; the person signs in again, with the new address. */
  | { readonly kind: 'changed'; readonly email: string }
  /** The code does not work, or the address became another account's meanwhile. */
  | WrongCode
  /** The code was not spent. `wrong-password`: no password was given, or not the account's password. */
  | { readonly kind: 'wrong-password' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

export async function confirmAddressChange(
  context: ControlContext,
  input: ConfirmAddressInput,
): Promise<ConfirmAddressOutcome> {
  const open = await lookAtCode(context, input.code);
  if (open?.purpose !== 'change-address' || open.accountId === null) return refuseCode(context, input.clientAddress);
  const isTheirs = input.actor?.kind === 'account' && input.actor.accountId === open.accountId;
  if (!isTheirs) {
    const refused = await askForPassword(context, input, open.accountId);
    if (refused !== null) return refused;
  }
  const written = await context.write(async (unit): Promise<ConfirmAddressOutcome> => {
    const code = await redeemCode(unit, 'change-address', input.code);
    const account = code === null ? null : await readAccount(unit.sql, code.accountId);
    if (account === null || accountStanding(account) !== 'usable') return { kind: 'refused' };
    const email = normaliseMailAddress(detailText(code?.details, 'newEmail'));
    if (email === null || (await findVerifiedAccount(unit.sql, email)) !== null) return { kind: 'refused' };
    await forgetUnverified(unit, email, account.id);
    await updateAccount(unit.sql, account.id, { email, emailVerifiedAt: unit.now });
    const origin = { requestId: input.requestId ?? null, clientAddress: input.clientAddress };
    await leaveAddress(unit, context, { accountId: account.id, from: account.email, to: email, origin });
    const ended = await endAccountSessions(unit, account.id);
    await appendAudit(unit, {
      actor: account.id,
      action: 'account.address-changed',
      subject: account.id,
      details: { sessions_ended: ended },
      requestId: input.requestId ?? null,
    });
    return { kind: 'changed', email };
  });
  return written.value;
}

async function askForPassword(
  context: ControlContext,
  input: ConfirmAddressInput,
  accountId: string,
): Promise<Exclude<ConfirmAddressOutcome, { kind: 'changed' | 'refused' | 'too-many' }> | null> {
  if (input.password === undefined || input.password === '') return { kind: 'wrong-password' };
  const account = await readAccount(context.store.sql, accountId);
  const device = await findKnownDevice(context.store.sql, accountId, input.deviceCookie);
  const { clientAddress } = input;
  const guesser = { email: account?.email ?? '', clientAddress, knownDevice: device?.id ?? null };
  const checked = await checkPassword(context, account, input.password, guesser);
  if (checked.kind === 'busy') return checked;
  if (checked.kind === 'wrong') return { kind: 'wrong-password' };
  await context.write((unit) => forgiveGuess(unit, passwordGuess(guesser)));
  return null;
}
