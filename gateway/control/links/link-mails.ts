// The mails of links, queued in the unit that causes them: "somebody came in", "you can open this now", "your access has ended".
// Only for links whose owner asked for it. No mail holds a token.

import type { Unit } from '../../store/port/store.ts';
import { readMailAddress, readPersonName } from '../../store/rows/accounts.ts';
import type { LinkRow } from '../../store/rows/links.ts';
import type { MemberRow } from '../../store/rows/members.ts';
import type { LiveAccount } from '../access/live-account.ts';
import type { ControlContext } from '../context/control-context.ts';
import { queueMail } from '../notify/queue-mail.ts';

/** At most this many members are told when a link ends: a unit stays small, however many members a link has. */
export const maxMembersTold = 200;

/** Tells the owner who came in, and tells the member where to come back to. */
export async function tellOfClaim(
  context: ControlContext,
  unit: Unit,
  link: LinkRow,
  account: LiveAccount,
  ownerName: string | null,
): Promise<void> {
  const { reservedPrefix, portal } = context.config();
  await queueMail(unit, context, {
    kind: 'member-joined',
    accountId: account.id,
    to: account.email,
    values: { path: `${reservedPrefix}links`, label: link.label, owner: ownerName ?? portal?.name ?? 'The owner' },
  });
  const owner = await readMailAddress(unit.sql, link.owner_id);
  if (owner === null) return;
  await queueMail(unit, context, {
    kind: 'link-claimed',
    accountId: link.owner_id,
    to: owner,
    values: {
      path: `${reservedPrefix}links/${link.id}`,
      label: link.label,
      member: account.displayName || account.email,
      device: null,
      at: unit.now,
    },
  });
}

/** Tells members that their access by a link has ended. */
export async function tellOfEnd(
  context: ControlContext,
  unit: Unit,
  link: LinkRow,
  members: readonly MemberRow[],
): Promise<void> {
  const ownerName = (await readPersonName(unit.sql, link.owner_id)) ?? context.config().portal?.name ?? 'The owner';
  for (const member of members.slice(0, maxMembersTold)) {
    const address = await readMailAddress(unit.sql, member.account_id);
    if (address === null) continue;
    await queueMail(unit, context, {
      kind: 'member-revoked',
      accountId: member.account_id,
      to: address,
      values: { label: link.label, owner: ownerName },
    });
  }
}
