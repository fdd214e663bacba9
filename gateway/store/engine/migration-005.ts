// Keys that people share: credentials, the keys that hang off them, shares with the requests that browsers make for them,
// representations of keys, and the senders that an address wants no more mail from. tables.ts says what the columns mean.

import type { ColumnTypes } from './column-types.ts';

export function sharedKeys({ text, integer, suffix }: ColumnTypes): readonly string[] {
  const table = (name: string, ...columns: string[]): string =>
    `create table ${name} (${columns.join(', ')}) ${suffix}`;
  const required = (type: string, ...names: string[]): string[] => names.map((name) => `${name} ${type} not null`);
  const optional = (type: string, ...names: string[]): string[] => names.map((name) => `${name} ${type}`);
  const key = `id ${text} not null primary key`;
  return [
    table(
      'credentials',
      key,
      ...required(text, 'account_id', 'name', 'issuer', 'created_by'),
      ...optional(text, 'picture', 'withdrawn_by'),
      ...required(integer, 'created_at'),
      ...optional(integer, 'valid_from_at', 'valid_until_at', 'withdrawn_at'),
    ),
    'create index credentials_account on credentials (account_id, created_at)',
    'create index credentials_created on credentials (created_at, id)',
    table(
      'credential_keys',
      key,
      ...required(text, 'credential_id', 'name', 'collection', 'host', 'path', 'created_by'),
      ...optional(text, 'methods', 'removed_by'),
      ...required(integer, 'needs_second_factor', 'created_at'),
      ...optional(integer, 'removed_at'),
    ),
    'create index credential_keys_credential on credential_keys (credential_id)',
    'create index credential_keys_place on credential_keys (collection, host, path)',
    table(
      'shares',
      key,
      ...required(text, 'key_id', 'giver_id', 'email', 'account_id', 'state', 'words', 'secret_digest'),
      ...optional(text, 'parent_id', 'secret_sealed', 'ended_by', 'creation_digest'),
      ...required(integer, 'depth', 'reshare_depth', 'expires_at', 'created_at'),
      ...optional(integer, 'usable_from_at', 'usable_until_at', 'uses_allowed', 'uses_left'),
      ...optional(integer, 'first_mail_at', 'mail_failed_at', 'last_mail_at', 'reminded_at'),
      ...optional(integer, 'accepted_at', 'ended_at', 'last_used_at'),
    ),
    'create index shares_account on shares (account_id, state)',
    'create index shares_giver on shares (giver_id, created_at, id)',
    // also whether a giver has given a key to an address already
    'create index shares_key on shares (key_id, giver_id, email)',
    'create index shares_parent on shares (parent_id)',
    'create index shares_email on shares (email, state)',
    'create index shares_until on shares (usable_until_at)',
    // counts for metrics walk this index and no row. It is of an expression, so that no planner takes it for a query that names a state
    // beside something far rarer: SQLite did, and sorted a million rows for a page of a hundred
    `create index shares_counted on shares ((state || ''))`,
    'create index shares_created on shares (created_at, id)',
    // rows without a creation digest are never equal to each other (SQL: null is not equal to null)
    'create unique index shares_creation on shares (creation_digest)',
    table(
      'share_requests',
      `selector ${text} not null primary key`,
      ...required(text, 'digest', 'share_id'),
      ...required(integer, 'created_at', 'expires_at'),
      ...optional(text, 'digits_digest'),
      ...optional(integer, 'tries_left', 'tried_at', 'used_at'),
    ),
    'create index share_requests_share on share_requests (share_id, expires_at)',
    'create index share_requests_expiry on share_requests (expires_at)',
    table(
      'representations',
      key,
      ...required(text, 'key_id', 'account_id', 'session_id', 'kind'),
      ...optional(text, 'share_id', 'secret_digest', 'revoked_by'),
      ...required(integer, 'created_at', 'expires_at'),
      ...optional(integer, 'used_at', 'revoked_at'),
    ),
    'create index representations_account on representations (account_id, created_at)',
    'create index representations_share on representations (share_id)',
    'create index representations_expiry on representations (expires_at)',
    table(
      'share_blocks',
      ...required(text, 'mailbox_digest', 'giver_id'),
      ...required(integer, 'created_at'),
      'primary key (mailbox_digest, giver_id)',
    ),
    'create index share_blocks_giver on share_blocks (giver_id)',
    // the node that is told when the mail was handed over, and when it was given up; null for none
    `alter table outbox add column subject ${text}`,
    'create index outbox_subject on outbox (subject)',
    // for how long the mail was put off when it was queued; null for a mail that was due at once
    `alter table outbox add column deferred_seconds ${integer}`,
  ];
}
