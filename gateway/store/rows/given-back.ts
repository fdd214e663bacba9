// Lifts revocations of links and members, each by one conditional statement whose row count is the verdict: only within the time that an
// end can be given back, and never for an account that was deleted. Who may give back is decided above.

import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import type { LinkRow } from './links.ts';

/** The moments at which an end has to lie so that it can be given back now; both included. */
export interface GiveBackWindow {
  readonly from: EpochSeconds;
  readonly to: EpochSeconds;
}

/** Lifts the revocation of a link and of its link key. @returns whether it was lifted */
export async function liftLink(sql: Sql, link: Pick<LinkRow, 'id' | 'access_key_id'>, window: GiveBackWindow) {
  const lifted = await liftLinks(sql, window).where('id', '=', link.id).returning('id').execute();
  await liftKeys(sql, lifted.length === 1 ? [link.access_key_id] : []);
  return lifted.length === 1;
}

/** Lifts the revocations of all links that ended together with their collection. @returns the links that live again */
export async function liftCollection(
  sql: Sql,
  collection: string,
  window: GiveBackWindow,
): Promise<readonly Pick<LinkRow, 'id' | 'access_key_id' | 'label'>[]> {
  const lifted = await liftLinks(sql, window)
    .where('collection', '=', collection)
    .where('revoked_with', '=', 'collection')
    .returning(['id', 'access_key_id', 'label'])
    .execute();
  await liftKeys(
    sql,
    lifted.map((link) => link.access_key_id),
  );
  return lifted;
}

/** Lifts the revocation of a member whose link lives. @returns whether it was lifted */
export async function liftMember(sql: Sql, memberId: string, window: GiveBackWindow): Promise<boolean> {
  const result = await sql
    .updateTable('members')
    .set({ revoked_at: null, revoked_by: null })
    .where('id', '=', memberId)
    .where('revoked_at', '>=', window.from)
    .where('revoked_at', '<=', window.to)
    .where((is) =>
      is.exists(
        is
          .selectFrom('accounts')
          .select('accounts.id')
          .whereRef('accounts.id', '=', 'members.account_id')
          .where('accounts.state', '!=', 'deleted'),
      ),
    )
    .where((is) =>
      is.exists(
        is
          .selectFrom('links')
          .select('links.id')
          .whereRef('links.id', '=', 'members.link_id')
          .where('links.revoked_at', 'is', null),
      ),
    )
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** How many links ended together with each of these collections and can be given back. Collections without any are left out. */
export async function countLiftable(
  sql: Sql,
  collections: readonly string[],
  window: GiveBackWindow,
): Promise<readonly { readonly collection: string; readonly links: number }[]> {
  if (collections.length === 0) return [];
  const rows = await sql
    .selectFrom('links')
    .select(['collection', ({ fn }) => fn.countAll<number | string | bigint>().as('links')])
    .where('collection', 'in', [...collections])
    .where('revoked_with', '=', 'collection')
    .where('revoked_at', '>=', window.from)
    .where('revoked_at', '<=', window.to)
    .groupBy('collection')
    .orderBy('collection')
    .execute();
  return rows.map(({ collection, links }) => ({ collection, links: Number(links) }));
}

function liftLinks(sql: Sql, window: GiveBackWindow) {
  return (
    sql
      .updateTable('links')
      .set({ revoked_at: null, revoked_by: null, revoked_with: null })
      .where('revoked_at', '>=', window.from)
      .where('revoked_at', '<=', window.to)
      // what a restore ended stays ended: nobody knows who had it meanwhile
      .where('revoked_by', '!=', 'system')
      .where((is) =>
        is.not(
          is.exists(
            is
              .selectFrom('accounts')
              .select('accounts.id')
              .whereRef('accounts.id', '=', 'links.owner_id')
              .where('accounts.state', '=', 'deleted'),
          ),
        ),
      )
  );
}

async function liftKeys(sql: Sql, ids: readonly string[]): Promise<void> {
  // in portions, since both engines bound how many values a statement takes
  for (let at = 0; at < ids.length; at += 500) {
    await sql
      .updateTable('access_keys')
      .set({ revoked_at: null })
      .where('id', 'in', ids.slice(at, at + 500))
      .execute();
  }
}
