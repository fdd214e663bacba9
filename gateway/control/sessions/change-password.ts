// Changes the password of an account for somebody who is signed in and knows the old password. Every session ends, the session that
// asks too: the browser gets a new session at once, so that no token from before the change works anywhere.
// An account without a password gets its first one by mail (reset), so that a stolen session cannot set one.

import { type PasswordRefusal, refusePassword } from '../../core/model/account.ts';
import { readAccount, updateAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { mailPasswordChanged } from '../accounts/account-mails.ts';
import { endAccountSessions } from '../accounts/end-belongings.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { checkPassword, passwordGuess } from '../proof/check-password.ts';
import { forgiveGuess } from '../proof/throttle.ts';
import { type Browser, finishSession, type NewSession, startSession } from './start-session.ts';

interface ChangePasswordInput extends Browser {
  readonly oldPassword: string;
  readonly newPassword: string;
}

type ChangePasswordOutcome =
  | { readonly kind: 'changed'; readonly session: NewSession }
  /** `wrong-password`: the old one is not right, or there is none. */
  | { readonly kind: 'refused'; readonly reason: 'wrong-password' | 'not-signed-in' }
  | { readonly kind: 'weak-password'; readonly why: PasswordRefusal }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

export async function changePassword(
  context: ControlContext,
  actor: Actor,
  input: ChangePasswordInput,
): Promise<ChangePasswordOutcome> {
  if (actor.kind !== 'account') return { kind: 'refused', reason: 'not-signed-in' };
  const why = refusePassword(input.newPassword, actor.email);
  if (why !== null) return { kind: 'weak-password', why };
  const seen = await readAccount(context.store.sql, actor.accountId);
  const guesser = { email: actor.email, clientAddress: input.clientAddress, knownDevice: actor.deviceId };
  const checked = await checkPassword(context, seen, input.oldPassword, guesser);
  if (checked.kind === 'busy') return checked;
  if (checked.kind === 'wrong') return { kind: 'refused', reason: 'wrong-password' };
  const hashed = await context.passwords.hash(input.newPassword, checked.account.id);
  if (hashed.kind === 'busy') return hashed;
  const { id, email, passwordHash } = checked.account;
  const written = await context.write(async (unit) => {
    const account = await readAccount(unit.sql, id);
    // The password that was checked is not the account's any more: another request changed it at this moment.
    if (account?.passwordHash !== passwordHash) return null;
    await updateAccount(unit.sql, id, { passwordHash: hashed.value });
    await forgiveGuess(unit, passwordGuess(guesser));
    const ended = await endAccountSessions(unit, id);
    await mailPasswordChanged(unit, context, { to: email, accountId: id });
    const requestId = input.requestId ?? null;
    const details = { sessions_ended: ended };
    await appendAudit(unit, { actor: id, action: 'account.password-changed', subject: id, details, requestId });
    return await startSession(unit, context, id, input, 'changed-password');
  });
  if (written.value === null) return { kind: 'refused', reason: 'wrong-password' };
  return { kind: 'changed', session: finishSession(context, written.value, written.position) };
}
