// Who ended a membership, and which links ended together: what giving back within ten minutes needs, and what those who lost access are
// told. Codes that are typed as six digits, and what a code leads to. The time zone that a person chose. Links that are made for one
// address, whose address can be shown again, and that a form makes once. Every column may be null, so rows of older backups fit.

import type { ColumnTypes } from './column-types.ts';

export function firstHour({ text, integer }: ColumnTypes): readonly string[] {
  return [
    `alter table members add column revoked_by ${text}`,
    // `collection` for a link that ended with all links of its collection; null for every other one
    `alter table links add column revoked_with ${text}`,
    `alter table one_time_codes add column digits_digest ${text}`,
    `alter table one_time_codes add column tries_left ${integer}`,
    `alter table one_time_codes add column mailbox_digest ${text}`,
    `alter table one_time_codes add column carried_sealed ${text}`,
    `alter table accounts add column time_zone ${text}`,
    // of the last sign-in, never a whole address: /24 or /48
    `alter table devices add column last_network ${text}`,
    'create index one_time_codes_mailbox on one_time_codes (mailbox_digest)',
    `alter table links add column secret_sealed ${text}`,
    `alter table links add column for_email ${text}`,
    `alter table links add column creation_digest ${text}`,
    `alter table links add column creation_place ${integer}`,
    // rows without a creation digest are never equal to each other (SQL: null is not equal to null)
    'create unique index links_creation on links (creation_digest, creation_place)',
  ];
}
