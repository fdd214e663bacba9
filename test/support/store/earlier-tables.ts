// Statements that take migrations back, for tests that need the tables of an earlier version.

/** Takes the fourth migration back. */
export const withoutFirstHour = [
  'drop index one_time_codes_mailbox',
  ...['digits_digest', 'tries_left', 'mailbox_digest', 'carried_sealed'].map(
    (column) => `alter table one_time_codes drop column ${column}`,
  ),
  'alter table accounts drop column time_zone',
  'alter table devices drop column last_network',
  'alter table members drop column revoked_by',
  'alter table links drop column revoked_with',
  'drop index links_creation',
  ...['secret_sealed', 'for_email', 'creation_digest', 'creation_place'].map(
    (column) => `alter table links drop column ${column}`,
  ),
] as const;

/** Takes the fifth migration back. */
export const withoutSharedKeys = [
  ...['credentials', 'credential_keys', 'shares', 'share_requests', 'representations', 'share_blocks'].map(
    (table) => `drop table ${table}`,
  ),
  'drop index outbox_subject',
  'alter table outbox drop column subject',
  'alter table outbox drop column deferred_seconds',
] as const;
