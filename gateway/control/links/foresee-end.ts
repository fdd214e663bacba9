// What ending a link, or all links of a collection, would take from how many people: for the question that is asked before. Reads only.
// For an actor who may not manage the link there is no such link.

import { readPersonName } from '../../store/rows/accounts.ts';
import { countLiveLinks } from '../../store/rows/links.ts';
import { countLiveMembers, findMemberById } from '../../store/rows/members.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { findManagedLink, mayManage, readAuthority } from './authority.ts';
import { type LinkView, viewOf } from './link-view.ts';

type NotFound = { readonly kind: 'not-found' };

/** @throws StoreAway */
export async function foreseeLinkEnd(
  context: ControlContext,
  actor: Actor,
  linkId: string,
): Promise<{ readonly kind: 'link'; readonly link: LinkView; readonly people: number } | NotFound> {
  const [{ sql }, config, now] = [context.store, context.config(), context.clock.epochSeconds()];
  const link = await findManagedLink(sql, config, actor, linkId, now);
  if (link === null) return { kind: 'not-found' };
  return { kind: 'link', link: viewOf(config, link, now), people: await countLiveMembers(sql, { linkId }, now) };
}

/** @returns `name` is the member's name or address; null once the account was deleted. @throws StoreAway */
export async function foreseeMemberEnd(
  context: ControlContext,
  actor: Actor,
  memberId: string,
): Promise<
  { readonly kind: 'member'; readonly link: LinkView; readonly name: string | null; readonly isIn: boolean } | NotFound
> {
  const [{ sql }, config, now] = [context.store, context.config(), context.clock.epochSeconds()];
  const member = await findMemberById(sql, memberId);
  const link = await findManagedLink(sql, config, actor, member?.link_id ?? '', now);
  if (member === null || link === null) return { kind: 'not-found' };
  const isIn = member.revoked_at === null && link.revoked_at === null;
  const name = await readPersonName(sql, member.account_id);
  return { kind: 'member', link: viewOf(config, link, now), name, isIn };
}

/** @throws StoreAway */
export async function foreseeCollectionEnd(
  context: ControlContext,
  actor: Actor,
  collection: string,
): Promise<{ readonly kind: 'collection'; readonly links: number; readonly people: number } | NotFound> {
  const [{ sql }, now] = [context.store, context.clock.epochSeconds()];
  const authority = await readAuthority(sql, actor, now);
  if (!mayManage(context.config(), authority, collection)) return { kind: 'not-found' };
  const [links, people] = [await countLiveLinks(sql, collection), await countLiveMembers(sql, { collection }, now)];
  return { kind: 'collection', links, people };
}
