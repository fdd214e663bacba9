// Asks for a key, for one browser. A request grants nothing and appends nothing to the change log; it says that a person came, by the message
// or by the portal, and that person still has to authenticate (accept-share.ts). It is possible only after the first message was handed
// over, counts in the browser that asked alone, lasts for `sharing.request_window`, and neither fails nor cancels another browser's.
// An account without a password gets six digits by mail for this very request. US 9,923,879, the request for the key.

import type { Buffer } from 'node:buffer';
import type { ShareStanding } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../../store/port/store.ts';
import { findCredentialKey } from '../../store/sharing/credentials.ts';
import { couldHold } from '../../store/sharing/share-chains.ts';
import { type ListedShare, readListedShare } from '../../store/sharing/share-lists.ts';
import { findRequest, nextRequestEnd, openRequest, removeRequest } from '../../store/sharing/share-requests.ts';
import type { ControlContext } from '../context/control-context.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';
import { queueMail } from '../notify/queue-mail.ts';
import { digitTries } from '../proof/account-limits.ts';
import { makeSplitSecret, parseSplitSecret } from '../proof/one-time-code.ts';
import { countRequest } from '../proof/throttle.ts';
import { digestOfDigits } from '../sessions/request-mail-code.ts';
import { findOffer, type OfferReference, recipientText } from './find-offer.ts';
import { keyOf } from './share-mails.ts';
import { findProof, type ShareProofKind } from './share-proof.ts';

interface ShareAsk extends OfferReference {
  /** Requests that this browser has, as `requestShare` gave them to it; at most four are looked at. */
  readonly held: readonly string[];
  /** `any`: a request for this share that the browser has already is kept. `new`: another one is opened, with new digits. */
  readonly wants: 'any' | 'new';
  readonly origin: Origin;
}

type ShareRequested =
  /** `request`: a secret of this browser, with which the request counts. */
  | {
      readonly kind: 'requested';
      readonly request: string;
      readonly needs: ShareProofKind;
      readonly shareId: string;
      readonly expiresAt: EpochSeconds;
    }
  | { readonly kind: 'not-found' }
  /** The share is accepted, or it ended. */
  | { readonly kind: 'over'; readonly standing: ShareStanding }
  /** No message of the share was handed over as yet. */
  | { readonly kind: 'not-yet' }
  /** Something above the share does not hold now: its giver is blocked, or the key was removed. */
  | { readonly kind: 'not-now' }
  /** The key asks for a second factor, which nobody can show as yet. */
  | { readonly kind: 'second-factor' }
  /** `too-many`: five browsers ask at this moment. `busy`: as many digits were mailed to the address as may be. */
  | { readonly kind: 'too-many' | 'busy'; readonly retryAfterSeconds: number };

/** @throws StoreAway */
export async function requestShare(context: ControlContext, ask: ShareAsk): Promise<ShareRequested> {
  // This comes before any unit: wrong secrets cost no write lock, however many are sent.
  if ((await findAsked(context.store.sql, ask, context.clock.epochSeconds())) === null) return { kind: 'not-found' };
  return (await context.write((unit) => request(context, unit, ask))).value;
}

async function request(context: ControlContext, unit: Unit, ask: ShareAsk): Promise<ShareRequested> {
  const { sql, now } = unit;
  const share = await findAsked(sql, ask, now);
  if (share === null) return { kind: 'not-found' };
  const standing = standingOf(share, now);
  if (standing !== null) return { kind: 'over', standing };
  if (share.first_mail_at === null) return { kind: 'not-yet' };
  if (!(await couldHold(sql, share.id, now))) return { kind: 'not-now' };
  const key = await findCredentialKey(sql, share.key_id);
  if (key?.needs_second_factor === 1) return { kind: 'second-factor' };
  const { needs } = await findProof(sql, share.email);
  const kept = ask.wants === 'any' ? await findKept(unit, share.id, ask.held, needs) : null;
  if (kept !== null) return { kind: 'requested', ...kept, needs, shareId: share.id };

  const { selector, digest, text } = makeSplitSecret(context);
  const expiresAt = now + context.config().sharing.requestWindowSeconds;
  const digits = needs === 'digits' ? makeDigits(context.random) : null;
  const proof = digits === null ? null : { digest: digestOfDigits(digits, digest), tries: digitTries };
  if (!(await openRequest(sql, { selector, digest, shareId: share.id, expiresAt, digits: proof }, now))) {
    const ends = await nextRequestEnd(sql, share.id, now);
    return { kind: 'too-many', retryAfterSeconds: Math.max(1, (ends ?? now) - now) };
  }
  const wait = digits === null ? null : await mailDigits(context, unit, share, digits, expiresAt - now);
  if (wait !== null) {
    await removeRequest(sql, selector);
    return { kind: 'busy', retryAfterSeconds: wait };
  }
  const actor = recipientText(ask.actor, share);
  await noteShare(unit, { actor, action: 'share.requested', subject: share.id, origin: ask.origin });
  return { kind: 'requested', request: text, needs, shareId: share.id, expiresAt };
}

/** Why a share cannot be asked for by its state and its times; null where it can. */
function standingOf(share: ListedShare, now: EpochSeconds): ShareStanding | null {
  const { state, expires_at: expiresAt, usable_until_at: until } = share;
  if (state !== 'pending') return state;
  return expiresAt <= now || (until !== null && until <= now) ? 'expired' : null;
}

/** The share that is asked for. A browser that asked for it before needs no secret of the message: its open request stands for that. */
async function findAsked(sql: Sql, ask: ShareAsk, now: EpochSeconds): Promise<ListedShare | null> {
  const offered = await findOffer(sql, ask, now);
  if (offered !== null) return offered;
  for (const text of ask.held.slice(0, 4)) {
    const parsed = parseSplitSecret(text);
    const found = parsed === null ? null : await findRequest(sql, parsed, now);
    if (found?.shareId === ask.shareId && !found.isUsed) return await readListedShare(sql, ask.shareId, now);
  }
  return null;
}

/** The browser's open request for this share, if it can still be used. */
async function findKept(
  unit: Unit,
  shareId: string,
  held: readonly string[],
  needs: ShareProofKind,
): Promise<{ readonly request: string; readonly expiresAt: EpochSeconds } | null> {
  for (const text of held.slice(0, 4)) {
    const parsed = parseSplitSecret(text);
    const found = parsed === null ? null : await findRequest(unit.sql, parsed, unit.now);
    if (found === null || found.shareId !== shareId || found.isUsed) continue;
    if (needs === 'password' || (found.triesLeft ?? 0) > 0) return { request: text, expiresAt: found.expiresAt };
  }
  return null;
}

/** @returns null when the mail was queued, else the seconds to wait */
async function mailDigits(
  context: ControlContext,
  unit: Unit,
  share: ListedShare,
  digits: string,
  lifeSeconds: number,
): Promise<number | null> {
  const counted = await countRequest(unit, context, [{ kind: 'key-codes-of-address', subject: share.email }]);
  if (counted.kind === 'blocked') return counted.waitSeconds;
  const queued = await queueMail(unit, context, {
    kind: 'key-code',
    to: share.email,
    // the mail goes to the address, whichever account has it
    accountId: null,
    values: { ...keyOf(share), digits, validForMinutes: Math.max(1, Math.floor(lifeSeconds / 60)) },
  });
  return queued.kind === 'queued' ? null : 60;
}

function makeDigits(random: (bytes: number) => Buffer): string {
  return String(random(6).readUIntBE(0, 6) % 1_000_000).padStart(6, '0');
}
