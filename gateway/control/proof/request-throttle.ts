// Bounds what anybody can cause without signing in, requests from one address and mails to one mailbox; and what costs much.
// Too many requests from an address are told so. Too many mails to a mailbox are told to nobody, or the answer would say
// that somebody else asked before; the mail is left out and the answer is the same.

import { clientNetworks } from '../../core/token/client-network.ts';
import type { Unit } from '../../store/port/store.ts';
import type { ControlContext } from '../context/control-context.ts';
import { type RequestKind, requestLimits } from './account-limits.ts';
import { countWindows } from './count-window.ts';
import { noteLimit } from './reached-limits.ts';

/** What is asked for without signing in. Counted apart: whoever registers all day keeps nobody beside them from a new password. */
type RequestReason = 'register' | 'reset-password';

/** Counts a request, by address and by network. @returns null when it may be served, else the seconds to wait */
export async function countRequest(
  unit: Unit,
  context: Pick<ControlContext, 'config' | 'logger'>,
  clientAddress: string,
  reason: RequestReason,
): Promise<number | null> {
  const { source, network } = clientNetworks(clientAddress);
  const { requests, windowSeconds } = requestLimits['request-address'];
  const most = context.config().accounts.limits.requestsPerNetwork;
  const counted = await countWindows(unit, [
    { kind: 'request-address', subject: `${reason} ${source}`, most: requests, windowSeconds },
    { kind: 'requests-per-network', subject: `${reason} ${network}`, most, windowSeconds },
  ]);
  if (counted.kind === 'allowed') return null;
  if (counted.bound === 'requests-per-network') await noteLimit(unit, context, counted.bound);
  return counted.until - unit.logTime;
}

/** By the right password. */
interface CountedSignIn {
  readonly accountId: string;
  /** A new password has a new count, so whoever knew the old one leaves nothing behind. */
  readonly passwordHash: string | null;
  /** Id of the account's device that the browser is; null for any other. So a thief of the password keeps no known device out. */
  readonly knownDevice: string | null;
}

/** Counts a sign-in, so that nobody makes sessions without end. @returns null when it may go on, else the seconds to wait */
export async function countSignIn(unit: Unit, signIn: CountedSignIn): Promise<number | null> {
  const { accountId, passwordHash, knownDevice } = signIn;
  const counted = await count(unit, 'sign-in', JSON.stringify([accountId, passwordHash, knownDevice]));
  return counted.kind === 'allowed' ? null : counted.until - unit.logTime;
}

/** Counts an export of an account by itself. @returns null when it may be made, else the seconds to wait */
export async function countExport(unit: Unit, accountId: string): Promise<number | null> {
  const counted = await count(unit, 'export', accountId);
  return counted.kind === 'allowed' ? null : counted.until - unit.logTime;
}

/** What a mail was asked for by. Counted apart: whoever asks for one kind all day keeps no other from arriving. */
type MailReason = 'register' | 'reset-password' | 'change-address';

/** Counts a mail to a mailbox. @returns whether it may be sent */
export async function mayMail(unit: Unit, email: string, reason: MailReason): Promise<boolean> {
  return (await count(unit, 'mail-recipient', `${reason} ${email}`)).kind === 'allowed';
}

async function count(
  unit: Unit,
  kind: RequestKind,
  subject: string,
): Promise<{ readonly kind: 'allowed' } | { readonly kind: 'blocked'; readonly until: number }> {
  const { requests, windowSeconds } = requestLimits[kind];
  return await countWindows(unit, [{ kind, subject, most: requests, windowSeconds }]);
}
