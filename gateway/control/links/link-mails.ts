// The mails of links, queued in the unit that causes them: "this was shared with you", "somebody came in", "you can open this now",
// "your access has ended". Only where the owner asked for it. The first one holds the link's address, sealed until it is sent and wiped
// afterwards as all mails are; no other mail holds a token.

import type { Unit } from '../../store/port/store.ts';
import { readMailAddress, readPersonName } from '../../store/rows/accounts.ts';
import type { LinkRow } from '../../store/rows/links.ts';
import type { MemberRow } from '../../store/rows/members.ts';
import type { LiveAccount } from '../access/live-account.ts';
import type { ControlContext } from '../context/control-context.ts';
import { queueMail } from '../notify/queue-mail.ts';

/** At most this many members are told when a link ends: a unit stays small, however many members a link has. */
export const maxMembersTold = 200;

/** What became of the mail with a link's address: `left-out` when a ceiling of mails is reached, `off` where no mail can be sent. */
export type LinkMailed = 'queued' | 'left-out' | 'off';

/** Mails a link's address to the person that it is for. @param url  the tokenized URL, a secret */
export async function mailLink(
  context: ControlContext,
  unit: Unit,
  link: LinkRow,
  to: string,
  url: string,
): Promise<LinkMailed> {
  const { portal } = context.config();
  const owner = (await readPersonName(unit.sql, link.owner_id)) ?? portal?.name ?? 'The owner';
  const queued = await queueMail(unit, context, {
    kind: 'link-for-you',
    // The mail is counted, and ends, with the account that sends it: whether the address has an account makes no difference.
    accountId: link.owner_id,
    to,
    values: { url, label: link.label, owner, isBound: link.for_email !== null, untilAt: link.access_until_at },
  });
  return queued.kind === 'queued' || queued.kind === 'left-out' ? queued.kind : 'off';
}

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
