// Rows of links and of the link keys that their URLs name: inserted, found, listed, changed, revoked.
// Decides nothing; whether a claim may be spent is decided in claims.ts.

import { sql as raw, type Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import { fixedStatement, type Places } from '../port/fixed-statement.ts';
import type { Sql } from '../port/store.ts';
import type { LinkKeysTable, LinksTable } from '../port/tables.ts';
import { endOfPage, type WalkedPage, type WalkFrom } from '../port/walk.ts';
import { likePattern } from './memberships.ts';

export type LinkRow = Selectable<LinksTable>;
type LinkKeyRow = Selectable<LinkKeysTable>;

/** A place in the list of links, newest first. */
export interface LinkCursor {
  readonly createdAt: EpochSeconds;
  readonly id: string;
}

/** The columns of a link that may be changed after it was made. */
export type LinkChange = Partial<
  Pick<
    LinkRow,
    | 'claims_allowed'
    | 'claim_from_at'
    | 'claim_until_at'
    | 'access_until_at'
    | 'secret_digest'
    | 'secret_sealed'
    | 'label'
    | 'methods'
  >
>;

/**
 * Inserts a link and its link key, by one conditional statement for a link that names the form that made it.
 *
 * @returns false, and nothing was inserted, when a link of the same form and place is there already
 */
export async function insertLink(sql: Sql, key: LinkKeyRow, link: LinkRow): Promise<boolean> {
  const inserted = await sql
    .insertInto('links')
    .values(link)
    .onConflict((conflict) => conflict.columns(['creation_digest', 'creation_place']).doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) return false;
  await sql.insertInto('access_keys').values(key).execute();
  return true;
}

/** The links that one form made, in its order. */
export async function findLinksOfForm(sql: Sql, creationDigest: string): Promise<LinkRow[]> {
  return await sql
    .selectFrom('links')
    .selectAll()
    .where('creation_digest', '=', creationDigest)
    .orderBy('creation_place')
    .execute();
}

/** Wipes the sealed secrets of a page of links whose end lies before a moment: revoked, or with their access over. */
export async function wipeEndedSecrets(sql: Sql, before: EpochSeconds, from: WalkFrom): Promise<WalkedPage> {
  const page = await sql
    .selectFrom('links')
    .select(['id', 'secret_sealed', 'revoked_at', 'access_until_at'])
    .where('id', '>', from.after)
    .orderBy('id')
    .limit(from.rows)
    .execute();
  const ended = page.filter(
    (row) =>
      row.secret_sealed !== null &&
      ((row.revoked_at !== null && row.revoked_at < before) ||
        (row.access_until_at !== null && row.access_until_at < before)),
  );
  const ids = ended.map(({ id }) => id);
  if (ids.length > 0) await sql.updateTable('links').set({ secret_sealed: null }).where('id', 'in', ids).execute();
  return { removed: ids.length, last: endOfPage(page, from) };
}

export async function findLink(sql: Sql, id: string): Promise<LinkRow | null> {
  return (await findRow(sql, { id })).rows[0] ?? null;
}

const findRow = fixedStatement((sql, at: Places<{ readonly id: string }>) =>
  sql.selectFrom('links').selectAll().where('id', '=', at.value('id')),
);

/** Which links of a list are shown. An absent member leaves none out. */
interface LinkFilter {
  /** `ended`: revoked, or its access is over. */
  readonly show?: 'live' | 'ended';
  /** Part of a label, of a path, or of the address of a member; meant literally. `lower` folds only ASCII on SQLite. */
  readonly search?: string;
  /** Only links of this account, and those of these collections. */
  readonly of?: { readonly ownerId: string; readonly collections: readonly string[] };
  readonly now: EpochSeconds;
}

/**
 * Links of some collections, newest first.
 *
 * @param collections  null for all of them
 * @param before       the last link of the page before
 */
export async function listLinks(
  sql: Sql,
  collections: readonly string[] | null,
  before: LinkCursor | null,
  limit: number,
  filter: LinkFilter = { now: 0 },
): Promise<LinkRow[]> {
  if (collections?.length === 0) return [];
  const { show, search, of, now } = filter;
  const pattern = likePattern(search ?? '');
  const isLive = raw<boolean>`revoked_at is null and (access_until_at is null or access_until_at > ${now})`;
  return await sql
    .selectFrom('links')
    .selectAll()
    .$if(collections !== null, (query) => query.where('collection', 'in', collections ?? []))
    .$if(show === 'live', (query) => query.where(isLive))
    .$if(show === 'ended', (query) => query.where(raw<boolean>`not (${isLive})`))
    .$if(of !== undefined, (query) =>
      query.where((is) =>
        is.or([is('owner_id', '=', of?.ownerId ?? ''), is('collection', 'in', [...(of?.collections ?? []), ''])]),
      ),
    )
    .$if(search !== undefined, (query) =>
      query.where(
        raw<boolean>`(lower(label) like lower(${pattern}) escape '\\' or lower(path) like lower(${pattern}) escape '\\'
          or exists (select 1 from members inner join accounts on accounts.id = members.account_id
            where members.link_id = links.id and accounts.state <> 'deleted' and accounts.email like lower(${pattern}) escape '\\'))`,
      ),
    )
    .$if(before !== null, (query) =>
      // a comparison of tuples lets both engines start at the place in an index; two comparisons with OR would scan up to it
      query.where((is) => is(is.refTuple('created_at', 'id'), '<', is.tuple(before?.createdAt ?? 0, before?.id ?? ''))),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

/** Marks a link and its link key as revoked. @returns whether the link was live until now */
export async function markLinkRevoked(sql: Sql, link: LinkRow, by: string, now: EpochSeconds): Promise<boolean> {
  const result = await sql
    .updateTable('links')
    .set({ revoked_at: now, revoked_by: by })
    .where('id', '=', link.id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  await sql
    .updateTable('access_keys')
    .set({ revoked_at: now })
    .where('id', '=', link.access_key_id)
    .where('revoked_at', 'is', null)
    .execute();
  return result.numUpdatedRows === 1n;
}

/** Links of a collection that are not revoked, have been claimed, and tell their members by mail. */
export async function findTellingLinks(sql: Sql, collection: string, limit: number): Promise<LinkRow[]> {
  return await sql
    .selectFrom('links')
    .selectAll()
    .where('collection', '=', collection)
    .where('revoked_at', 'is', null)
    .where('notify_members', '=', 1)
    .where('claims_used', '>', 0)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** How many links of a collection are not revoked. */
export async function countLiveLinks(sql: Sql, collection: string): Promise<number> {
  const { links } = await sql
    .selectFrom('links')
    .select(({ fn }) => fn.countAll<number | string | bigint>().as('links'))
    .where('collection', '=', collection)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(links);
}

/** Marks every live link of a collection, and its link keys, as revoked. @returns how many links there were */
export async function markCollectionRevoked(
  sql: Sql,
  collection: string,
  by: string,
  now: EpochSeconds,
): Promise<number> {
  const result = await sql
    .updateTable('links')
    .set({ revoked_at: now, revoked_by: by, revoked_with: 'collection' })
    .where('collection', '=', collection)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  await sql
    .updateTable('access_keys')
    .set({ revoked_at: now })
    .where('collection', '=', collection)
    .where('revoked_at', 'is', null)
    .execute();
  return Number(result.numUpdatedRows);
}

/**
 * Marks every live link that an account made, and every live link key, as revoked.
 *
 * @returns the links with their collections, and ids of the keys
 */
export async function markAccountLinksRevoked(
  sql: Sql,
  ownerId: string,
  by: string,
  now: EpochSeconds,
): Promise<{
  readonly links: readonly Pick<LinkRow, 'id' | 'collection'>[];
  readonly linkKeyIds: readonly string[];
}> {
  const links = await sql
    .updateTable('links')
    .set({ revoked_at: now, revoked_by: by })
    .where('owner_id', '=', ownerId)
    .where('revoked_at', 'is', null)
    .returning(['id', 'collection'])
    .execute();
  const keys = await sql
    .updateTable('access_keys')
    .set({ revoked_at: now })
    .where('owner_id', '=', ownerId)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  return { links, linkKeyIds: keys.map(({ id }) => id) };
}

/** Changes a link that is not revoked. @returns whether there was one */
export async function changeLink(sql: Sql, id: string, change: LinkChange): Promise<boolean> {
  const result = await sql
    .updateTable('links')
    .set(change)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}
