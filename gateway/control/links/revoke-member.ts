// Ends what one account has by a link. The row stays, marked: so the same link never lets that account in again.
// Only owners of the collection and administrators; for others there is no such member.

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
    if (!(await markMemberRevoked(unit.sql, member.id, unit.now))) return { kind: 'revoked', wasLive: false };
    // A revocation is a touch as well: what edges remember of the account names the member among its subjects.
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
