// The secret of a share: what the address in its message holds beside the share's id. The store has its digest, and the sealed secret so that
// the message can be sent again. It opens the page that shows the key, and grants nothing.

import { Buffer } from 'node:buffer';
import { digestOf, sameDigest } from '../../core/model/digest.ts';
import type { ControlContext } from '../context/control-context.ts';

const secretBytes = 32;

/** A new secret, as text, as digest and sealed. */
interface ShareSecret {
  readonly text: string;
  readonly digest: string;
  readonly sealed: string;
}

export function makeShareSecret(
  { random, sealing }: Pick<ControlContext, 'random' | 'sealing'>,
  shareId: string,
): ShareSecret {
  const text = Buffer.from(random(secretBytes)).toString('base64url');
  return { text, digest: digestOf(text), sealed: sealing.seal(placeOf(shareId), text) };
}

/** @returns null where no secret is kept, or where its seal does not open to the secret of the digest */
export function openShareSecret(
  { sealing }: Pick<ControlContext, 'sealing'>,
  share: { readonly id: string; readonly secret_digest: string; readonly secret_sealed: string | null },
): string | null {
  if (share.secret_sealed === null) return null;
  try {
    const text = sealing.openText(placeOf(share.id), share.secret_sealed);
    return sameDigest(share.secret_digest, digestOf(text)) ? text : null;
  } catch {
    // sealed under a master key that is gone
    return null;
  }
}

/** Path of the page that a message leads to. The secret stands in the query, which no log holds. @param secret  as `makeShareSecret` gives it */
export function openSharePath({ config }: Pick<ControlContext, 'config'>, shareId: string, secret: string): string {
  return `${config().reservedPrefix}shares/open?code=${shareId}.${secret}`;
}

function placeOf(shareId: string) {
  return { table: 'shares', row: shareId, column: 'secret_sealed' } as const;
}
