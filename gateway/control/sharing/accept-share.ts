// Accepts a share: the message in which the recipient authenticates is the one that writes the grant. US 9,923,879, last steps.
// It takes an open request of this browser for this very share (request-share.ts), and a proof of the account behind the address: its password,
// slowed as at sign-in, or the digits that were mailed for this request together with the password to have from now on. A session that is there
// already proves nothing here. One unit then makes the address the account's own where it was not, accepts by one conditional statement
// whose row count is the verdict, spends the request, starts a session, and queues both confirmations.

import { refusePassword } from '../../core/model/account.ts';
import type { LogPosition } from '../../core/model/change.ts';
import { digestOf } from '../../core/model/digest.ts';
import type { Unit } from '../../store/port/store.ts';
import { readAccount, replacePasswordHash } from '../../store/rows/accounts.ts';
import { type ListedShare, readListedShare } from '../../store/sharing/share-lists.ts';
import { type FoundRequest, findRequest, noteRequestTried, tryDigits } from '../../store/sharing/share-requests.ts';
import type { ControlContext } from '../context/control-context.ts';
import { checkPassword, passwordGuess } from '../proof/check-password.ts';
import { parseSplitSecret, type SplitSecret } from '../proof/one-time-code.ts';
import { busyRetrySeconds } from '../proof/password-work.ts';
import { countGuess, countRequest, forgiveGuess } from '../proof/throttle.ts';
import { findKnownDevice } from '../sessions/known-device.ts';
import { recordRefusal } from '../sessions/record-refusal.ts';
import { digestOfDigits } from '../sessions/request-mail-code.ts';
import { signInWindow } from '../sessions/sign-in.ts';
import { type Browser, finishSession, type NewSession, startSession } from '../sessions/start-session.ts';
import { answerOnce } from './same-question.ts';
import { findProof } from './share-proof.ts';
import { NotAccepted, type NotAcceptedReason, takeAddress, writeAcceptance } from './write-acceptance.ts';

type ShareProof =
  | { readonly kind: 'password'; readonly password: string }
  /** `digits`: as typed; spaces and dashes do not count. */
  | { readonly kind: 'digits'; readonly digits: string; readonly newPassword: string };

type DigitsProof = Extract<ShareProof, { kind: 'digits' }>;

interface Acceptance extends Browser {
  /** As `requestShare` gave it to this browser. */
  readonly request: string;
  readonly proof: ShareProof;
}

export type ShareAccepted =
  /** `session`: null for digits that were used before, which never sign in again. */
  | { readonly kind: 'accepted'; readonly shareId: string; readonly session: NewSession | null }
  /** This browser has no open request: it never asked, or too long ago, or used the request. */
  | { readonly kind: 'no-request' }
  | { readonly kind: 'wrong-password' }
  /** Not six digits; no try was taken. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'wrong-digits'; readonly triesLeft: number }
  | { readonly kind: 'weak-password'; readonly why: NonNullable<ReturnType<typeof refusePassword>> }
  /** Too many guesses or too much to do; nothing was looked at. */
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number }
  /** `ask-again`: what the account has to show changed since the request, or no try is left. */
  | { readonly kind: 'refused'; readonly reason: NotAcceptedReason | 'ask-again' };

/** @throws StoreAway */
export async function acceptShare(context: ControlContext, acceptance: Acceptance): Promise<ShareAccepted> {
  const { request: text, requestId: _, ...matters } = acceptance;
  const request = parseSplitSecret(text);
  if (request === null) return { kind: 'no-request' };
  const question = digestOf(JSON.stringify([text, matters]));
  return await answerOnce(context.passwords, question, () => accept(context, acceptance, request));
}

/** One acceptance under way: what was found before the proof is looked at. */
interface Under {
  readonly context: ControlContext;
  readonly browser: Browser;
  readonly request: SplitSecret;
  readonly found: FoundRequest;
  readonly share: ListedShare;
}

async function accept(context: ControlContext, acceptance: Acceptance, request: SplitSecret): Promise<ShareAccepted> {
  const { proof, ...browser } = acceptance;
  const { sql } = context.store;
  const now = context.clock.epochSeconds();
  const found = await findRequest(sql, request, now);
  const share = found === null ? null : await readListedShare(sql, found.shareId, now);
  if (found === null || share === null) return { kind: 'no-request' };
  const under = { context, browser, request, found, share };
  return proof.kind === 'password' ? await byPassword(under, proof.password) : await byDigits(under, proof);
}

