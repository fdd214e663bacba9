// The tables of the store, as Kysely sees them. The same on SQLite and PostgreSQL, so that one query serves both:
// texts, and whole numbers up to 2^53. Times end in `_at` and are epoch seconds. Truth values are 0 and 1. JSON is text.
// Columns that end in `_sealed` hold what sealing.ts made; columns that end in `_digest` hold SHA-256, base64url.

import type { Generated } from 'kysely';
import type {
  CredentialKeysTable,
  CredentialsTable,
  RepresentationsTable,
  ShareBlocksTable,
  ShareRequestsTable,
  SharesTable,
} from './tables-sharing.ts';

export interface Tables {
  log_position: LogPositionTable;
  changes: ChangesTable;
  log_marks: LogMarksTable;
  store_marks: StoreMarksTable;
  keys: SigningKeysTable;
  accounts: AccountsTable;
  sessions: SessionsTable;
  devices: DevicesTable;
  one_time_codes: OneTimeCodesTable;
  throttles: ThrottlesTable;
  access_keys: LinkKeysTable;
  links: LinksTable;
  members: MembersTable;
  outbox: OutboxTable;
  audit: AuditTable;
  credentials: CredentialsTable;
  credential_keys: CredentialKeysTable;
  shares: SharesTable;
  share_requests: ShareRequestsTable;
  representations: RepresentationsTable;
  share_blocks: ShareBlocksTable;
}

/** One row: where the log ends. Each batch of units locks the row, so the order of commits is the order of numbers. */
interface LogPositionTable {
  /** Always 1. */
  id: number;
  epoch: string;
  seq: number;
  /** `LogState` in rows/log-time.ts describes the columns from here on. */
  log_time: number;
  newest_at: number;
  hour_ahead: number | null;
  ahead: number | null;
  marked_at: number;
  lowest_clock: number;
}

/** Marks, one for each hour of log time, of how far the log had come. Primary key (epoch, log_time). Not in backups. */
interface LogMarksTable {
  epoch: string;
  log_time: number;
  /** Number of the last change at that moment. */
  seq: number;
  /** The lowest reading of a wall clock in the hour before. */
  lowest_clock: number;
  /** By how much the clock of a node that appended in that hour was ahead of log time, at most; null when none did. */
  ahead: number | null;
}

/** The change log. Primary key (epoch, seq). */
interface ChangesTable {
  epoch: string;
  seq: number;
  kind: 'revoke' | 'outside' | 'touch' | 'keys';
  node: string;
  at: number;
}

/** Single facts about the store itself, such as the proof that a master key is the right one. */
interface StoreMarksTable {
  name: string;
  value: string;
}

/** The key ring; keys declared in YAML are not in it. */
interface SigningKeysTable {
  id: string;
  algorithm: 'HS256';
  purpose: 'content' | 'internal';
  state: 'signing' | 'verifying' | 'retired';
  secret_sealed: string;
  created_at: number;
}

export interface AccountsTable {
  id: string;
  /**
   * As `normaliseMailAddress` gives it. Unique among rows whose `email_verified_at` is not null; anyone may claim an unverified
   * one.
   */
  email: string;
  email_verified_at: number | null;
  /** PHC string of argon2id; null for an account without a password. */
  password_hash: string | null;
  display_name: string;
  /** JSON list of texts. */
  groups: string;
  role: 'user' | 'admin';
  state: 'active' | 'disabled' | 'deleted';
  created_at: number;
  /** Name of the zone in which times are told to the person; null until one is chosen. */
  time_zone: Generated<string | null>;
}

/** One sign-in of one browser. The session tokens of all hosts name this row. */
export interface SessionsTable {
  id: string;
  account_id: string;
  device_id: string;
  created_at: number;
  last_seen_at: number;
  /** The session ends at this moment however much it is used. */
  expires_at: number;
  ended_at: number | null;
}

/** One browser of one account. Unique (browser_selector, account_id): two people on one browser have a device each. */
export interface DevicesTable {
  id: string;
  account_id: string;
  /** First half of the device cookie. */
  browser_selector: string;
  /** Digest of its second half. */
  browser_digest: string;
  name: string;
  user_agent: string;
  /** The /24 or /48 that the last sign-in came from, so that a person can tell browsers apart; null before migration 4. */
  last_network: string | null;
  created_at: number;
  last_seen_at: number;
  ended_at: number | null;
}

