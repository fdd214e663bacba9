// Ends the access that one account has by a link. The row stays, marked as ended, so the same link never lets that account in again.
// Only owners of the collection and administrators may do this; for others there is no such member.

import { appendAudit } from '../../store/rows/audit.ts';
import { findMemberById, markMemberRevoked } from '../../store/rows/members.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { findManagedLink } from './authority.ts';
import { tellOfEnd } from './link-mails.ts';
import type { LinkRevoked } from './revoke-link.ts';

/** @throws StoreAway  nothing may be called revoked */
export async function revokeMember(
  context: ControlContext,
  actor: Actor,
  memberId: string,
  requestId: string | null,
): Promise<LinkRevoked> {
  const config = context.config();
  const written = await context.write(async (unit): Promise<LinkRevoked> => {
    const member = await findMemberById(unit.sql, memberId);
    const link = await findManagedLink(unit.sql, config, actor, member?.link_id ?? '', unit.now);
    if (member === null || link === null) return { kind: 'not-found' };
    if (!(await markMemberRevoked(unit.sql, member.id, actorName(actor), unit.now)))
      return { kind: 'revoked', wasLive: false };
    // No separate change is needed to end remembered answers: the answers that edges remember about the account name the member as well.
    await unit.append({ kind: 'revoke', node: member.id });
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'member.revoked',
      subject: member.id,
      details: { link: link.id, account: member.account_id },
      requestId,
    });
    if (link.notify_members === 1) await tellOfEnd(context, unit, link, [member]);
    return { kind: 'revoked', wasLive: true };
  });
  return written.value;
}
