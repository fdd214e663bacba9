// What a browser's request for a share is at this moment: what the page where the recipient authenticates shows. Reads only.

import type { EpochSeconds } from '../../core/model/time.ts';
import { readListedShare } from '../../store/sharing/share-lists.ts';
import { findRequest } from '../../store/sharing/share-requests.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { parseSplitSecret } from '../proof/one-time-code.ts';
import { type Offer, offerOf } from './find-offer.ts';
import { findProof, type ShareProofKind } from './share-proof.ts';

export interface BrowserRequest {
  /** The secret of the browser, as `requestShare` gave it. */
  readonly request: string;
  readonly offer: Offer;
  /** `ask-again`: what was mailed for this request does not fit any more. */
  readonly needs: ShareProofKind | 'ask-again';
  readonly expiresAt: EpochSeconds;
  /** It accepted the share. */
  readonly isUsed: boolean;
}

/** The newest request of a browser for a share that is not over by time; null for none. @param held  as the browser sent them; four are looked at */
export async function readBrowserRequest(
  { store, clock }: Pick<ControlContext, 'store' | 'clock'>,
  held: readonly string[],
  shareId: string,
  actor: Actor | null,
): Promise<BrowserRequest | null> {
  const now = clock.epochSeconds();
  for (const request of held.slice(0, 4)) {
    const parsed = parseSplitSecret(request);
    const found = parsed === null ? null : await findRequest(store.sql, parsed, now);
    const share = found?.shareId === shareId ? await readListedShare(store.sql, shareId, now) : null;
    if (found === null || share === null) continue;
    const { needs } = await findProof(store.sql, share.email);
    const fits = needs === 'password' || (found.triesLeft ?? 0) > 0;
    return {
      ...{ request, expiresAt: found.expiresAt, isUsed: found.isUsed, needs: fits ? needs : 'ask-again' },
      offer: await offerOf(store.sql, share, actor, now),
    };
  }
  return null;
}
