// Rows of the access list: which account was bound through which link, and which of these rows give access now.
// A row is written once for a link and an account, and only after `spendClaim` (claims.ts). A row is never deleted, so that an
// account that was removed cannot come in by the same link again.

import type { Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import { fixedStatement, type Places } from '../port/fixed-statement.ts';
import type { Sql, Unit } from '../port/store.ts';
import type { MembersTable } from '../port/tables.ts';

export type MemberRow = Selectable<MembersTable>;

/** A live row with the limits of its link. */
interface LiveMembership {
  readonly memberId: string;
  readonly linkId: string;
  readonly linkKeyId: string;
  readonly collection: string;
  readonly path: string;
  /** JSON list, or null. */
  readonly methods: string | null;
  readonly accessUntilAt: EpochSeconds | null;
}

/** A row as the owner of the link sees it. */
export interface ListedMember {
  readonly id: string;
  readonly accountId: string;
  /** null once the account was deleted. */
  readonly email: string | null;
  readonly displayName: string;
  readonly claimedAt: EpochSeconds;
  readonly lastSeenAt: EpochSeconds | null;
  readonly revokedAt: EpochSeconds | null;
  /** Name of the device that claimed, as its user calls it; null once the device was forgotten. */
  readonly claimedOn: string | null;
}

/** Most rows read for one question. One live row is enough; several come from links of nested folders. */
const maxRowsLookedAt = 16;

export async function insertMember(sql: Sql, member: MemberRow): Promise<void> {
  await insertRow(sql, member);
}

const insertRow = fixedStatement((sql, at: Places<MemberRow>) =>
  sql.insertInto('members').values({
    id: at.value('id'),
    link_id: at.value('link_id'),
    access_key_id: at.value('access_key_id'),
    account_id: at.value('account_id'),
    collection: at.value('collection'),
    host: at.value('host'),
    path: at.value('path'),
    device_id: at.value('device_id'),
    claimed_at: at.value('claimed_at'),
    last_seen_at: at.value('last_seen_at'),
    revoked_at: at.value('revoked_at'),
    revoked_by: at.value('revoked_by'),
  }),
);

export async function findMember(sql: Sql, linkId: string, accountId: string): Promise<MemberRow | null> {
  return (await findRow(sql, { linkId, accountId })).rows[0] ?? null;
}

const findRow = fixedStatement((sql, at: Places<{ readonly linkId: string; readonly accountId: string }>) =>
  sql
    .selectFrom('members')
    .selectAll()
    .where('link_id', '=', at.value('linkId'))
    .where('account_id', '=', at.value('accountId')),
);

export async function findMemberById(sql: Sql, id: string): Promise<MemberRow | null> {
  return (await sql.selectFrom('members').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

/**
 * Rows that give an account access to a place: live rows of live links. Rows without limits come first, then rows that last
 * longest, then the most specific rows.
 *
 * @param scopes       every scope that covers the place, see `scopesCovering`
 * @param collections  names of the collections that cover the place in the present configuration
 */
export async function findLiveMemberships(
  sql: Sql,
  accountId: string,
  host: string,
  scopes: readonly string[],
  collections: readonly string[],
  now: EpochSeconds,
): Promise<LiveMembership[]> {
  if (scopes.length === 0 || collections.length === 0) return [];
  const { rows } = await findLiveRows(sql, { accountId, host, scopes, collections, now });
  return rows.sort(byWorth);
}

interface LiveQuestion {
  readonly accountId: string;
  readonly host: string;
  readonly scopes: readonly string[];
  readonly collections: readonly string[];
  readonly now: EpochSeconds;
}

const findLiveRows = fixedStatement((sql, at: Places<LiveQuestion>) =>
  sql
    .selectFrom('members')
    .innerJoin('links', 'links.id', 'members.link_id')
    .select([
      'members.id as memberId',
      'members.link_id as linkId',
      'members.access_key_id as linkKeyId',
      'members.collection as collection',
      'members.path as path',
      'links.methods as methods',
      'links.access_until_at as accessUntilAt',
    ])
    .where('members.account_id', '=', at.value('accountId'))
    .where('members.host', '=', at.value('host'))
    .where('members.path', 'in', at.list('scopes'))
    .where('members.collection', 'in', at.list('collections'))
    .where('members.revoked_at', 'is', null)
    .where('links.revoked_at', 'is', null)
    .where((is) => is.or([is('links.access_until_at', 'is', null), is('links.access_until_at', '>', at.value('now'))]))
    .limit(maxRowsLookedAt),
);

/** Members of a link, oldest first. @param after  the last member of the page before */
export async function listMembers(
  sql: Sql,
  linkId: string,
  after: { readonly claimedAt: EpochSeconds; readonly id: string } | null,
  limit: number,
): Promise<ListedMember[]> {
  const rows = await sql
    .selectFrom('members')
    .leftJoin('accounts', 'accounts.id', 'members.account_id')
    .leftJoin('devices', 'devices.id', 'members.device_id')
    .select([
      'members.id as id',
      'members.account_id as accountId',
      'accounts.email as email',
      'accounts.state as state',
      'accounts.display_name as displayName',
      'members.claimed_at as claimedAt',
      'members.last_seen_at as lastSeenAt',
      'members.revoked_at as revokedAt',
      'devices.name as claimedOn',
    ])
    .where('members.link_id', '=', linkId)
    .$if(after !== null, (query) =>
      query.where((is) =>
        is.or([
          is('members.claimed_at', '>', after?.claimedAt ?? 0),
          is.and([is('members.claimed_at', '=', after?.claimedAt ?? 0), is('members.id', '>', after?.id ?? '')]),
        ]),
      ),
    )
    .orderBy('members.claimed_at')
    .orderBy('members.id')
    .limit(limit)
    .execute();
  return rows.map(({ state, email, displayName, ...row }) => ({
    ...row,
    email: state === 'deleted' ? null : email,
    displayName: state === 'deleted' ? '' : (displayName ?? ''),
  }));
}

/** Members of a link that were not removed; for mails when the link itself ends. */
export async function findLiveMembersOf(sql: Sql, linkId: string, limit: number): Promise<MemberRow[]> {
  return await sql
    .selectFrom('members')
    .selectAll()
    .where('link_id', '=', linkId)
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** How many accounts have access by a link, or by any live link of a collection; each account counts once. */
export async function countLiveMembers(
  sql: Sql,
  of: { readonly linkId: string } | { readonly collection: string },
  now: EpochSeconds,
): Promise<number> {
  const { people } = await sql
    .selectFrom('members')
    .innerJoin('links', 'links.id', 'members.link_id')
    .select(({ fn }) => fn.count<number | string | bigint>('members.account_id').distinct().as('people'))
    .where('members.revoked_at', 'is', null)
    .where('links.revoked_at', 'is', null)
    .where((is) => is.or([is('links.access_until_at', 'is', null), is('links.access_until_at', '>', now)]))
    .$if('linkId' in of, (query) => query.where('members.link_id', '=', 'linkId' in of ? of.linkId : ''))
    .$if('collection' in of, (query) => query.where('members.collection', '=', 'collection' in of ? of.collection : ''))
    .executeTakeFirstOrThrow();
  return Number(people);
}

/** Marks a member as revoked. @returns whether it was live until now */
export async function markMemberRevoked(sql: Sql, id: string, by: string, now: EpochSeconds): Promise<boolean> {
  const result = await sql
    .updateTable('members')
    .set({ revoked_at: now, revoked_by: by })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Marks every live row of an account and forgets on which devices it claimed. @returns how many there were */
export async function markAccountMembersRevoked(
  sql: Sql,
  accountId: string,
  by: string,
  now: EpochSeconds,
): Promise<number> {
  const members = await sql
    .updateTable('members')
    .set({ revoked_at: now, revoked_by: by, device_id: null })
    .where('account_id', '=', accountId)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  return members.length;
}

/** Records the last use of members, never an earlier one. Ids that no member has are ignored. @param ids  at most 500 */
export async function recordMembersSeen(unit: Unit, ids: readonly string[], at: EpochSeconds): Promise<void> {
  await unit.sql
    .updateTable('members')
    .set({ last_seen_at: at })
    .where('id', 'in', [...ids])
    .where((is) => is.or([is('last_seen_at', 'is', null), is('last_seen_at', '<', at)]))
    .execute();
}

function byWorth(left: LiveMembership, right: LiveMembership): number {
  const limits = Number(left.methods !== null) - Number(right.methods !== null);
  if (limits !== 0) return limits;
  const leftEnd = left.accessUntilAt ?? Number.POSITIVE_INFINITY;
  const rightEnd = right.accessUntilAt ?? Number.POSITIVE_INFINITY;
  if (leftEnd !== rightEnd) return leftEnd < rightEnd ? 1 : -1;
  return right.path.length - left.path.length;
}
