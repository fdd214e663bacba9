// Ends one link, or all links of a collection, with the access of everybody who came in through them. An ended link stays ended.
// A revocation is one small write, however many members a link has: tokens name the link and its link key, or the collection, so one change of the log
// ends all tokens. When the call resolves, no edge of this node lets such a token pass. Only owners and administrators may revoke; for others
// the link is not there.

import { collectionSubject } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { findTellingLinks, type LinkRow, markCollectionRevoked, markLinkRevoked } from '../../store/rows/links.ts';
import { findLiveMembersOf } from '../../store/rows/members.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { findManagedLink, mayManage, readAuthority } from './authority.ts';
import { maxMembersTold, tellOfEnd } from './link-mails.ts';

export type LinkRevoked =
  /** `wasLive` false: the link had been ended before, and nothing was written. */
  { readonly kind: 'revoked'; readonly wasLive: boolean } | { readonly kind: 'not-found' };

/** @throws StoreAway  nothing may be called revoked */
export async function revokeLink(
  context: ControlContext,
  actor: Actor,
  linkId: string,
  requestId: string | null,
): Promise<LinkRevoked> {
  const config = context.config();
  const written = await context.write(async (unit): Promise<LinkRevoked> => {
    const link = await findManagedLink(unit.sql, config, actor, linkId, unit.now);
    if (link === null) return { kind: 'not-found' };
    if (!(await markLinkRevoked(unit.sql, link, actorName(actor), unit.now)))
      return { kind: 'revoked', wasLive: false };
    await unit.append({ kind: 'revoke', node: link.id });
    await unit.append({ kind: 'revoke', node: link.access_key_id });
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'link.revoked',
      subject: link.id,
      details: { collection: link.collection, access_key: link.access_key_id, claims_used: link.claims_used },
      requestId,
    });
    if (link.notify_members === 1) {
      await tellOfEnd(context, unit, link, await findLiveMembersOf(unit.sql, link.id, maxMembersTold));
    }
    return { kind: 'revoked', wasLive: true };
  });
  return written.value;
}

type CollectionRevoked = { readonly kind: 'revoked'; readonly links: number } | { readonly kind: 'not-found' };

/**
 * Ends every link of a collection, and tells at most 200 members of links whose owners asked for mails: this is the emergency brake,
 * and stays a small write.
 *
 * @throws StoreAway  nothing may be called revoked
 */
export async function revokeAllLinks(
  context: ControlContext,
  actor: Actor,
  collection: string,
  requestId: string | null,
): Promise<CollectionRevoked> {
  const config = context.config();
  const written = await context.write(async (unit): Promise<CollectionRevoked> => {
    const authority = await readAuthority(unit.sql, actor, unit.now);
    if (!mayManage(config, authority, collection)) return { kind: 'not-found' };
    const telling = await findTellingLinks(unit.sql, collection, maxMembersTold);
    const links = await markCollectionRevoked(unit.sql, collection, actorName(actor), unit.now);
    // The passes of the owners name the collection too, so they end as well; they are made anew with the next request.
    await unit.append({ kind: 'revoke', node: collectionSubject(collection) });
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'member.all-revoked',
      subject: collectionSubject(collection),
      details: { links },
      requestId,
    });
    await tellMembersOf(context, unit, telling);
    return { kind: 'revoked', links };
  });
  return written.value;
}

async function tellMembersOf(context: ControlContext, unit: Unit, links: readonly LinkRow[]): Promise<void> {
  let left = maxMembersTold;
  for (const link of links) {
    const members = await findLiveMembersOf(unit.sql, link.id, left);
    await tellOfEnd(context, unit, link, members);
    left -= members.length;
    if (left === 0) return;
  }
}
