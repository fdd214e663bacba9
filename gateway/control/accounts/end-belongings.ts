// Ends what an account that goes away had handed out and been given: its links with everybody who came in by them, and its own
// places on access lists. Part of the unit that deletes it. Each link is a node of its own, since others hang on it.

import { collectionSubject } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';

/** @param by  who does it, as the rows keep it. @returns how many there were, for the audit list */
export async function endBelongings(
  unit: Unit,
  accountId: string,
  by: string,
): Promise<{ readonly links_revoked: number; readonly members_revoked: number }> {
  const links = await unit.sql
    .updateTable('links')
    .set({ revoked_at: unit.now, revoked_by: by })
    .where('owner_id', '=', accountId)
    .where('revoked_at', 'is', null)
    .returning(['id', 'collection'])
    .execute();
  const keys = await unit.sql
    .updateTable('access_keys')
    .set({ revoked_at: unit.now })
    .where('owner_id', '=', accountId)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  const members = await unit.sql
    .updateTable('members')
    .set({ revoked_at: unit.now, device_id: null })
    .where('account_id', '=', accountId)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  for (const { id } of [...links, ...keys]) await unit.append({ kind: 'revoke', node: id });
  for (const collection of new Set(links.map((link) => link.collection)))
    await unit.append({ kind: 'touch', node: collectionSubject(collection) });
  // Its own places need no node each: every pass that came of one hangs on the account, which is revoked in this unit.
  return { links_revoked: links.length, members_revoked: members.length };
}
