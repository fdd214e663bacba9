// Rows of representations: a key in a form that can be carried. Each is a node of its own, listed and revocable.

import type { Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import type { RepresentationsTable } from '../port/tables-sharing.ts';

export type RepresentationRow = Selectable<RepresentationsTable>;

export async function insertRepresentation(sql: Sql, representation: RepresentationRow): Promise<void> {
  await sql.insertInto('representations').values(representation).execute();
}

export async function findRepresentation(sql: Sql, id: string): Promise<RepresentationRow | null> {
  return (await sql.selectFrom('representations').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

/** The representations of a key, or below a share, that an account may see: the newest first. */
export async function listRepresentations(
  sql: Sql,
  of: { readonly accountId: string; readonly keyId: string } | { readonly shareId: string },
  limit: number,
): Promise<RepresentationRow[]> {
  return await sql
    .selectFrom('representations')
    .selectAll()
    .$if('accountId' in of, (query) =>
      query
        .where('account_id', '=', 'accountId' in of ? of.accountId : '')
        .where('key_id', '=', 'accountId' in of ? of.keyId : ''),
    )
    .$if('shareId' in of, (query) => query.where('share_id', '=', 'shareId' in of ? of.shareId : ''))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

/** Spends a one-time URL. @returns its row; null when it is unknown, spent, over or revoked */
export async function spendOneTimeUrl(
  sql: Sql,
  id: string,
  secretDigest: string,
  now: EpochSeconds,
): Promise<RepresentationRow | null> {
  const row = await sql
    .updateTable('representations')
    .set({ used_at: now })
    .where('id', '=', id)
    .where('secret_digest', '=', secretDigest)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** @returns whether it was live until now */
export async function markRepresentationRevoked(sql: Sql, id: string, by: string, now: EpochSeconds): Promise<boolean> {
  const { numUpdatedRows } = await sql
    .updateTable('representations')
    .set({ revoked_at: now, revoked_by: by })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Forgets representations that were over before a moment; their audit rows stay. @returns how many */
export async function pruneRepresentations(sql: Sql, before: EpochSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await sql
    .deleteFrom('representations')
    .where('id', 'in', (of) =>
      of.selectFrom('representations').select('id').where('expires_at', '<', before).orderBy('expires_at').limit(limit),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