/** Codes that are spent once: mail links, hand-overs, QR codes. `selector` finds the row, the digest decides. */
export interface OneTimeCodesTable {
  selector: string;
  digest: string;
  purpose:
    | 'verify-address'
    | 'change-address'
    | 'reset-password'
    | 'invitation'
    | 'sign-in'
    | 'mail-code'
    | 'hand-over'
    | 'open-elsewhere';
  account_id: string | null;
  /** JSON of what the purpose needs; no secrets. */
  details: string;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  /** Of a code that is typed as six digits: digest of the digits and of the secret that the asking browser keeps. */
  digits_digest: string | null;
  /** How often the digits may still be typed; null where there are none. */
  tries_left: number | null;
  /** Digest of the address that the code was mailed to; null where no code is looked for by address. */
  mailbox_digest: string | null;
  /** JSON of what the code leads to once it is used, sealed; null for nothing. */
  carried_sealed: string | null;
}

/** Guesses counted by (kind, key); kept over restarts. */
export interface ThrottlesTable {
  kind: string;
  /** Digest of what is counted, base64url. */
  key_digest: string;
  failures: number;
  first_at: number;
  last_at: number;
  /** Guesses before this moment are refused without a look at them. */
  blocked_until_at: number;
}

/** The link key that a link's URL names by `key`. Not the common key: it signs nothing, it names the authority. */
export interface LinkKeysTable {
  id: string;
  owner_id: string;
  collection: string;
  created_at: number;
  revoked_at: number | null;
}

export interface LinksTable {
  /** Selector of the authorization token as well: `authtoken=<id>.<secret>`. */
  id: string;
  access_key_id: string;
  secret_digest: string;
  /** The secret, sealed, so that its owner can be shown the address again; null once the link has ended, and for older links. */
  secret_sealed: string | null;
  owner_id: string;
  /** Name of the collection in the configuration. */
  collection: string;
  host: string;
  /** Canonical; a folder when it ends in `/`. */
  path: string;
  label: string;
  claims_allowed: number;
  claims_used: number;
  /** First and last moment of a claim; null for no limit. */
  claim_from_at: number | null;
  claim_until_at: number | null;
  /** End of the access that came through the link; null for none. */
  access_until_at: number | null;
  /** JSON list of methods; null for the methods that the route allows. */
  methods: string | null;
  notify_members: number;
  /** The only verified address whose account may claim, as `normaliseMailAddress` gives it; null for any. */
  for_email: string | null;
  /** Digest of the maker and of the key of the form that made the link, so that a form sent twice makes it once. Null for none. */
  creation_digest: string | null;
  /** Place among the links of one form, from 0; (creation_digest, creation_place) is unique. */
  creation_place: number | null;
  created_at: number;
  revoked_at: number | null;
  revoked_by: string | null;
  /** `collection` when the link ended together with all links of its collection; null for a link that ended alone, or lives. */
  revoked_with: string | null;
}

/** The access list: which account was bound through which link. Unique (link_id, account_id). */
export interface MembersTable {
  id: string;
  link_id: string;
  access_key_id: string;
  account_id: string;
  collection: string;
  host: string;
  path: string;
  /** The device that claimed; null once the device was forgotten. */
  device_id: string | null;
  claimed_at: number;
  last_seen_at: number | null;
  revoked_at: number | null;
  /** Actor who ended the membership; null while it lives, and for memberships that ended before this was kept. */
  revoked_by: string | null;
}

export interface OutboxTable {
  id: string;
  /** Closed list in core/model/message.ts. */
  kind: string;
  account_id: string | null;
  /** JSON of `{ to, subject, text, html }`, sealed; null once the mail was delivered or given up. */
  body_sealed: string | null;
  created_at: number;
  attempts: number;
  next_attempt_at: number;
  /** Until when a worker holds the mail; 0 when no worker does. */
  leased_until_at: number;
  delivered_at: number | null;
  given_up_at: number | null;
  last_problem: string | null;
  /** Id of the share whose first mail this is: the share is told when the mail was handed over or given up. Null for none. */
  subject: string | null;
  /** For how long the mail was put off when it was queued, since its recipient had enough of its kind; null for none. */
  deferred_seconds: number | null;
}

export interface AuditTable {
  /** Order of writing. */
  position: Generated<number>;
  at: number;
  /** Account id, `operator` for the command line, `system`. */
  actor: string;
  /** Closed list in core/model/audit.ts, like `link.revoked`. */
  action: string;
  /** Id of the node that the action was done to. */
  subject: string;
  /** JSON, no secrets. */
  details: string;
  request_id: string | null;
}
