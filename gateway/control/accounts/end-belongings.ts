// Ends what an account that goes away had handed out and been given: its links with everybody who came in by them, and its own
// places on access lists. Part of the unit that deletes it. Each link is a node of its own, since others hang on it.

import { collectionSubject } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import { markAccountLinksRevoked } from '../../store/rows/links.ts';
import { markAccountMembersRevoked } from '../../store/rows/members.ts';

/** @param by  who does it, as the rows keep it. @returns how many there were, for the audit list */
export async function endBelongings(
  unit: Unit,
  accountId: string,
  by: string,
): Promise<{ readonly links_revoked: number; readonly members_revoked: number }> {
  const { links, linkKeyIds } = await markAccountLinksRevoked(unit.sql, accountId, by, unit.now);
  const members = await markAccountMembersRevoked(unit.sql, accountId, unit.now);
  for (const node of [...links.map(({ id }) => id), ...linkKeyIds]) await unit.append({ kind: 'revoke', node });
  for (const collection of new Set(links.map((link) => link.collection)))
    await unit.append({ kind: 'touch', node: collectionSubject(collection) });
  // Its own places need no node each: every pass that came of one hangs on the account, which is revoked in this unit.
  return { links_revoked: links.length, members_revoked: members };
}
