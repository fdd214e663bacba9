// What a recipient does with a share that they do not want: say no to an offer, by its message or signed in, or give a key back. A key that was given
// back ends at once, with everything below it: tokens name their whole chain, so that is one change of the log.

import type { Unit } from '../../store/port/store.ts';
import { removeWaitingMails } from '../../store/rows/outbox.ts';
import { type ListedShare, readListedShare } from '../../store/sharing/share-lists.ts';
import { moveShare } from '../../store/sharing/shares.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';
import { findOffer, type OfferReference, recipientText } from './find-offer.ts';
import { type ShareView, shareViewOf } from './share-view.ts';

type ShareLeft =
  /** `moved`: false where the share was declined or given back before, and nothing was done. */
  | { readonly kind: 'done'; readonly share: ShareView; readonly moved: boolean }
  /** The share is in a state that this does not leave. */
  | { readonly kind: 'wrong-state'; readonly share: ShareView }
  | { readonly kind: 'not-found' };

/** Says no to an offer. @throws StoreAway */
export async function declineShare(
  context: ControlContext,
  reference: OfferReference & { readonly origin: Origin },
): Promise<ShareLeft> {
  // This comes before any unit: wrong secrets cost no write lock, however many are sent.
  const seen = await findOffer(context.store.sql, reference, context.clock.epochSeconds());
  if (seen === null) return { kind: 'not-found' };
  const written = await context.write(async (unit): Promise<ShareLeft> => {
    const share = await findOffer(unit.sql, reference, unit.now);
    if (share === null) return { kind: 'not-found' };
    return await declineIn(unit, share, recipientText(reference.actor, share), reference.origin);
  });
  return written.value;
}

/** The same in a unit that does more. @param by  the actor's text */
export async function declineIn(unit: Unit, share: ListedShare, by: string, origin: Origin): Promise<ShareLeft> {
  if (!(await moveShare(unit.sql, share.id, 'decline', by, unit.now))) return stayed(unit, share);
  await removeWaitingMails(unit, share.id);
  await noteShare(unit, { actor: by, action: 'share.declined', subject: share.id, origin });
  return await moved(unit, share);
}

/** Gives an accepted key back. When this resolves, nothing of it passes any more. @throws StoreAway */
export async function leaveShare(
  context: ControlContext,
  actor: Actor,
  { shareId, origin }: { readonly shareId: string; readonly origin: Origin },
): Promise<ShareLeft> {
  const written = await context.write(async (unit): Promise<ShareLeft> => {
    const share = await findOffer(unit.sql, { shareId, secret: null, actor }, unit.now);
    if (share === null || actor.kind !== 'account') return { kind: 'not-found' };
    // an address may have been another account's before
    if (share.state !== 'pending' && share.account_id !== actor.accountId) return { kind: 'not-found' };
    if (!(await moveShare(unit.sql, shareId, 'leave', actor.accountId, unit.now))) return stayed(unit, share);
    await unit.append({ kind: 'revoke', node: shareId });
    await noteShare(unit, {
      ...{ actor: actor.accountId, action: 'share.left', subject: shareId, origin },
      details: { key: share.key_id, account: share.account_id },
    });
    return await moved(unit, share);
  });
  return written.value;
}

function stayed(unit: Unit, share: ListedShare): ShareLeft {
  const view = shareViewOf(share, 'recipient', unit.now);
  return share.state === 'declined'
    ? { kind: 'done', share: view, moved: false }
    : { kind: 'wrong-state', share: view };
}

async function moved(unit: Unit, share: ListedShare): Promise<ShareLeft> {
  const after = (await readListedShare(unit.sql, share.id, unit.now)) ?? share;
  return { kind: 'done', share: shareViewOf(after, 'recipient', unit.now), moved: true };
}
