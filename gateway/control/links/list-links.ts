// The links that an actor may manage, a single link, and the members who came in by it. Reads only.
// For all other actors a link is not there, and neither are its members.

import type { Config } from '../../config/compiled/config.ts';
import { isId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { readDevicesOf } from '../../store/rows/devices.ts';
import { type LinkCursor, listLinks as readLinks } from '../../store/rows/links.ts';
import { type ListedMember, listMembers as readMembers } from '../../store/rows/members.ts';
import { collectionsOwnedBy } from '../access/collections.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { findManagedLink, managedCollections, readAuthority } from './authority.ts';
import { type LinkView, viewOf } from './link-view.ts';

/** Rows on a page of each list of this file. */
export const maxPerPage = 100;

interface LinkPage {
  readonly links: readonly LinkView[];
  /** Where the next page begins; null when this page is the last. */
  readonly next: string | null;
}

/** A device of a member, as its user named it. */
interface MemberDevice {
  readonly name: string;
  readonly lastSeenAt: EpochSeconds;
}

export interface MemberView extends ListedMember {
  /** The account's devices that are not ended, the last used first; at most ten. Empty once the member's access is over. */
  readonly devices: readonly MemberDevice[];
}

interface MemberPage {
  readonly kind: 'listed';
  readonly link: LinkView;
  readonly members: readonly MemberView[];
  readonly next: string | null;
}

interface LinkListing {
  /** Lists only the links of this collection. */
  readonly collection?: string;
  /** Only live ones, or only those that ended. Default: both. */
  readonly show?: 'live' | 'ended';
  /** Part of a label, of a path, or of a member's address. Default: all. */
  readonly search?: string;
  /** Only links that the account made, or that are of a collection it owns; for administrators, who may see every link. */
  readonly onlyOwn?: true;
  /** `next` of the page before. */
  readonly after?: string;
  /** 1 to `maxPerPage`. */
  readonly limit?: number;
}

/** Links, newest first. An account that owns nothing gets an empty page. @throws StoreAway */
export async function listLinks(context: ControlContext, actor: Actor, listing: LinkListing): Promise<LinkPage> {
  const { sql } = context.store;
  const [config, now] = [context.config(), context.clock.epochSeconds()];
  const managed = managedCollections(config, await readAuthority(sql, actor, now));
  const asked = listing.collection;
  const isAllowed = asked === undefined || managed === null || managed.includes(asked);
  const collections = !isAllowed ? [] : asked === undefined ? managed : [asked];
  const limit = pageSize(listing.limit);
  const search = listing.search?.trim() ?? '';
  const of = listing.onlyOwn === true && actor.kind === 'account' ? ownOf(config, actor) : undefined;
  const rows = await readLinks(sql, collections, readCursor(listing.after), limit + 1, {
    ...(listing.show === undefined ? {} : { show: listing.show }),
    ...(search === '' ? {} : { search }),
    ...(of === undefined ? {} : { of }),
    now,
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    links: page.map((row) => viewOf(config, row, now)),
    next: rows.length > limit && last !== undefined ? writeCursor(last.created_at, last.id) : null,
  };
}

/** @throws StoreAway */
export async function readLink(context: ControlContext, actor: Actor, linkId: string): Promise<LinkView | null> {
  const [config, now] = [context.config(), context.clock.epochSeconds()];
  const link = await findManagedLink(context.store.sql, config, actor, linkId, now);
  return link === null ? null : viewOf(config, link, now);
}

/** Members in the order in which they came in. @throws StoreAway */
export async function listMembers(
  context: ControlContext,
  actor: Actor,
  linkId: string,
  listing: Pick<LinkListing, 'after' | 'limit'>,
): Promise<MemberPage | { readonly kind: 'not-found' }> {
  const { sql } = context.store;
  const link = await readLink(context, actor, linkId);
  if (link === null) return { kind: 'not-found' };
  const limit = pageSize(listing.limit);
  const cursor = readCursor(listing.after);
  const after = cursor === null ? null : { claimedAt: cursor.createdAt, id: cursor.id };
  const rows = await readMembers(sql, linkId, after, limit + 1);
  const page = rows.slice(0, limit);
  // The owner does not see what members do after their access was taken back.
  const isLinkLive = link.state !== 'revoked' && link.state !== 'access-over';
  const present = isLinkLive ? page.filter(({ revokedAt }) => revokedAt === null) : [];
  const devices = await readDevicesOf(
    sql,
    present.map(({ accountId }) => accountId),
  );
  const last = page.at(-1);
  return {
    kind: 'listed',
    link,
    members: page.map((row) => ({ ...row, devices: devices.get(row.accountId) ?? [] })),
    next: rows.length > limit && last !== undefined ? writeCursor(last.claimedAt, last.id) : null,
  };
}

function ownOf(config: Config, { accountId, email }: Extract<Actor, { kind: 'account' }>) {
  return { ownerId: accountId, collections: collectionsOwnedBy(config, email).map(({ name }) => name) };
}

function pageSize(limit: number | undefined): number {
  return Math.min(Math.max(limit ?? maxPerPage, 1), maxPerPage);
}

/** `<seconds>.<id>`: a place in the list, not a secret; an invented place shows nothing that a page does not show. */
function writeCursor(at: EpochSeconds, id: string): string {
  return `${at}.${id}`;
}

function readCursor(text: string | undefined): LinkCursor | null {
  const match = /^(\d{1,12})\.([\w-]{25})$/.exec(text ?? '');
  const [, at, id] = match ?? [];
  if (at === undefined || id === undefined || !(isId('link', id) || isId('member', id))) return null;
  return { createdAt: Number(at), id };
}
