// The messages of givers: the one that offers a key, queued in the unit that makes the share or sends the message again, and the one that says
// that it is over. They name key, credential and giver, and never the giver's own words; those stand on the page that the offer leads to.

import type { Unit } from '../../store/port/store.ts';
import { readMailAddress } from '../../store/rows/accounts.ts';
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

/** Tells the account that held a share that it is over. An account that is not active gets no mail. */
export async function mailEnd(unit: Unit, context: ControlContext, share: ListedShare): Promise<void> {
  const to = await readMailAddress(unit.sql, share.account_id);
  if (to === null) return;
  await queueMail(unit, context, {
    kind: 'key-share-ended',
    to,
    accountId: share.account_id,
    values: {
      path: `${context.config().reservedPrefix}keys`,
      ...keyOf(share),
      ...{ other: giverNameOf(context, share), reader: 'holder', reason: 'revoked', at: unit.now },
    },
  });
}

/** What messages call the giver of a share; the installation, where that account is gone. */
function giverNameOf({ config }: Pick<ControlContext, 'config'>, share: ListedShare): string {
  return share.giverName || share.giverEmail || (config().portal?.name ?? 'latchkey');
}

/** A share's key as messages name it. */
export function keyOf(share: ListedShare) {
  return { key: share.keyName, credential: { name: share.credentialName, issuer: share.credentialIssuer } };
}
