// Signs somebody in by a mail that they asked for: by its six digits in the browser that asked, or by its link in the browser that opens it.
// Both prove that the person reads the mailbox, so an address without an account gets one where the request for the code allowed it
// (request-mail-code.ts). Nobody else is signed in by it: whoever asked for the code in another browser gets nothing by the link, and the
// digits without the secret of the browser that asked are no code at all.

import type { LogPosition } from '../../core/model/change.ts';
import { sameDigest } from '../../core/model/digest.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import { findUnverifiedAccounts, findVerifiedAccount, insertAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { hasOpenCode, type SpentCode, spendByDigits, spendCode, takeTry } from '../../store/rows/one-time-codes.ts';
import { isAllowedDomain } from '../accounts/register-account.ts';
import { takeOverAddress } from '../accounts/take-over-address.ts';
import type { ControlContext } from '../context/control-context.ts';
import { isLinkThatTakes } from '../links/present-link.ts';
import { type CarriedWay, openCarried } from '../proof/carried-way.ts';
import { parseSplitSecret } from '../proof/one-time-code.ts';
import { countGuess, forgiveGuess } from '../proof/throttle.ts';
import { digestOfDigits } from './request-mail-code.ts';
import { type Browser, finishSession, type NewSession, startSession } from './start-session.ts';

interface DigitsInput extends Browser {
  /** As `requestMailCode` gave it to this browser. */
  readonly request: string;
  /** As typed; spaces and dashes do not count. */
  readonly digits: string;
}

interface SignedIn {
  readonly kind: 'signed-in';
  readonly session: NewSession;
  /** Where the person was going when the code was mailed. */
  readonly way: CarriedWay | null;
}

type DigitsOutcome =
  | SignedIn
  /** Not six digits; no try was taken. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'wrong'; readonly triesLeft: number }
  /** The code is over, used, replaced, or has no try left; or its account may not sign in. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'too-many'; readonly retryAfterSeconds: number };

/** @throws StoreAway */
export async function signInByDigits(context: ControlContext, input: DigitsInput): Promise<DigitsOutcome> {
  const digits = input.digits.replace(/[\s-]/g, '');
  if (!/^\d{6}$/.test(digits)) return { kind: 'malformed' };
  const request = parseSplitSecret(input.request);
  if (request === null) return { kind: 'refused' };
  const guess = { secret: 'mailed-digits', name: null, clientAddress: input.clientAddress, known: null } as const;
  const { value, position } = await context.write(async (unit) => {
    const wait = await countGuess(unit, guess);
    if (wait !== null) return { kind: 'too-many', retryAfterSeconds: wait } as const;
    // the try is taken before the digits are looked at, so parallel guesses are as many as there are tries
    const tried = await takeTry(unit, request.selector);
    if (tried === null) return { kind: 'refused' } as const;
    const digest = digestOfDigits(digits, request.digest);
    if (!sameDigest(tried.digitsDigest, digest)) return { kind: 'wrong', triesLeft: tried.triesLeft } as const;
    const spent = await spendByDigits(unit, request.selector, digest);
    if (spent.kind === 'refused') return spent;
    await forgiveGuess(unit, guess);
    return await enter(unit, context, request.selector, spent, input);
  });
  return value.kind === 'entered' ? finish(context, value, position) : value;
}

/** Spends the code in the link of the mail. @param code  one of purpose `mail-code` */
export async function signInByMailedLink(
  context: ControlContext,
  code: string,
  browser: Browser,
): Promise<SignedIn | { readonly kind: 'refused' }> {
  const parsed = parseSplitSecret(code);
  if (parsed === null) return { kind: 'refused' };
  const { value, position } = await context.write(async (unit) => {
    const spent = await spendCode(unit, { ...parsed, purpose: 'mail-code' });
    return spent.kind === 'refused' ? spent : await enter(unit, context, parsed.selector, spent, browser);
  });
  return value.kind === 'entered' ? finish(context, value, position) : value;
}

type Entered =
  | { readonly kind: 'entered'; readonly started: Started; readonly way: CarriedWay | null }
  | { readonly kind: 'refused' };

type Started = NonNullable<Awaited<ReturnType<typeof startSession>>>;

async function enter(
  unit: Unit,
  context: ControlContext,
  selector: string,
  spent: SpentCode,
  browser: Browser,
): Promise<Entered> {
  const carried = openCarried(context, selector, spent.carriedSealed);
  const way = carried?.way ?? null;
  let accountId = spent.accountId;
  if (accountId === null && carried?.mayJoin === true) accountId = await join(unit, context, carried, browser);
  const started = accountId === null ? null : await startSession(unit, context, accountId, browser, 'mail-code');
  return started === null ? { kind: 'refused' } : { kind: 'entered', started, way };
}

/** The account of an address that had none when the code was mailed. @returns null where it may not have one any more */
async function join(
  unit: Unit,
  context: ControlContext,
  { email, way }: { readonly email: string; readonly way: CarriedWay | null },
  browser: Browser,
): Promise<string | null> {
  const made = await findVerifiedAccount(unit.sql, email);
  if (made !== null) return made.id;
  const { registration } = context.config().accounts;
  const isStillLet =
    registration === 'open' ||
    (registration === 'by_link' && way !== null && (await isLinkThatTakes(context, way, email, unit)));
  const [waiting] = await findUnverifiedAccounts(unit.sql, email);
  const isInvited = waiting !== undefined && (await hasOpenCode(unit, waiting.id, 'invitation'));
  if (!isInvited && !(isStillLet && isAllowedDomain(context, email))) return null;
  const accountId = waiting?.id ?? makeId('account', context.random(idRandomBytes));
  const requestId = browser.requestId ?? null;
  if (waiting === undefined) {
    await insertAccount(unit.sql, {
      id: accountId,
      email,
      emailVerifiedAt: null,
      passwordHash: null,
      displayName: '',
      groups: [],
      role: 'user',
      state: 'active',
      createdAt: unit.now,
    });
    await appendAudit(unit, { actor: 'system', action: 'account.registered', subject: accountId, requestId });
  }
  const action = 'account.address-verified';
  const isTaken = await takeOverAddress(unit, { accountId, passwordHash: null, displayName: null, action, requestId });
  return isTaken ? accountId : null;
}

function finish(
  context: ControlContext,
  { started, way }: Extract<Entered, { kind: 'entered' }>,
  position: LogPosition,
): SignedIn {
  return { kind: 'signed-in', session: finishSession(context, started, position), way };
}
