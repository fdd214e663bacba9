// What the link commands share: the shapes they read, and times and methods as they are typed.

import { z } from 'zod';
import { parseDurationMs } from '../../config/values.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { isoTime } from '../../telemetry/clock.ts';
import { usageError } from '../command-error.ts';
import type { RefusalWords } from '../refusal-words.ts';

const at = z.int();

export const linkShape = z.object({
  id: z.string(),
  accessKeyId: z.string(),
  collection: z.string(),
  host: z.string(),
  path: z.string(),
  cleanUrl: z.string(),
  label: z.string(),
  state: z.string(),
  claimsAllowed: z.int(),
  claimsUsed: z.int(),
  claimFromAt: at.nullable(),
  claimUntilAt: at.nullable(),
  accessUntilAt: at.nullable(),
  methods: z.array(z.string()).nullable(),
  notify: z.boolean(),
  createdAt: at,
  revokedAt: at.nullable(),
});

export type Link = z.infer<typeof linkShape>;

export const memberShape = z.object({
  id: z.string(),
  accountId: z.string(),
  email: z.string().nullable(),
  displayName: z.string(),
  claimedAt: at,
  lastSeenAt: at.nullable(),
  revokedAt: at.nullable(),
  claimedOn: z.string().nullable(),
  devices: z.array(z.object({ name: z.string(), lastSeenAt: at })),
});

export type Member = z.infer<typeof memberShape>;

export const linkWords: RefusalWords = {
  'not-found': { hint: 'latchkey link list, latchkey link members' },
  revoked: { message: 'a revoked link stays revoked', hint: 'make a new one: latchkey link create' },
};

/** As `--json` prints it: names as everywhere else in this program's JSON. */
export function linkJson(link: Link): object {
  return {
    id: link.id,
    access_key: link.accessKeyId,
    collection: link.collection,
    host: link.host,
    path: link.path,
    clean_url: link.cleanUrl,
    label: link.label,
    state: link.state,
    claims_allowed: link.claimsAllowed,
    claims_used: link.claimsUsed,
    claim_from_at: link.claimFromAt,
    claim_until_at: link.claimUntilAt,
    access_until_at: link.accessUntilAt,
    methods: link.methods,
    notify: link.notify,
    created_at: link.createdAt,
    revoked_at: link.revokedAt,
  };
}

export function memberJson(member: Member): object {
  return {
    id: member.id,
    account: member.accountId,
    email: member.email,
    name: member.displayName,
    claimed_at: member.claimedAt,
    last_seen_at: member.lastSeenAt,
    revoked_at: member.revokedAt,
    claimed_on: member.claimedOn,
    devices: member.devices.map(({ name, lastSeenAt }) => ({ name, last_seen_at: lastSeenAt })),
  };
}

/**
 * Reads a moment: how long from now (`7d`, `12h`), or a date with its time zone.
 *
 * @param option  what it was given to, for messages
 * @throws CommandError (usage)
 */
export function readMoment(option: string, text: string, now: EpochSeconds): EpochSeconds {
  const ms = parseDurationMs(text);
  if (ms !== null) return now + Math.round(ms / 1000);
  // without its zone a time would mean another moment on another machine
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const at = isDate ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) {
    throw usageError(
      `${option}: ${JSON.stringify(text)} is no moment`,
      'write 7d or 12h from now, or 2026-07-01T18:00Z',
    );
  }
  return Math.floor(at / 1000);
}

/** A moment for a table. */
export function momentText(at: EpochSeconds | null): string {
  return at === null ? '-' : isoTime(at * 1000).replace(/:\d\d\.\d+Z$/, 'Z');
}

/** @throws CommandError (usage) */
export function readClaims(text: string): number {
  const count = Number(text);
  if (!/^\d{1,6}$/.test(text) || count === 0) {
    throw usageError(`--claims: ${JSON.stringify(text)} is no number of accounts`, 'write 1 or more');
  }
  return count;
}
