// Bounds what anybody can cause without signing in, requests from one address and mails to one mailbox; and what costs much.
// Too many requests from an address are told so. Too many mails to a mailbox are told to nobody, or the answer would say
// that somebody else asked before; the mail is left out and the answer is the same.

import type { Unit } from '../../store/store.ts';
import { countGuess, type ThrottlePolicy } from '../../store/throttles.ts';
import { type RequestKind, requestLimits } from './account-limits.ts';
import { addressBlock } from './address-block.ts';
import { digestOf } from './one-time-code.ts';

/** What is asked for without signing in. Counted apart: whoever registers all day keeps nobody beside them from a new password. */
export type RequestReason = 'register' | 'reset-password';

/** Counts a request from an address. @returns null when it may be served, else the seconds to wait */
export async function countRequest(unit: Unit, clientAddress: string, reason: RequestReason): Promise<number | null> {
  const counted = await count(unit, 'request-address', `${reason} ${addressBlock(clientAddress)}`);
  return counted.kind === 'allowed' ? null : counted.until - unit.logTime;
}

/** By the right password. */
export interface CountedSignIn {
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
export type MailReason = 'register' | 'reset-password' | 'change-address';

/** Counts a mail to a mailbox. @returns whether it may be sent */
export async function mayMail(unit: Unit, email: string, reason: MailReason): Promise<boolean> {
  return (await count(unit, 'mail-recipient', `${reason} ${email}`)).kind === 'allowed';
}

/** In windows of the log's own time: a few an hour, hour after hour, never add up, and no clock that is set begins a new one. */
function count(unit: Unit, kind: RequestKind, subject: string) {
  const { requests, windowSeconds } = requestLimits[kind];
  const window = Math.floor(unit.logTime / windowSeconds);
  const policy: ThrottlePolicy = {
    forgetAfterSeconds: windowSeconds,
    longestBlockSeconds: windowSeconds,
    blockSeconds: (guesses) => (guesses < requests ? 0 : (window + 1) * windowSeconds - unit.logTime),
  };
  return countGuess(unit, { kind, keyDigest: digestOf(JSON.stringify([kind, subject, window])) }, policy);
}
