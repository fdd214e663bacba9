// The part of an account's export that is about keys: credentials, shares on both sides, representations, blocked senders. What is known of
// an address that a key was shared with is not the giver's, so the giver's list has the address as it was typed and no account.

import type { Sql } from '../port/store.ts';

export interface SharedKeyRows {
  /** Credentials of the account, and the keys that hang off them. */
  readonly credentials: readonly object[];
  readonly keys: readonly object[];
  /** Keys that the account shared, without anything that is known of the addresses. */
  readonly shares_given: readonly object[];
  /** Keys that were shared with the account. */
  readonly shares_got: readonly object[];
  /** What browsers asked for of the keys that were shared with the account. */
  readonly share_requests: readonly object[];
  readonly representations: readonly object[];
  /** Accounts whose keys the account wants no more of. */
  readonly blocked_senders: readonly object[];
}

/** Far more rows than a person has; it bounds the document. */
export const maxRows = 10_000;

const ofShare = [
  ...['id', 'key_id', 'parent_id', 'giver_id', 'email', 'words', 'usable_from_at', 'usable_until_at'],
  ...['uses_allowed', 'uses_left', 'reshare_depth', 'created_at', 'expires_at', 'accepted_at', 'ended_at', 'state'],
] as const;

/** @param mailboxDigest  digest of the account's address */
export async function readSharedKeys(sql: Sql, accountId: string, mailboxDigest: string): Promise<SharedKeyRows> {
  return {
    credentials: await sql
      .selectFrom('credentials')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    keys: await sql
      .selectFrom('credential_keys')
      .selectAll()
      .where('credential_id', 'in', (of) =>
        of.selectFrom('credentials').select('id').where('account_id', '=', accountId),
      )
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    shares_given: await sql
      .selectFrom('shares')
      .select(ofShare)
      .where('giver_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    // one whose message never went out is nothing that the person was told of
    shares_got: await sql
      .selectFrom('shares')
      .select([...ofShare, 'last_used_at'])
      .where('account_id', '=', accountId)
      .where('first_mail_at', 'is not', null)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    share_requests: await sql
      .selectFrom('share_requests')
      .innerJoin('shares', 'shares.id', 'share_requests.share_id')
      .select([
        'share_requests.share_id as share_id',
        'share_requests.created_at as created_at',
        'share_requests.expires_at as expires_at',
        'share_requests.used_at as used_at',
      ])
      .where('shares.account_id', '=', accountId)
      .orderBy('share_requests.created_at', 'desc')
      .limit(maxRows)
      .execute(),
    representations: await sql
      .selectFrom('representations')
      .select(['id', 'key_id', 'share_id', 'session_id', 'kind', 'created_at', 'expires_at', 'used_at', 'revoked_at'])
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    blocked_senders: await sql
      .selectFrom('share_blocks')
      .select(['giver_id', 'created_at'])
      .where('mailbox_digest', '=', mailboxDigest)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
  };
}
