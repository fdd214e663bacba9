// Memberships as the account that was bound sees them: what links opened to it, live or ended, with the names of whoever owns the links.

import { type RawBuilder, sql as raw } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';

/** How a membership ended, where it did, and what its account may know of its link. */
export interface EndedMembership {
  readonly label: string;
  readonly ownerId: string;
  /** Name or address; null for an owner without an account. */
  readonly ownerName: string | null;
  /** When the member itself was removed, and by which actor. */
  readonly revokedAt: EpochSeconds | null;
  readonly revokedBy: string | null;
  /** When the link ended, and by which actor. */
  readonly linkRevokedAt: EpochSeconds | null;
  readonly linkRevokedBy: string | null;
  readonly accessUntilAt: EpochSeconds | null;
}

/** A row of the list. */
interface ListedMembership extends EndedMembership {
  readonly id: string;
  readonly collection: string;
  readonly host: string;
  readonly path: string;
  readonly claimedAt: EpochSeconds;
}

interface MembershipPage {
  readonly show: 'live' | 'ended';
  /** Part of a label, of a path, or of the owner's name; null for all. */
  readonly search: string | null;
  /** The last one of the page before. */
  readonly before: { readonly createdAt: EpochSeconds; readonly id: string } | null;
  readonly limit: number;
  readonly now: EpochSeconds;
}

/** Ended memberships that are looked at for one place. */
const maxRowsLookedAt = 16;

/** The memberships of an account, newest first. */
export async function listMemberships(sql: Sql, accountId: string, page: MembershipPage): Promise<ListedMembership[]> {
  const { search, before, now } = page;
  const pattern = likePattern(search ?? '');
  const rows = await memberships(sql, accountId)
    .where(page.show === 'live' ? isLive(now) : raw<boolean>`not (${isLive(now)})`)
    .$if(search !== null, (query) =>
      query.where(
        raw<boolean>`(lower(links.label) like lower(${pattern}) escape '\\' or lower(members.path) like lower(${pattern}) escape '\\'
          or lower(accounts.display_name) like lower(${pattern}) escape '\\')`,
      ),
    )
    .$if(before !== null, (query) =>
      query.where(raw<boolean>`(members.claimed_at, members.id) < (${before?.createdAt}, ${before?.id})`),
    )
    .orderBy('members.claimed_at', 'desc')
    .orderBy('members.id', 'desc')
    .limit(page.limit)
    .execute();
  return rows.map(named);
}

/** Memberships of an account that covered a place and give nothing any more, the newest first; at most 16. */
export async function findEndedMemberships(
  sql: Sql,
  place: {
    readonly accountId: string;
    readonly host: string;
    readonly scopes: readonly string[];
    readonly collections: readonly string[];
    readonly now: EpochSeconds;
  },
): Promise<EndedMembership[]> {
  const { accountId, host, scopes, collections, now } = place;
  if (scopes.length === 0 || collections.length === 0) return [];
  const rows = await memberships(sql, accountId)
    .where('members.host', '=', host)
    .where('members.path', 'in', [...scopes])
    .where('members.collection', 'in', [...collections])
    .where(raw<boolean>`not (${isLive(now)})`)
    .orderBy('members.claimed_at', 'desc')
    .limit(maxRowsLookedAt)
    .execute();
  return rows.map(named);
}

/** A pattern of `like … escape '\'` for a text that is meant literally. */
export function likePattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

function isLive(now: EpochSeconds): RawBuilder<boolean> {
  return raw<boolean>`members.revoked_at is null and links.revoked_at is null
    and (links.access_until_at is null or links.access_until_at > ${now})`;
}

function memberships(sql: Sql, accountId: string) {
  return sql
    .selectFrom('members')
    .innerJoin('links', 'links.id', 'members.link_id')
    .leftJoin('accounts', 'accounts.id', 'links.owner_id')
    .select([
      'members.id as id',
      'links.label as label',
      'links.owner_id as ownerId',
      'members.collection as collection',
      'members.host as host',
      'members.path as path',
      'members.claimed_at as claimedAt',
      'members.revoked_at as revokedAt',
      'members.revoked_by as revokedBy',
      'links.revoked_at as linkRevokedAt',
      'links.revoked_by as linkRevokedBy',
      'links.access_until_at as accessUntilAt',
      'accounts.display_name as displayName',
      'accounts.email as email',
      'accounts.state as ownerState',
    ])
    .where('members.account_id', '=', accountId);
}

function named<
  T extends { readonly displayName: string | null; readonly email: string | null; readonly ownerState: string | null },
>({ displayName, email, ownerState, ...row }: T) {
  return { ...row, ownerName: ownerState === 'deleted' ? null : displayName || email };
}
