// How far a key may be given on by somebody who holds it.

import type { Config } from '../../config/compiled/config.ts';
import { maxReshareDepth } from '../../core/model/share.ts';
import type { HeldKey } from '../../store/sharing/share-chains.ts';

/** How many shares may hang below a new one that its holder gives, one under the other. Negative: the holder may not give the key. */
export function depthBelow(
  { shareId, depth, reshareDepth, usesAllowed }: Pick<HeldKey, 'shareId' | 'depth' | 'reshareDepth' | 'usesAllowed'>,
  { sharing }: Pick<Config, 'sharing'>,
): number {
  const most = Math.min(sharing.reshareDepth, maxReshareDepth);
  if (shareId === null) return most;
  if (usesAllowed !== null) return -1;
  return Math.min(reshareDepth - 1, most - (depth + 1));
}
