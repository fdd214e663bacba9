// Reads all rows that the tables hold on one account, for the document that a person may ask for. A new table about people is read
// here as well. No hash, digest, code, secret or sealed text is selected. The document shows the names of columns as they are.

import type { Sql } from '../port/store.ts';
import { maxRows, readSharedKeys, type SharedKeyRows } from '../sharing/account-export-keys.ts';

/** Rows as the tables have them, newest first, at most 10,000 of each. */
export interface AccountRows extends SharedKeyRows {
  readonly sessions: readonly object[];
  readonly devices: readonly object[];
  /** Access that was given to the account. */
  readonly memberships: readonly object[];
  /** Links that the account made. */
  readonly links: readonly object[];
  /** Codes that were sent: their purposes and times. */
  readonly codes: readonly object[];
  /** Mails: their kinds and times. Their texts are wiped after delivery. */
  readonly mails: readonly object[];
  /** Actions by the account, and actions on it. */
  readonly audit: readonly object[];
}

/**
 * Reads one list after the other: a change in between may show in one list and not in another.
 *
 * @param mailboxDigest  digest of the account's address
 */
export async function readAccountRows(sql: Sql, accountId: string, mailboxDigest: string): Promise<AccountRows> {
  return {
    sessions: await sql
      .selectFrom('sessions')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    devices: await sql
      .selectFrom('devices')
      .select(['id', 'name', 'user_agent', 'last_network', 'created_at', 'last_seen_at', 'ended_at'])
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    memberships: await sql
      .selectFrom('members')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('claimed_at', 'desc')
      .limit(maxRows)
      .execute(),
    links: await sql
      .selectFrom('links')
      .select([
        'id',
        'collection',
        'host',
        'path',
        'label',
        'claims_allowed',
        'claims_used',
        'created_at',
        'revoked_at',
      ])
      .where('owner_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    ...(await readSharedKeys(sql, accountId, mailboxDigest)),
    codes: await sql
      .selectFrom('one_time_codes')
      .select(['purpose', 'created_at', 'expires_at', 'used_at'])
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    mails: await sql
      .selectFrom('outbox')
      .select(['kind', 'created_at', 'delivered_at', 'given_up_at'])
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    audit: await sql
      .selectFrom('audit')
      .select(['at', 'actor', 'action', 'subject', 'details'])
      .where((query) => query.or([query('subject', '=', accountId), query('actor', '=', accountId)]))
      .orderBy('position', 'desc')
      .limit(maxRows)
      .execute(),
  };
}
