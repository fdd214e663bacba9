// Reminds the holders of shares once before the end, a page of them at a time. Who holds nothing by the share any more is not reminded.

import type { Unit } from '../../store/port/store.ts';
import { readMailAddress } from '../../store/rows/accounts.ts';
import { findHeldShare } from '../../store/sharing/share-chains.ts';
import { readListedShare } from '../../store/sharing/share-lists.ts';
import { takeDueReminders } from '../../store/sharing/share-pruning.ts';
import type { ControlContext } from '../context/control-context.ts';
import { queueMail } from '../notify/queue-mail.ts';

/** Each takes a handful of statements. */
const remindersAtOnce = 20;

/** @returns how many shares were looked at, and whether there may be more */
export async function remindOfEnds(
  unit: Unit,
  context: ControlContext,
): Promise<{ readonly rows: number; readonly isPartial: boolean }> {
  const ids = await takeDueReminders(unit.sql, unit.now, remindersAtOnce);
  for (const id of ids) await remind(unit, context, id);
  return { rows: ids.length, isPartial: ids.length >= remindersAtOnce };
}

async function remind(unit: Unit, context: ControlContext, shareId: string): Promise<void> {
  const { reservedPrefix, portal } = context.config();
  const share = await readListedShare(unit.sql, shareId, unit.now);
  if (share === null || share.usable_until_at === null) return;
  if ((await findHeldShare(unit.sql, shareId, unit.now)) === null) return;
  const to = await readMailAddress(unit.sql, share.account_id);
  if (to === null) return;
  await queueMail(unit, context, {
    kind: 'key-share-ends-soon',
    to,
    accountId: share.account_id,
    values: {
      ...{ path: `${reservedPrefix}keys`, key: share.keyName, at: share.usable_until_at },
      credential: { name: share.credentialName, issuer: share.credentialIssuer },
      giver: share.giverName || share.giverEmail || (portal?.name ?? 'latchkey'),
    },
  });
}
