// The sealed secret of a link: from it the tokenized URL is made again for the link's owner. No other use reads it; a visitor's secret is
// compared with the digest.

import type { Config } from '../../config/compiled/config.ts';
import { isLinkSecret } from '../../core/model/link.ts';
import type { LinkRow } from '../../store/rows/links.ts';
import { tokenizedUrl } from '../access/tokenized-url.ts';
import type { ControlContext } from '../context/control-context.ts';

/** @param secret  the second half of the link's token */
export function sealLinkSecret({ sealing }: Pick<ControlContext, 'sealing'>, linkId: string, secret: string): string {
  return sealing.seal(placeOf(linkId), secret);
}

/** The tokenized URL of a link; null where its secret is not kept, or its seal does not open to the secret of the link's digest. */
export function openLinkUrl(
  { sealing }: Pick<ControlContext, 'sealing'>,
  config: Config,
  link: LinkRow,
): string | null {
  if (link.secret_sealed === null) return null;
  let secret: string;
  try {
    secret = sealing.openText(placeOf(link.id), link.secret_sealed);
  } catch {
    // sealed under a master key that is gone; the owner makes a new address
    return null;
  }
  if (!isLinkSecret(link.secret_digest, secret)) return null;
  return tokenizedUrl(config, link.host, link.path, link.access_key_id, `${link.id}.${secret}`);
}

function placeOf(linkId: string) {
  return { table: 'links', row: linkId, column: 'secret_sealed' } as const;
}
