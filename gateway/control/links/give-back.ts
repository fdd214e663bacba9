// Gives back what was ended by mistake: a link, the access of one member, or all links that ended together with their collection. Only
// within ten minutes, and only by somebody who may end it as well. Members who were removed one by one stay out when their link is given back.
// Tokens made before the end stay refused, because their place of the log is older than the revocation; a member's next request gets a new
// pass, whose place is later (gateway/RULES.md "One graph of revocation"). The `touch` makes edges forget the answers that were no.

import { collectionSubject } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Unit } from '../../store/port/store.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import {
  countLiftable,
  type GiveBackWindow,
  liftCollection,
  liftLink,
  liftMember,
} from '../../store/rows/given-back.ts';
import { findLink } from '../../store/rows/links.ts';
import { findMemberById } from '../../store/rows/members.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { findManagedLink, mayManage, readAuthority } from './authority.ts';
import { type LinkView, viewOf } from './link-view.ts';

/** How long after an end it can be given back. */
export const giveBackSeconds = 600;

/** How far the clock of another node, which ended something, may be ahead of this node's. */
const clockToleranceSeconds = 60;

/**
 * `not-ended`   it is live, so there is nothing to give back
 * `too-late`    it ended more than ten minutes ago
 * `link-ended`  the member's link has ended; the link has to be given back first
 * `gone`        the account was deleted, or a restored backup ended it
 */
export type GiveBackProblem = 'not-ended' | 'too-late' | 'link-ended' | 'gone';

type Refused = { readonly kind: 'refused'; readonly problem: GiveBackProblem };
type NotFound = { readonly kind: 'not-found' };

/** Whether something that ended at `revokedAt` can still be given back. */
export function canGiveBack(revokedAt: EpochSeconds | null, now: EpochSeconds): boolean {
  const { from, to } = windowAt(now);
  return revokedAt !== null && revokedAt >= from && revokedAt <= to;
}

/** @throws StoreAway */
export async function giveBackLink(
  context: ControlContext,
  actor: Actor,
  linkId: string,
  requestId: string | null,
): Promise<{ readonly kind: 'given-back'; readonly link: LinkView } | Refused | NotFound> {
  const config = context.config();
  const written = await context.write(async (unit) => {
    const link = await findManagedLink(unit.sql, config, actor, linkId, unit.now);
    if (link === null) return { kind: 'not-found' } as const;
    if (!(await liftLink(unit.sql, link, windowAt(unit.now)))) return refusal(link.revoked_at, unit.now);
    await unit.append({ kind: 'touch', node: link.id });
    await unit.append({ kind: 'touch', node: collectionSubject(link.collection) });
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'link.given-back',
      subject: link.id,
      details: { collection: link.collection, access_key: link.access_key_id, claims_used: link.claims_used },
      requestId,
    });
    const now = await findLink(unit.sql, link.id);
    return { kind: 'given-back', link: viewOf(config, now ?? link, unit.now) } as const;
  });
  return written.value;
}

/** @throws StoreAway */
export async function giveBackMember(
  context: ControlContext,
  actor: Actor,
  memberId: string,
  requestId: string | null,
): Promise<{ readonly kind: 'given-back' } | Refused | NotFound> {
  const config = context.config();
  const written = await context.write(async (unit) => {
    const member = await findMemberById(unit.sql, memberId);
    const link = await findManagedLink(unit.sql, config, actor, member?.link_id ?? '', unit.now);
    if (member === null || link === null) return { kind: 'not-found' } as const;
    if (!(await liftMember(unit.sql, member.id, windowAt(unit.now)))) {
      const isLinkOver = link.revoked_at !== null && member.revoked_at !== null;
      return isLinkOver ? ({ kind: 'refused', problem: 'link-ended' } as const) : refusal(member.revoked_at, unit.now);
    }
    await unit.append({ kind: 'touch', node: member.account_id });
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'member.given-back',
      subject: member.id,
      details: { link: link.id, account: member.account_id },
      requestId,
    });
    return { kind: 'given-back' } as const;
  });
  return written.value;
}

/** Gives back the links that `revokeAllLinks` ended; links of the collection that ended one by one stay ended. @throws StoreAway */
export async function giveBackAllLinks(
  context: ControlContext,
  actor: Actor,
  collection: string,
  requestId: string | null,
): Promise<{ readonly kind: 'given-back'; readonly links: number } | NotFound> {
  const config = context.config();
  const written = await context.write(async (unit) => {
    const authority = await readAuthority(unit.sql, actor, unit.now);
    if (!mayManage(config, authority, collection)) return { kind: 'not-found' } as const;
    const links = await liftCollection(unit.sql, collection, windowAt(unit.now));
    if (links.length > 0) await noteCollection(unit, actor, collection, links.length, requestId);
    return { kind: 'given-back', links: links.length } as const;
  });
  return written.value;
}

/** Which of these collections ended as a whole so short ago that their links can be given back, and how many links that is. @throws StoreAway */
export async function listRecentEnds(
  context: Pick<ControlContext, 'store' | 'clock'>,
  collections: readonly string[],
): ReturnType<typeof countLiftable> {
  return await countLiftable(context.store.sql, collections, windowAt(context.clock.epochSeconds()));
}

async function noteCollection(
  unit: Unit,
  actor: Actor,
  collection: string,
  links: number,
  requestId: string | null,
): Promise<void> {
  await unit.append({ kind: 'touch', node: collectionSubject(collection) });
  await appendAudit(unit, {
    actor: actorName(actor),
    action: 'member.all-given-back',
    subject: collectionSubject(collection),
    details: { links },
    requestId,
  });
}

function windowAt(now: EpochSeconds): GiveBackWindow {
  return { from: now - giveBackSeconds, to: now + clockToleranceSeconds };
}

/** Why the statement's condition did not hold, from the row that was read in the same unit. */
function refusal(revokedAt: EpochSeconds | null, now: EpochSeconds): Refused {
  if (revokedAt === null) return { kind: 'refused', problem: 'not-ended' };
  return { kind: 'refused', problem: canGiveBack(revokedAt, now) ? 'gone' : 'too-late' };
}
