// Signs somebody in by a one-time code: a sign-in link of the operator, an invitation, or the link of a mail that the person asked for.
// A sign-in link shows nothing about the mailbox, so it works for verified accounts only. An invitation came by mail, or from
// the operator's hand: accepting it verifies the address, and drops whatever was there before under it.

import { normaliseDisplayName, refusePassword } from '../../core/model/account.ts';
import { readAccount } from '../../store/rows/accounts.ts';
import { takeOverAddress } from '../accounts/take-over-address.ts';
import type { ControlContext } from '../context/control-context.ts';
import type { CarriedWay } from '../proof/carried-way.ts';
import { type CodeRefused, lookAtCode, redeemCode, refuseCode } from '../proof/one-time-code.ts';
import { signInByMailedLink } from './sign-in-by-mail.ts';
import { type Browser, finishSession, type NewSession, startSession } from './start-session.ts';

interface SignInByCodeInput extends Browser {
  readonly code: string;
  /** For an invitation: the password to have from now on. Without one the account signs in by mail only. */
  readonly password?: string | undefined;
  /** For an invitation: the name that the account gets. */
  readonly displayName?: string | undefined;
}

type SignInByCodeOutcome =
  | {
      readonly kind: 'signed-in';
      readonly session: NewSession /** Where the person was going. */;
      readonly way?: CarriedWay | null;
    }
  | CodeRefused;

export async function signInByCode(context: ControlContext, input: SignInByCodeInput): Promise<SignInByCodeOutcome> {
  const open = await lookAtCode(context, input.code);
  if (open?.purpose === 'mail-code') return await signInByMailedLink(context, input.code, input);
  if (open === null || open.accountId === null) return refuseCode(context, input.clientAddress);
  switch (open.purpose) {
    case 'sign-in':
      return await signInByLink(context, input);
    case 'invitation':
      return await acceptInvitation(context, input, open.accountId);
    default:
      return refuseCode(context, input.clientAddress);
  }
}

async function signInByLink(context: ControlContext, input: SignInByCodeInput): Promise<SignInByCodeOutcome> {
  const written = await context.write(async (unit) => {
    const code = await redeemCode(unit, 'sign-in', input.code);
    return code === null ? null : await startSession(unit, context, code.accountId, input, 'sign-in-link');
  });
  if (written.value === null) return { kind: 'refused' };
  return { kind: 'signed-in', session: finishSession(context, written.value, written.position) };
}

async function acceptInvitation(
  context: ControlContext,
  input: SignInByCodeInput,
  accountId: string,
): Promise<SignInByCodeOutcome> {
  const account = await readAccount(context.store.sql, accountId);
  if (account === null) return { kind: 'refused' };
  let passwordHash: string | null = null;
  if (input.password !== undefined) {
    const why = refusePassword(input.password, account.email);
    if (why !== null) return { kind: 'weak-password', why };
    const hashed = await context.passwords.hash(input.password, accountId);
    if (hashed.kind === 'busy') return hashed;
    passwordHash = hashed.value;
  }
  const displayName = input.displayName === undefined ? null : normaliseDisplayName(input.displayName);
  const written = await context.write(async (unit) => {
    const code = await redeemCode(unit, 'invitation', input.code);
    if (code === null) return null;
    const action = 'account.invitation-accepted';
    if (!(await takeOverAddress(unit, { accountId: code.accountId, passwordHash, displayName, action }))) return null;
    return await startSession(unit, context, code.accountId, input, 'invitation');
  });
  if (written.value === null) return { kind: 'refused' };
  return { kind: 'signed-in', session: finishSession(context, written.value, written.position) };
}
