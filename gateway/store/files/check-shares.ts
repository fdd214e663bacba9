// What has to hold between the rows of shared keys: everything that a row names is there, chains lead up to the key that they are of, and
// counts are within their bounds.

/** A rule about rows; its query gives the ids of the rows that break it. */
export interface RowCheck {
  readonly check: string;
  readonly what: string;
  readonly ids: string;
}

const standing = "('pending', 'accepted', 'disabled')";

export const shareChecks: readonly RowCheck[] = [
  {
    check: 'credentials',
    what: 'credentials whose account does not exist',
    ids: 'select c.id from credentials c left join accounts a on a.id = c.account_id where a.id is null',
  },
  {
    check: 'credentials',
    what: 'keys whose credential does not exist',
    ids: 'select k.id from credential_keys k left join credentials c on c.id = k.credential_id where c.id is null',
  },
  {
    check: 'shares',
    what: 'shares whose key does not exist',
    ids: 'select s.id from shares s left join credential_keys k on k.id = s.key_id where k.id is null',
  },
  {
    check: 'shares',
    // an account that nobody verified may go once the offer that it waited for is over
    what: 'shares whose giver or recipient does not exist',
    ids: `select s.id from shares s left join accounts g on g.id = s.giver_id left join accounts a on a.id = s.account_id
      where s.state in ${standing} and (g.id is null or (a.id is null and s.state <> 'pending'))`,
  },
  {
    check: 'shares',
    what: 'shares whose parent does not exist',
    ids: `select s.id from shares s left join shares p on p.id = s.parent_id where s.parent_id is not null and p.id is null`,
  },
  {
    check: 'chains',
    what: 'shares of another key than their parent, or not one below it',
    ids: `select s.id from shares s left join shares p on p.id = s.parent_id
      where (s.parent_id is null and s.depth <> 0) or (p.id is not null and (s.depth <> p.depth + 1 or s.key_id <> p.key_id))`,
  },
  {
    check: 'chains',
    what: 'shares given by somebody who did not hold the key',
    ids: `select s.id from shares s left join shares p on p.id = s.parent_id
      left join credential_keys k on k.id = s.key_id left join credentials c on c.id = k.credential_id
      where (p.id is not null and s.giver_id <> p.account_id)
        or (s.parent_id is null and c.id is not null and s.giver_id <> c.account_id)`,
  },
  {
    check: 'shares',
    what: 'shares with more uses left than allowed, or fewer than none',
    ids: `select id from shares where (uses_allowed is null) <> (uses_left is null) or uses_left < 0 or uses_left > uses_allowed`,
  },
  {
    check: 'shares',
    what: 'shares that were accepted before their first message was handed over',
    ids: `select id from shares where (state in ('accepted', 'disabled', 'revoked') or accepted_at is not null)
      and (first_mail_at is null or accepted_at is null)`,
  },
  {
    check: 'requests',
    what: 'requests for shares that do not exist',
    ids: 'select r.selector as id from share_requests r left join shares s on s.id = r.share_id where s.id is null',
  },
  {
    check: 'representations',
    what: 'representations of keys or shares that do not exist, or of another account than the share has',
    ids: `select r.id from representations r left join credential_keys k on k.id = r.key_id left join shares s on s.id = r.share_id
      where k.id is null or (r.share_id is not null and (s.id is null or s.account_id <> r.account_id))`,
  },
];
