// Finds the share that somebody may look at as its recipient: by the secret of its message, or signed in to the account with its address.
// For everybody else there is no such share: a wrong secret, an unknown id and a share whose message never left are answered alike.

import { digestOf, sameDigest } from '../../core/model/digest.ts';
import { isId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { findCredential } from '../../store/sharing/credentials.ts';
import { type ListedShare, readListedShare } from '../../store/sharing/share-lists.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { type ShareView, shareViewOf } from './share-view.ts';

/** How somebody points at a share that is for them. */
export interface OfferReference {
  readonly shareId: string;
  /** As the address in the message has it; null where the actor's account has the address. */
  readonly secret: string | null;
  /** Who is signed in; null for nobody. */
  readonly actor: Actor | null;
}

/** Reads the two halves of `<share id>.<secret>`, as the address in a message has them. @returns null for any other text */
export function parseOfferCode(text: string): { readonly shareId: string; readonly secret: string } | null {
  const dot = text.indexOf('.');
  const [shareId, secret] = [text.slice(0, dot), text.slice(dot + 1)];
  return dot > 0 && isId('share', shareId) && /^[\w-]{43}$/.test(secret) ? { shareId, secret } : null;
}

/** The share that a reference points at, whatever its state; null for none, and for one that is not theirs. */
export async function findOffer(
  sql: Sql,
  { shareId, secret, actor }: OfferReference,
  now: EpochSeconds,
): Promise<ListedShare | null> {
  const share = isId('share', shareId) ? await readListedShare(sql, shareId, now) : null;
  if (secret !== null) {
    const isRight = sameDigest(share?.secret_digest ?? digestOf(''), digestOf(secret));
    return share !== null && isRight ? share : null;
  }
  if (share === null || actor?.kind !== 'account') return null;
  // a share that waits belongs to the address, whichever account it points at; what was never handed over waits unseen
  if (share.state === 'pending') return share.email === actor.email && share.first_mail_at !== null ? share : null;
  return share.email === actor.email || share.account_id === actor.accountId ? share : null;
}

/** The text that stands for a recipient in the audit log; whoever only reads the message has not shown yet who they are. */
export function recipientText(actor: Actor | null, share: ListedShare): string {
  return actor?.kind === 'account' && actor.email === share.email ? actor.accountId : 'system';
}

/** What a recipient reads before deciding. */
export interface Offer {
  readonly share: ShareView;
  /** Address that the message went to. */
  readonly email: string;
  readonly giverId: string;
  /** `data:` URL of the credential's picture; null for none. */
  readonly picture: string | null;
  /** Whether the actor holds the key by this share already. */
  readonly isHeld: boolean;
}

/** @returns null where there is nothing for them */
export async function readOffer(context: ControlContext, reference: OfferReference): Promise<Offer | null> {
  const { store, clock } = context;
  const now = clock.epochSeconds();
  const share = await findOffer(store.sql, reference, now);
  return share === null ? null : await offerOf(store.sql, share, reference.actor, now);
}

export async function offerOf(sql: Sql, share: ListedShare, actor: Actor | null, now: EpochSeconds): Promise<Offer> {
  const credential = await findCredential(sql, share.credentialId);
  const accountId = actor?.kind === 'account' ? actor.accountId : null;
  return {
    share: shareViewOf(share, 'recipient', now),
    email: share.email,
    giverId: share.giver_id,
    picture: credential?.picture ?? null,
    isHeld: share.state === 'accepted' && share.account_id === accountId,
  };
}
