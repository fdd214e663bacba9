// Sets a new password by a code from the mailbox. Ends every session, does not sign in, and verifies nothing.
// The reset ends all other codes of the account too: a mail from before the reset opens nothing after it.

import { accountStanding, refusePassword } from '../../core/model/account.ts';
import { readAccount, updateAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import type { ControlContext } from '../context/control-context.ts';
import type { CarriedWay } from '../proof/carried-way.ts';
import { type CodeRefused, lookAtCode, redeemCode, refuseCode } from '../proof/one-time-code.ts';
import { forgiveName } from '../proof/throttle.ts';
import { mailPasswordChanged } from './account-mails.ts';
import { endAccountSessions } from './end-belongings.ts';

interface ResetPasswordInput {
  readonly code: string;
  readonly password: string;
  /** Address the request came from. */
  readonly clientAddress?: string | undefined;
  readonly requestId?: string | null | undefined;
}

type ResetPasswordOutcome =
  /** `way`: where the person was going who asked for the code. */
  { readonly kind: 'reset'; readonly way: CarriedWay | null } | CodeRefused;

export async function resetPassword(context: ControlContext, input: ResetPasswordInput): Promise<ResetPasswordOutcome> {
  const open = await lookAtCode(context, input.code);
  if (open?.purpose !== 'reset-password' || open.accountId === null) return refuseCode(context, input.clientAddress);
  const seen = await readAccount(context.store.sql, open.accountId);
  if (seen === null) return { kind: 'refused' };
  const why = refusePassword(input.password, seen.email);
  if (why !== null) return { kind: 'weak-password', why };
  const hashed = await context.passwords.hash(input.password, seen.id);
  if (hashed.kind === 'busy') return hashed;
  const written = await context.write(async (unit): Promise<ResetPasswordOutcome> => {
    const code = await redeemCode(unit, 'reset-password', input.code);
    const account = code === null ? null : await readAccount(unit.sql, code.accountId);
    if (account === null || accountStanding(account) !== 'usable') return { kind: 'refused' };
    await updateAccount(unit.sql, account.id, { passwordHash: hashed.value });
    const ended = await endAccountSessions(unit, account.id);
    await forgiveName(unit, 'account-password', account.email);
    await mailPasswordChanged(unit, context, { to: account.email, accountId: account.id });
    await appendAudit(unit, {
      actor: account.id,
      action: 'account.password-reset',
      subject: account.id,
      details: { sessions_ended: ended },
      requestId: input.requestId ?? null,
    });
    return { kind: 'reset', way: open.carried?.way ?? null };
  });
  return written.value;
}
