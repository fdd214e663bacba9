// The mails of accounts: which page each mail leads to, and how long its code works. The words are in core/model/message-wording.ts.
// Each mail is queued in the unit that causes it. Without mail in the configuration nothing is queued, and callers are not told.

import type { AboutToOpen, MessageValues } from '../../core/model/message-kinds.ts';
import type { Unit } from '../../store/port/store.ts';
import type { ControlContext } from '../context/control-context.ts';
import { type QueuedMail, queueMail } from '../notify/queue-mail.ts';
import { codeLifetimes } from '../proof/account-limits.ts';
import { type AccountPage, pagePath } from './portal-pages.ts';

/** Mails that carry a code, and the page that spends the code. */
const codePages = {
  'reset-password': { page: 'resetPassword', purpose: 'reset-password' },
  'change-address-confirm': { page: 'confirmAddress', purpose: 'change-address' },
  'sign-in-link': { page: 'signInByCode', purpose: 'sign-in' },
} as const satisfies Partial<Record<keyof MessageValues, { page: AccountPage; purpose: keyof typeof codeLifetimes }>>;

/** The mailbox that a mail goes to. `accountId`: the account that the mail is about. */
interface Mailbox {
  readonly to: string;
  readonly accountId: string | null;
}

export async function mailCode(
  unit: Unit,
  context: ControlContext,
  kind: keyof typeof codePages,
  mailbox: Mailbox,
  code: string,
): Promise<QueuedMail> {
  const { page, purpose } = codePages[kind];
  const values = { path: pagePath(context, page, code), validForMinutes: codeLifetimes[purpose] / 60 };
  return await queueMail(unit, context, { ...mailbox, kind, values });
}

/** To an address that somebody registered. @param about  what that person was about to open; null for nothing */
export async function mailVerification(
  unit: Unit,
  context: ControlContext,
  mailbox: Mailbox,
  code: string,
  about: AboutToOpen | null,
): Promise<QueuedMail> {
  const path = pagePath(context, 'verifyAddress', code);
  const values = { path, validForMinutes: codeLifetimes['verify-address'] / 60, about };
  return await queueMail(unit, context, { ...mailbox, kind: 'verify-address', values });
}

/** @param inviter  name or address; null when the operator invites */
export async function mailInvitation(
  unit: Unit,
  context: ControlContext,
  mailbox: Mailbox,
  code: string,
  inviter: string | null,
): Promise<void> {
  const path = pagePath(context, 'acceptInvitation', code);
  const values = { path, validForMinutes: codeLifetimes.invitation / 60, inviter };
  await queueMail(unit, context, { ...mailbox, kind: 'invitation', values });
}

/** Somebody registered with, or wants to change to, an address that has an account. */
export async function mailAddressKnown(unit: Unit, context: ControlContext, mailbox: Mailbox): Promise<QueuedMail> {
  const values = { path: pagePath(context, 'signIn'), resetPath: pagePath(context, 'forgotPassword') };
  return await queueMail(unit, context, { ...mailbox, kind: 'address-known', values });
}

export async function mailPasswordChanged(unit: Unit, context: ControlContext, mailbox: Mailbox): Promise<void> {
  const values = { path: pagePath(context, 'forgotPassword'), at: unit.now };
  await queueMail(unit, context, { ...mailbox, kind: 'password-changed', values });
}

export async function mailAddressChange(
  unit: Unit,
  context: ControlContext,
  mailbox: Mailbox,
  newAddress: string,
): Promise<void> {
  const values = { path: pagePath(context, 'account'), newAddress, at: unit.now };
  await queueMail(unit, context, { ...mailbox, kind: 'change-address-notice', values });
}

export async function mailNewDevice(
  unit: Unit,
  context: ControlContext,
  mailbox: Mailbox,
  device: string,
): Promise<void> {
  const values = { path: pagePath(context, 'devices'), device, at: unit.now };
  await queueMail(unit, context, { ...mailbox, kind: 'new-device', values });
}

export async function mailAccountDeleted(unit: Unit, context: ControlContext, mailbox: Mailbox): Promise<void> {
  await queueMail(unit, context, { ...mailbox, kind: 'account-deleted', values: { at: unit.now } });
}
