// The message that offers a key: queued in the unit that makes the share, or sends the message again. It names key, credential and giver, and
// never the giver's own words; those stand on the page that it leads to.

import type { Unit } from '../../store/port/store.ts';
import type { ListedShare } from '../../store/sharing/share-lists.ts';
import type { ControlContext } from '../context/control-context.ts';
import { type QueuedMail, queueMail } from '../notify/queue-mail.ts';
import { openSharePath } from './share-secret.ts';

/** @param secret  the share's secret, which stands in the address of the page and nowhere else */
export async function mailOffer(
  unit: Unit,
  context: ControlContext,
  share: ListedShare,
  secret: string,
): Promise<QueuedMail> {
  return await queueMail(unit, context, {
    kind: 'key-shared',
    to: share.email,
    // The mail ends with the account that causes it: whether the address has an account makes no difference.
    accountId: share.giver_id,
    subject: share.id,
    values: {
      path: openSharePath(context, share.id, secret),
      ...keyOf(share),
      giver: share.giverName,
      giverAddress: share.giverEmail,
      expiresAt: share.expires_at,
    },
  });
}

/** A share's key as messages name it. */
export function keyOf(share: ListedShare) {
  return { key: share.keyName, credential: { name: share.credentialName, issuer: share.credentialIssuer } };
}
