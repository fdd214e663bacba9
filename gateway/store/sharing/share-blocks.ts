// Which givers an address wants no more shares of.

import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';

interface Block {
  /** Digest of the address. */
  readonly mailboxDigest: string;
  readonly giverId: string;
}

/** Blocking twice is harmless. @returns whether the giver was not blocked until now */
export async function insertBlock(sql: Sql, { mailboxDigest, giverId }: Block, now: EpochSeconds): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await sql
    .insertInto('share_blocks')
    .values({ mailbox_digest: mailboxDigest, giver_id: giverId, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function isBlocked(sql: Sql, { mailboxDigest, giverId }: Block): Promise<boolean> {
  const row = await sql
    .selectFrom('share_blocks')
    .select('created_at')
    .where('mailbox_digest', '=', mailboxDigest)
    .where('giver_id', '=', giverId)
    .executeTakeFirst();
  return row !== undefined;
}

/** Ids of the givers that an address blocked, the newest first; at most 200. */
export async function listBlocked(sql: Sql, mailboxDigest: string): Promise<readonly string[]> {
  const rows = await sql
    .selectFrom('share_blocks')
    .select('giver_id')
    .where('mailbox_digest', '=', mailboxDigest)
    .orderBy('created_at', 'desc')
    .limit(200)
    .execute();
  return rows.map(({ giver_id }) => giver_id);
}

/** @returns whether there was a block */
export async function removeBlock(sql: Sql, { mailboxDigest, giverId }: Block): Promise<boolean> {
  const { numDeletedRows } = await sql
    .deleteFrom('share_blocks')
    .where('mailbox_digest', '=', mailboxDigest)
    .where('giver_id', '=', giverId)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}
