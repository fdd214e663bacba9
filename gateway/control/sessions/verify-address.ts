// Verifies an address by the code that was mailed to it, with the password and name to have from now on, and signs in.
// The password is typed together with the code: the person who reads the mailbox chooses it, not the person who registered.

import { normaliseDisplayName, refusePassword } from '../../core/model/account.ts';
import { readAccount } from '../../store/rows/accounts.ts';
import { takeOverAddress } from '../accounts/take-over-address.ts';
import type { ControlContext } from '../context/control-context.ts';
import type { CarriedWay } from '../proof/carried-way.ts';
import { type CodeRefused, lookAtCode, redeemCode, refuseCode } from '../proof/one-time-code.ts';
import { type Browser, finishSession, type NewSession, startSession } from './start-session.ts';

interface VerifyAddressInput extends Browser {
  readonly code: string;
  /** Set or confirmed on the page that the mail leads to. */
  readonly password: string;
  readonly displayName?: string | undefined;
}

type VerifyAddressOutcome =
  | {
      readonly kind: 'verified';
      readonly session: NewSession /** Where the person was going. */;
      readonly way: CarriedWay | null;
    }
  | CodeRefused;

export async function verifyAddress(context: ControlContext, input: VerifyAddressInput): Promise<VerifyAddressOutcome> {
  // The code is looked at first, so that a wrong code costs no hash and a weak password spends no code.
  const open = await lookAtCode(context, input.code);
  if (open?.purpose !== 'verify-address' || open.accountId === null) return refuseCode(context, input.clientAddress);
  const account = await readAccount(context.store.sql, open.accountId);
  if (account === null) return { kind: 'refused' };
  const why = refusePassword(input.password, account.email);
  if (why !== null) return { kind: 'weak-password', why };
  const hashed = await context.passwords.hash(input.password, account.id);
  if (hashed.kind === 'busy') return hashed;
  const displayName = input.displayName === undefined ? null : normaliseDisplayName(input.displayName);
  const written = await context.write(async (unit) => {
    const code = await redeemCode(unit, 'verify-address', input.code);
    if (code === null) return null;
    const takeOver = {
      accountId: code.accountId,
      passwordHash: hashed.value,
      displayName,
      action: 'account.address-verified',
      requestId: input.requestId ?? null,
    } as const;
    if (!(await takeOverAddress(unit, takeOver))) return null;
    return await startSession(unit, context, code.accountId, input, 'verified-address');
  });
  if (written.value === null) return { kind: 'refused' };
  const session = finishSession(context, written.value, written.position);
  return { kind: 'verified', session, way: open.carried?.way ?? null };
}
