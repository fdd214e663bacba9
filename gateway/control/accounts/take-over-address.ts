// Makes an address an account's own, after a code that was sent to the mailbox was spent in the same unit.
// The person who reads the mailbox is the owner: no password, session, device or code that was there before survives, neither of this
// account nor of any other account that named the address without owning it. So naming an address first gains nothing (account pre-hijacking).
// Rules: gateway/RULES.md "Sessions, links and guessing".

import type { AuditAction } from '../../core/model/audit.ts';
import type { Unit } from '../../store/port/store.ts';
import {
  type AccountChange,
  findUnverifiedAccounts,
  findVerifiedAccount,
  readAccount,
  removeAccountRow,
  updateAccount,
} from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { removeAccountDevices } from '../../store/rows/devices.ts';
import { endCodes } from '../../store/rows/one-time-codes.ts';
import { removeAccountSessions } from '../../store/rows/sessions.ts';
import { repointPending } from '../../store/sharing/shares.ts';

interface AddressTakeOver {
  readonly accountId: string;
  /** PHC string of the password that was typed with this very code; null for none. Any earlier password is removed. */
  readonly passwordHash: string | null;
  /** The new name, normalised; null: the name stays. */
  readonly displayName: string | null;
  readonly action: Extract<AuditAction, 'account.address-verified' | 'account.invitation-accepted'>;
  readonly requestId?: string | null;
}

/** @returns false when the account is gone, disabled or verified already, or the address became another account's meanwhile */
export async function takeOverAddress(unit: Unit, takeOver: AddressTakeOver): Promise<boolean> {
  const { accountId, passwordHash, displayName } = takeOver;
  const account = await readAccount(unit.sql, accountId);
  if (account === null || account.state !== 'active' || account.emailVerifiedAt !== null) return false;
  if ((await findVerifiedAccount(unit.sql, account.email)) !== null) return false;
  await forgetUnverified(unit, account.email, accountId);
  // Keys that wait for this address wait for whoever reads the mailbox, whichever account they pointed at until now.
  await repointPending(unit.sql, account.email, accountId);
  // Tokens of sessions that the account may have had end with the account's node; the token of a session that starts in this unit is minted at a later place of the log.
  await unit.append({ kind: 'revoke', node: accountId });
  await removeAccountSessions(unit.sql, accountId);
  await removeAccountDevices(unit.sql, accountId);
  await endCodes(unit, accountId);
  const change: AccountChange = { emailVerifiedAt: unit.now, passwordHash };
  await updateAccount(unit.sql, accountId, displayName === null ? change : { ...change, displayName });
  await appendAudit(unit, {
    actor: accountId,
    action: takeOver.action,
    subject: accountId,
    requestId: takeOver.requestId ?? null,
  });
  return true;
}

/** Forgets every account that names an address and does not own it. @param exceptId  the account that stays */
export async function forgetUnverified(unit: Unit, email: string, exceptId: string): Promise<void> {
  for (const other of await findUnverifiedAccounts(unit.sql, email)) {
    if (other.id !== exceptId) await removeUnverified(unit, other.id);
  }
}

/** Removes an account whose address was never verified, with everything that hangs on the account. */
export async function removeUnverified(unit: Unit, accountId: string): Promise<void> {
  await unit.append({ kind: 'revoke', node: accountId });
  await endCodes(unit, accountId);
  await removeAccountSessions(unit.sql, accountId);
  await removeAccountDevices(unit.sql, accountId);
  await removeAccountRow(unit.sql, accountId);
}
