// Ends what hangs on an account, as part of a unit: its sessions, when old sessions must not go on (new password, new address, disabling,
// deletion); and when the account is deleted, what it had handed out and been given: its links with the members of those links, and its own
// places on access lists. Each link is a node of its own, since others hang on it.

import { collectionSubject } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import { markAccountLinksRevoked } from '../../store/rows/links.ts';
import { markAccountMembersRevoked } from '../../store/rows/members.ts';
import { endCodes } from '../../store/rows/one-time-codes.ts';
import { markAccountSessionsEnded } from '../../store/rows/sessions.ts';

/**
 * Signs an account out everywhere: one small write however many tokens are out, since each of them hangs on the account's node.
 *
 * @returns how many sessions there were
 */
export async function endAccountSessions(unit: Unit, accountId: string): Promise<number> {
  await unit.append({ kind: 'revoke', node: accountId });
  // Hand-overs under way would make tokens after this; codes mailed earlier would open again what was just closed.
  await endCodes(unit, accountId);
  return await markAccountSessionsEnded(unit.sql, accountId, unit.now);
}

/** Ends the links and memberships of an account that is deleted. @param by  the actor's text, as rows keep it. @returns how many there were, for the audit list */
export async function endBelongings(
  unit: Unit,
  accountId: string,
  by: string,
): Promise<{ readonly links_revoked: number; readonly members_revoked: number }> {
  const { links, linkKeyIds } = await markAccountLinksRevoked(unit.sql, accountId, by, unit.now);
  const members = await markAccountMembersRevoked(unit.sql, accountId, by, unit.now);
  for (const node of [...links.map(({ id }) => id), ...linkKeyIds]) await unit.append({ kind: 'revoke', node });
  for (const collection of new Set(links.map((link) => link.collection)))
    await unit.append({ kind: 'touch', node: collectionSubject(collection) });
  // The account's own memberships need no revocation of their own: every pass from a membership hangs on the account, which is revoked in this unit.
  return { links_revoked: links.length, members_revoked: members };
}