async function byPassword(under: Under, password: string): Promise<ShareAccepted> {
  const { context, browser, request, share } = under;
  // Nobody's password: a scanner that presses the button of an empty form is no guess, and takes no place.
  if (password === '') return { kind: 'wrong-password' };
  const { sql } = context.store;
  const { account } = await findProof(sql, share.email);
  const device = await findKnownDevice(sql, account?.id ?? '', browser.deviceCookie);
  const { clientAddress } = browser;
  const guesser = { email: share.email, clientAddress, knownDevice: device?.id ?? null };
  const checked = await checkPassword(context, account, password, guesser);
  if (checked.kind === 'busy') return checked;
  if (checked.kind === 'wrong') {
    await context.write((unit) => noteRequestTried(unit.sql, request, unit.now));
    const requestId = browser.requestId ?? null;
    await recordRefusal(context, { ...guesser, accountId: account?.id ?? null, requestId });
    return { kind: 'wrong-password' };
  }
  const { id, passwordHash } = checked.account;
  return await write(under, async (unit) => {
    // The password changed while this one was checked.
    if ((await readAccount(unit.sql, id))?.passwordHash !== passwordHash) return busyRetrySeconds;
    await forgiveGuess(unit, passwordGuess(guesser));
    const counted = await countRequest(unit, context, [signInWindow(id, passwordHash, guesser.knownDevice)]);
    if (counted.kind === 'blocked') return counted.waitSeconds;
    if (checked.rehashed !== null && passwordHash !== null)
      await replacePasswordHash(unit.sql, id, passwordHash, checked.rehashed);
    return id;
  });
}

async function byDigits(under: Under, proof: DigitsProof): Promise<ShareAccepted> {
  const outcome = await tryByDigits(under, proof);
  if (outcome.kind !== 'refused' && outcome.kind !== 'no-request') return outcome;
  // A message with the same digits may have been faster: the same answer, without a session.
  const { context, request, share } = under;
  const now = context.clock.epochSeconds();
  const found = await findRequest(context.store.sql, request, now);
  const present = await readListedShare(context.store.sql, share.id, now);
  const isAccepted = found?.isUsed === true && present?.state === 'accepted';
  return isAccepted ? { kind: 'accepted', shareId: share.id, session: null } : outcome;
}

async function tryByDigits(under: Under, proof: DigitsProof): Promise<ShareAccepted> {
  const { context, browser, request, found, share } = under;
  if (found.isUsed) return { kind: 'no-request' };
  const { needs } = await findProof(context.store.sql, share.email);
  if (needs !== 'digits' || found.triesLeft === null) return { kind: 'refused', reason: 'ask-again' };
  const digits = proof.digits.replace(/[\s-]/g, '');
  if (!/^\d{6}$/.test(digits)) return { kind: 'malformed' };
  const why = refusePassword(proof.newPassword, share.email);
  if (why !== null) return { kind: 'weak-password', why };
  const guess = { secret: 'mailed-digits', name: null, clientAddress: browser.clientAddress, known: null } as const;
  const { value: tried } = await context.write(async (unit) => {
    const wait = await countGuess(unit, guess);
    if (wait !== null) return { kind: 'busy', retryAfterSeconds: wait } as const;
    const outcome = await tryDigits(unit.sql, request, digestOfDigits(digits, request.digest), unit.now);
    if (outcome === null) return { kind: 'refused', reason: 'ask-again' } as const;
    if (!outcome.isRight) return { kind: 'wrong-digits', triesLeft: outcome.triesLeft } as const;
    await forgiveGuess(unit, guess);
    return null;
  });
  if (tried !== null) return tried;
  // The digits are right: whoever sent them reads the mailbox, and may cost a hash.
  const hashed = await context.passwords.hash(proof.newPassword, share.id);
  if (hashed.kind === 'busy') return hashed;
  const taken = { email: share.email, passwordHash: hashed.value, requestId: browser.requestId ?? null };
  return await write(under, (unit) => takeAddress(unit, context, taken));
}

/**
 * The unit that authenticates, grants and signs in.
 *
 * @param authenticate  gives the account, or for how many seconds nothing can be done; throws NotAccepted
 */
async function write(
  { context, browser, request, share }: Under,
  authenticate: (unit: Unit) => Promise<string | number>,
): Promise<ShareAccepted> {
  type Written = Started | { readonly kind: 'busy'; readonly retryAfterSeconds: number };
  let written: { readonly value: Written; readonly position: LogPosition };
  try {
    written = await context.write(async (unit): Promise<Written> => {
      const accountId = await authenticate(unit);
      if (typeof accountId === 'number') return { kind: 'busy', retryAfterSeconds: accountId };
      await writeAcceptance(unit, context, { share, accountId, request, browser });
      const started = await startSession(unit, context, accountId, browser, 'accepted-share');
      if (started === null) throw new NotAccepted('not-able');
      return { kind: 'started', started };
    });
  } catch (error) {
    // Nothing of the unit is kept: an address is not taken over for a share that ended meanwhile.
    if (!(error instanceof NotAccepted)) throw error;
    return error.reason === 'no-request' ? { kind: 'no-request' } : { kind: 'refused', reason: error.reason };
  }
  const { value, position } = written;
  if (value.kind === 'busy') return value;
  return { kind: 'accepted', shareId: share.id, session: finishSession(context, value.started, position) };
}

interface Started {
  readonly kind: 'started';
  readonly started: NonNullable<Awaited<ReturnType<typeof startSession>>>;
}
