// Signs somebody in by address and password. The answer and the work are the same for a wrong password, an unknown address, an
// unverified, disabled or deleted account, and one without a password.
// Rules: gateway/RULES.md "Sessions, links and guessing"; the slowing is proof/throttle.ts.

import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import { findVerifiedAccount, readAccount, replacePasswordHash } from '../../store/rows/accounts.ts';
import type { ControlContext } from '../context/control-context.ts';
import { checkPassword, type Guesser, passwordGuess } from '../proof/check-password.ts';
import { busyRetrySeconds } from '../proof/password-work.ts';
import { countRequest, forgiveGuess, type WindowBound } from '../proof/throttle.ts';
import { findKnownDevice } from './known-device.ts';
import { recordRefusal } from './record-refusal.ts';
import { type Browser, finishSession, type NewSession, startSession } from './start-session.ts';

interface SignInInput extends Browser {
  /** As typed. */
  readonly email: string;
  readonly password: string;
}

type SignInOutcome =
  | { readonly kind: 'signed-in'; readonly session: NewSession }
  | { readonly kind: 'refused' }
  /** Too many guesses or too much to do; the password was not looked at. */
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

export async function signIn(context: ControlContext, input: SignInInput): Promise<SignInOutcome> {
  // A text that is no address has no account, but costs the same work.
  const email = normaliseMailAddress(input.email);
  const account = email === null ? null : await findVerifiedAccount(context.store.sql, email);
  // The device is looked up for unknown addresses as well, so that both cases run the same statements.
  const device = await findKnownDevice(context.store.sql, account?.id ?? '', input.deviceCookie);
  const guesser: Guesser = {
    email: email ?? input.email.slice(0, 1000),
    clientAddress: input.clientAddress,
    knownDevice: device?.id ?? null,
  };
  const checked = await checkPassword(context, account, input.password, guesser);
  if (checked.kind === 'busy') return checked;
  if (checked.kind === 'wrong') {
    const requestId = input.requestId ?? null;
    await recordRefusal(context, { ...guesser, accountId: account?.id ?? null, requestId });
    return { kind: 'refused' };
  }
  const { id, passwordHash } = checked.account;
  const written = await context.write(async (unit) => {
    // The password changed while this one was checked: a sign-in that waited must not outlive the change that ended all sessions.
    if ((await readAccount(unit.sql, id))?.passwordHash !== passwordHash) return 'changed';
    await forgiveGuess(unit, passwordGuess(guesser));
    const counted = await countRequest(unit, context, [signInWindow(id, passwordHash, guesser.knownDevice)]);
    if (counted.kind === 'blocked') return counted.waitSeconds;
    if (checked.rehashed !== null && passwordHash !== null)
      await replacePasswordHash(unit.sql, id, passwordHash, checked.rehashed);
    return await startSession(unit, context, id, input, 'password');
  });
  // The password need not be wrong: another sign-in may have replaced the hash of the same password.
  if (written.value === 'changed') return { kind: 'busy', retryAfterSeconds: busyRetrySeconds };
  if (typeof written.value === 'number') return { kind: 'busy', retryAfterSeconds: written.value };
  // The account was disabled or deleted between the check and the unit.
  if (written.value === null) return { kind: 'refused' };
  return { kind: 'signed-in', session: finishSession(context, written.value, written.position) };
}

/**
 * The windows that bound right sign-ins, so that nobody makes sessions without end. A new password has a new count, so a person who knew the old
 * password leaves nothing behind; a known device has its own, so a thief of the password keeps no known device out.
 */
export function signInWindow(accountId: string, passwordHash: string | null, knownDevice: string | null): WindowBound {
  return { kind: 'sign-in', subject: JSON.stringify([accountId, passwordHash, knownDevice]) };
}
