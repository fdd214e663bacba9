// Sends the message of a pending share again, at most once in `sharing.resend`. The answer is the same whether a message goes out: the address
// may be one that may not be invited, or have blocked the giver.

import { digestOf } from '../../core/model/digest.ts';
import { shareStanding } from '../../core/model/share.ts';
import type { Unit } from '../../store/port/store.ts';
import { hasWaitingMail } from '../../store/rows/outbox.ts';
import { isBlocked } from '../../store/sharing/share-blocks.ts';
import { couldHold } from '../../store/sharing/share-chains.ts';
import type { ListedShare } from '../../store/sharing/share-lists.ts';
import { isVerifiedAddress } from '../../store/sharing/share-recipients.ts';
import { noteMailQueued, replaceShareSecret } from '../../store/sharing/shares.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';
import { settleMail } from '../notify/queue-mail.ts';
import { countRequest } from '../proof/throttle.ts';
import { mayInvite } from './may-invite.ts';
import { noteRefusal } from './note-refusal.ts';
import { findShareFor } from './share-authority.ts';
import { mailOffer } from './share-mails.ts';
import { makeShareSecret, openShareSecret } from './share-secret.ts';
import { type ShareView, shareViewOf } from './share-view.ts';

type ShareResent =
  | { readonly kind: 'resent'; readonly share: ShareView }
  /** The last message is too recent, or the giver sent too many. */
  | { readonly kind: 'too-many'; readonly retryAfterSeconds: number }
  /** The share is accepted or over, or could not hold now. */
  | { readonly kind: 'not-pending' }
  | { readonly kind: 'no-mail' }
  | { readonly kind: 'not-found' };

/** @throws StoreAway */
export async function resendShare(
  context: ControlContext,
  actor: Actor,
  { shareId, origin }: { readonly shareId: string; readonly origin: Origin },
): Promise<ShareResent> {
  const { mail, portal, sharing } = context.config();
  if (mail === null || portal === null) return { kind: 'no-mail' };
  const written = await context.write(async (unit): Promise<ShareResent> => {
    const { sql, now } = unit;
    const found = await findShareFor(sql, actor, shareId, now);
    if (found === null || found.reader === 'recipient') return { kind: 'not-found' };
    const { share, reader } = found;
    // what hangs below an end can be accepted by nobody, so nobody is written to about it
    if (!isPending(share, now) || !(await couldHold(sql, shareId, now))) return { kind: 'not-pending' };
    const freeAt = (share.last_mail_at ?? 0) + sharing.resendSeconds;
    if (freeAt > now) return { kind: 'too-many', retryAfterSeconds: freeAt - now };
    const { giver_id: giverId, key_id: keyId } = share;
    const counted = await countRequest(unit, context, [{ kind: 'shares-of-sender', subject: giverId }]);
    if (counted.kind === 'blocked') {
      await noteRefusal(context, unit, actor, { giverId, keyId, reason: 'too-many', origin });
      return { kind: 'too-many', retryAfterSeconds: counted.waitSeconds };
    }
    if (!(await noteMailQueued(sql, shareId, now - sharing.resendSeconds, now)))
      throw new Error('units run one after the other, so the time of the last message is that which was read');
    await mailAgain(context, unit, share);
    await noteShare(unit, {
      ...{ actor: actorName(actor), action: 'share.resent', subject: shareId, origin },
      details: { key: keyId },
    });
    return { kind: 'resent', share: shareViewOf(share, reader, now) };
  });
  return written.value;
}

/** The statements are the same whether the message goes out or not. */
async function mailAgain(context: ControlContext, unit: Unit, share: ListedShare): Promise<void> {
  const { email, giver_id: giverId } = share;
  const isVerified = await isVerifiedAddress(unit.sql, email);
  const isBlockedBy = await isBlocked(unit.sql, { mailboxDigest: digestOf(email), giverId });
  // one that waits already says the same
  const waits = await hasWaitingMail(unit, share.id);
  const mail = await mailOffer(unit, context, share, await secretOf(context, unit, share));
  const goesOut = !isBlockedBy && !waits && mayInvite(context, { email, isVerified });
  await settleMail(unit, mail, goesOut ? 'send' : 'withdraw');
}

/** The secret of the first message, so that it works on; another one where it cannot be opened any more. */
async function secretOf(context: ControlContext, unit: Unit, share: ListedShare): Promise<string> {
  const kept = openShareSecret(context, share);
  if (kept !== null) return kept;
  const made = makeShareSecret(context, share.id);
  await replaceShareSecret(unit.sql, share.id, made);
  return made.text;
}

function isPending(share: ListedShare, now: number): boolean {
  const { state, expires_at: expiresAt, usable_from_at: usableFromAt, usable_until_at: usableUntilAt } = share;
  return (
    shareStanding({ state, expiresAt, usableFromAt, usableUntilAt, hasOpenRequest: false }, now) === 'pending' &&
    share.email !== ''
  );
}
