// The senders that an address wants no more keys of. The sender gets the same answers as before, and no mail goes to that address any more.
// Whoever reads the message can block, and whoever is signed in with the address can take it back.

import { digestOf } from '../../core/model/digest.ts';
import { readPersonName } from '../../store/rows/accounts.ts';
import { removeWaitingOffers } from '../../store/rows/outbox.ts';
import { insertBlock, listBlocked, removeBlock } from '../../store/sharing/share-blocks.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';
import { declineIn } from './decline-share.ts';
import { findOffer, type OfferReference, recipientText } from './find-offer.ts';

interface BlockedSender {
  /** Account id. */
  readonly id: string;
  /** Null once that account was deleted. */
  readonly name: string | null;
}

/** Blocks the giver of a share, and says no to the share where it still waits. Twice is harmless. @throws StoreAway */
export async function blockSender(
  context: ControlContext,
  reference: OfferReference & { readonly origin: Origin },
): Promise<{ readonly kind: 'blocked'; readonly sender: BlockedSender } | { readonly kind: 'not-found' }> {
  // This comes before any unit: wrong secrets cost no write lock, however many are sent.
  const seen = await findOffer(context.store.sql, reference, context.clock.epochSeconds());
  if (seen === null) return { kind: 'not-found' };
  const written = await context.write(async (unit) => {
    const share = await findOffer(unit.sql, reference, unit.now);
    if (share === null || share.email === '') return { kind: 'not-found' } as const;
    const giverId = share.giver_id;
    const isNew = await insertBlock(unit.sql, { mailboxDigest: digestOf(share.email), giverId }, unit.now);
    // a mail that was put off says what nobody wants to hear any more
    await removeWaitingOffers(unit, { email: share.email, giverId });
    const by = recipientText(reference.actor, share);
    if (share.state === 'pending') await declineIn(unit, share, by, reference.origin);
    if (isNew) {
      await noteShare(unit, {
        // no row of the share's own history, which its giver reads
        ...{ actor: by, action: 'share.sender-blocked', subject: by === 'system' ? 'unknown' : by },
        ...{ details: { share: share.id, giver: giverId }, origin: reference.origin },
      });
    }
    return { kind: 'blocked', sender: { id: giverId, name: share.giverName || share.giverEmail || null } } as const;
  });
  return written.value;
}

/** @returns false where the sender was not blocked. @throws StoreAway */
export async function unblockSender(
  context: ControlContext,
  actor: Extract<Actor, { kind: 'account' }>,
  { senderId, origin }: { readonly senderId: string; readonly origin: Origin },
): Promise<boolean> {
  const written = await context.write(async (unit) => {
    const was = await removeBlock(unit.sql, { mailboxDigest: digestOf(actor.email), giverId: senderId });
    if (was) {
      await noteShare(unit, {
        ...{ actor: actor.accountId, action: 'share.sender-unblocked', subject: actor.accountId },
        ...{ details: { giver: senderId }, origin },
      });
    }
    return was;
  });
  return written.value;
}

/** The newest first; at most 200. */
export async function listBlockedSenders(
  { store }: Pick<ControlContext, 'store'>,
  actor: Extract<Actor, { kind: 'account' }>,
): Promise<readonly BlockedSender[]> {
  const ids = await listBlocked(store.sql, digestOf(actor.email));
  return await Promise.all(ids.map(async (id) => ({ id, name: await readPersonName(store.sql, id) })));
}
