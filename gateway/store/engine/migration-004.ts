// Who ended a membership, and which links ended together: what giving back within ten minutes needs, and what those who lost access are
// told. Every column may be null, so rows of older backups fit.

import type { ColumnTypes } from './column-types.ts';

export function firstHour({ text }: ColumnTypes): readonly string[] {
  return [
    `alter table members add column revoked_by ${text}`,
    // `collection` for a link that ended with all links of its collection; null for every other one
    `alter table links add column revoked_with ${text}`,
  ];
}
