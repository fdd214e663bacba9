// One-time codes as people and redirects carry them: `<selector>.<secret>`. The store keeps the selector and a digest.
// Spending is store/rows/one-time-codes.ts; its row count is the verdict. Looking at a code (for a page that shows whom it is for)
// compares in constant time and spends nothing.

import type { PasswordRefusal } from '../../core/model/account.ts';
import { digestOf, sameDigest } from '../../core/model/digest.ts';
import type { Unit } from '../../store/port/store.ts';
import {
  type CodePurpose,
  endCodes,
  endCodesBeyond,
  findCode,
  insertCode,
  removeCode,
  type SpentCode,
  spendCode,
} from '../../store/rows/one-time-codes.ts';
import type { ControlContext } from '../context/control-context.ts';
import { codeLifetimes, codesKept } from './account-limits.ts';
import { type CarriedWay, openCarried, sealCarried } from './carried-way.ts';
import { countGuess } from './throttle.ts';

/** The selector has 96 bits, the secret 256 bits. */
const selectorBytes = 12;
const secretBytes = 32;
const codeForm = /^[\w-]{16}\.[\w-]{43}$/;

/** A secret in two halves: the first finds the row, the second is compared by its digest. */
export interface SplitSecret {
  readonly selector: string;
  /** SHA-256 of the secret half, base64url. */
  readonly digest: string;
}

/** Makes such a secret. `text` is shown once and stored nowhere. */
export function makeSplitSecret(context: ControlContext): SplitSecret & { readonly text: string } {
  const selector = context.random(selectorBytes).toString('base64url');
  const secret = context.random(secretBytes).toString('base64url');
  return { selector, digest: digestOf(secret), text: `${selector}.${secret}` };
}

/** Parses such a text. @returns null for every text that cannot be one of latchkey's codes */
export function parseSplitSecret(text: string): SplitSecret | null {
  if (!codeForm.test(text)) return null;
  const [selector = '', secret = ''] = text.split('.');
  return { selector, digest: digestOf(secret) };
}

export type WrongCode =
  | { readonly kind: 'refused' }
  /** Many wrong codes came from this source, and this code is wrong too. */
  | { readonly kind: 'too-many'; readonly retryAfterSeconds: number };

/** Why a code was refused. */
export type CodeRefused =
  /** The code does not work, or not any more; the answer is the same for all reasons. */
  | WrongCode
  /** The code was not spent. */
  | { readonly kind: 'weak-password'; readonly why: PasswordRefusal }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

/** A purpose whose codes this file makes; `open-elsewhere` is control/links'. */
export type AccountCodePurpose = Exclude<CodePurpose, 'open-elsewhere'>;

/** Makes a code that lasts as long as its purpose says. @returns the whole code; it is stored nowhere */
export async function issueCode(
  unit: Unit,
  context: ControlContext,
  code: {
    readonly purpose: AccountCodePurpose;
    readonly accountId: string;
    readonly details?: Readonly<Record<string, unknown>>;
    /** What the code's reader was about to open; for a code that goes to `email`. */
    readonly carries?: { readonly email: string; readonly way: CarriedWay };
  },
): Promise<string> {
  const { selector, digest, text } = makeSplitSecret(context);
  const expiresAt = unit.now + codeLifetimes[code.purpose];
  const { purpose, accountId, details = {}, carries } = code;
  const carriedSealed = carries === undefined ? null : sealCarried(context, selector, { ...carries, mayJoin: false });
  await insertCode(unit, { selector, digest, purpose, accountId, details, expiresAt, carriedSealed });
  await endCodesBeyond(unit, accountId, purpose, codesKept);
  return text;
}

/** Ends the codes that were mailed before this one, once it is sure that a mail with this one goes out. */
export async function endEarlierCodes(
  unit: Unit,
  accountId: string,
  purpose: AccountCodePurpose,
  text: string,
): Promise<void> {
  await endCodes(unit, accountId, purpose, parseSplitSecret(text)?.selector ?? '');
}

/** Takes a code back in the unit that issued it, as if it had never been. */
export async function withdrawCode(unit: Unit, text: string): Promise<void> {
  await removeCode(unit, parseSplitSecret(text)?.selector ?? '');
}

/** Spends a code of a purpose. @returns null for every code that does not work, whatever the reason */
export async function redeemCode(
  unit: Unit,
  purpose: AccountCodePurpose,
  text: string,
): Promise<(SpentCode & { readonly accountId: string }) | null> {
  const parsed = parseSplitSecret(text);
  if (parsed === null) return null;
  const spent = await spendCode(unit, { ...parsed, purpose });
  if (spent.kind === 'refused' || spent.accountId === null) return null;
  return { ...spent, accountId: spent.accountId };
}

/** What a page may say about a code before it is spent. */
interface OpenCode {
  readonly purpose: CodePurpose;
  readonly accountId: string | null;
  readonly details: unknown;
  /** What the code carries; null for nothing. */
  readonly carried: ReturnType<typeof openCarried>;
}

/** Looks a code up and spends nothing. @returns null for every code that would not work now */
export async function lookAtCode(context: ControlContext, text: string): Promise<OpenCode | null> {
  const parsed = parseSplitSecret(text);
  if (parsed === null) return null;
  const row = await findCode(context.store.sql, parsed.selector);
  if (row === null || !sameDigest(row.digest, parsed.digest)) return null;
  if (row.used_at !== null || row.expires_at <= context.clock.epochSeconds()) return null;
  const carried = openCarried(context, row.selector, row.carried_sealed);
  return { purpose: row.purpose, accountId: row.account_id, details: JSON.parse(row.details), carried };
}

/**
 * The answer to a code that does not work. A code has 256 random bits, so nobody finds one by trying: this bounds how many answers
 * and rows a guesser causes. So a code is looked at before anything is counted, and a right code never has to wait, whatever others tried
 * from the same network.
 */
export async function refuseCode(
  context: Pick<ControlContext, 'write'>,
  clientAddress: string | undefined,
): Promise<WrongCode> {
  const guess = { secret: 'mailed-code', name: null, clientAddress: clientAddress ?? '', known: null } as const;
  const { value: wait } = await context.write((unit) => countGuess(unit, guess));
  return wait === null ? { kind: 'refused' } : { kind: 'too-many', retryAfterSeconds: wait };
}

/** A text member of a code's details; empty when the member is missing. */
export function detailText(details: unknown, name: string): string {
  if (typeof details !== 'object' || details === null) return '';
  const value: unknown = Object.entries(details).find(([key]) => key === name)?.[1];
  return typeof value === 'string' ? value : '';
}
