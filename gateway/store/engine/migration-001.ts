// The first tables of the store; tables.ts says what the columns mean. This text never changes once released: later changes of the
// tables are migrations of their own. Texts compare by their bytes on both engines, and numbers are 64 bits wide.

import type { ColumnTypes } from './column-types.ts';

export function firstTables({ text, integer, counter, suffix }: ColumnTypes): readonly string[] {
  const table = (name: string, ...columns: string[]): string =>
    `create table ${name} (${columns.join(', ')}) ${suffix}`;
  const required = (type: string, ...names: string[]): string[] => names.map((name) => `${name} ${type} not null`);
  const optional = (type: string, ...names: string[]): string[] => names.map((name) => `${name} ${type}`);
  const key = `id ${text} not null primary key`;
  return [
    table(
      'log_position',
      `id ${integer} not null primary key check (id = 1)`,
      ...required(text, 'epoch'),
      ...required(integer, 'seq'),
    ),
    table(
      'changes',
      ...required(text, 'epoch', 'kind', 'node'),
      ...required(integer, 'seq', '"at"'),
      'primary key (epoch, seq)',
    ),
    'create index changes_node on changes (epoch, node, seq)',
    'create index changes_at on changes ("at")',
    table('store_marks', `name ${text} not null primary key`, ...required(text, 'value')),
    table(
      'keys',
      key,
      ...required(text, 'algorithm', 'purpose', 'state', 'secret_sealed'),
      ...required(integer, 'created_at'),
    ),
    // With two signing keys of one purpose, a new token could name either of them.
    `create unique index keys_signer on keys (purpose) where state = 'signing'`,
    table(
      'accounts',
      key,
      ...required(text, 'email'),
      ...optional(integer, 'email_verified_at'),
      ...optional(text, 'password_hash'),
      ...required(text, 'display_name', '"groups"', 'role', 'state'),
      ...required(integer, 'created_at'),
    ),
    `create unique index accounts_verified_email on accounts (email) where email_verified_at is not null and state <> 'deleted'`,
    'create index accounts_email on accounts (email)',
    table(
      'sessions',
      key,
      ...required(text, 'account_id', 'device_id'),
      ...required(integer, 'created_at', 'last_seen_at', 'expires_at'),
      ...optional(integer, 'ended_at'),
    ),
    'create index sessions_account on sessions (account_id)',
    'create index sessions_device on sessions (device_id)',
    'create index sessions_expiry on sessions (expires_at)',
    table(
      'devices',
      key,
      ...required(text, 'account_id', 'browser_selector', 'browser_digest', 'name', 'user_agent'),
      ...required(integer, 'created_at', 'last_seen_at'),
      ...optional(integer, 'ended_at'),
      'unique (browser_selector, account_id)',
    ),
    'create index devices_account on devices (account_id)',
    table(
      'one_time_codes',
      `selector ${text} not null primary key`,
      ...required(text, 'digest', 'purpose', 'details'),
      ...optional(text, 'account_id'),
      ...required(integer, 'created_at', 'expires_at'),
      ...optional(integer, 'used_at'),
    ),
    'create index one_time_codes_expiry on one_time_codes (expires_at)',
    'create index one_time_codes_account on one_time_codes (account_id, purpose)',
    table(
      'throttles',
      ...required(text, 'kind', 'key_digest'),
      ...required(integer, 'failures', 'first_at', 'last_at', 'blocked_until_at'),
      'primary key (kind, key_digest)',
    ),
    'create index throttles_last on throttles (last_at)',
    table(
      'access_keys',
      key,
      ...required(text, 'owner_id', 'collection'),
      ...required(integer, 'created_at'),
      ...optional(integer, 'revoked_at'),
    ),
    'create index access_keys_owner on access_keys (owner_id)',
    table(
      'links',
      key,
      ...required(text, 'access_key_id', 'secret_digest', 'owner_id', 'collection', 'host', 'path', 'label'),
      ...required(integer, 'claims_allowed', 'claims_used', 'notify_members', 'created_at'),
      ...optional(integer, 'claim_from_at', 'claim_until_at', 'access_until_at', 'revoked_at'),
      ...optional(text, 'methods', 'revoked_by'),
    ),
    'create index links_collection on links (collection, created_at)',
    'create index links_owner on links (owner_id, created_at)',
    'create index links_access_key on links (access_key_id)',
    table(
      'members',
      key,
      ...required(text, 'link_id', 'access_key_id', 'account_id', 'collection', 'host', 'path'),
      ...optional(text, 'device_id'),
      ...required(integer, 'claimed_at'),
      ...optional(integer, 'last_seen_at', 'revoked_at'),
      'unique (link_id, account_id)',
    ),
    'create index members_account on members (account_id, collection)',
    'create index members_collection on members (collection)',
    table(
      'outbox',
      key,
      ...required(text, 'kind'),
      ...optional(text, 'account_id', 'body_sealed', 'last_problem'),
      ...required(integer, 'created_at', 'attempts', 'next_attempt_at', 'leased_until_at'),
      ...optional(integer, 'delivered_at', 'given_up_at'),
    ),
    'create index outbox_due on outbox (next_attempt_at) where delivered_at is null and given_up_at is null',
    'create index outbox_age on outbox (created_at)',
    table(
      'audit',
      `"position" ${counter}`,
      ...required(integer, '"at"'),
      ...required(text, 'actor', 'action', 'subject', 'details'),
      ...optional(text, 'request_id'),
    ),
    'create index audit_subject on audit (subject, "position")',
    'create index audit_actor on audit (actor, "position")',
  ];
}
