// The tables of keys that people share; tables.ts lists them with the other tables and has the rules for columns.

import type { RepresentationKind, ShareState } from '../../core/model/share.ts';

/** What keys hang off: something like a staff card, which an administrator or a site's program issued to an account. Never deleted. */
export interface CredentialsTable {
  id: string;
  account_id: string;
  name: string;
  /** Who issued it, as people read it. */
  issuer: string;
  /** `data:` URL of a picture; null for none. */
  picture: string | null;
  /** First moment at which its keys open, and first at which they do not any more; null for no limit. */
  valid_from_at: number | null;
  valid_until_at: number | null;
  created_at: number;
  created_by: string;
  withdrawn_at: number | null;
  withdrawn_by: string | null;
}

/** A key: what a credential opens. Never deleted. */
export interface CredentialKeysTable {
  id: string;
  credential_id: string;
  name: string;
  /** Name of the collection in the configuration. */
  collection: string;
  host: string;
  /** Canonical; a folder when it ends in `/`. */
  path: string;
  /** JSON list of methods; null for those of the route and the collection. */
  methods: string | null;
  /** Whether who accepts a share of it has to prove a second factor. Nobody can as yet, so such a key cannot be accepted. */
  needs_second_factor: number;
  created_at: number;
  created_by: string;
  removed_at: number | null;
  removed_by: string | null;
}

/** One key given by one account to one address. The accepted row is the grant. Never deleted, so chains stay whole. */
export interface SharesTable {
  id: string;
  key_id: string;
  /** The share by which the giver holds the key; null where the giver's own credential has it. */
  parent_id: string | null;
  /** Number of shares above this one. */
  depth: number;
  giver_id: string;
  /** The address as it was typed, normalised; empty once it was erased. */
  email: string;
  /** The account behind the address when the share was made; once accepted, the account that holds the key. */
  account_id: string;
  state: ShareState;
  /** The giver's own words, for the page alone; never in a mail. Empty for none. */
  words: string;
  usable_from_at: number | null;
  usable_until_at: number | null;
  /** How many representations may be made; null: no limit, and the key opens without one. */
  uses_allowed: number | null;
  uses_left: number | null;
  /** How many shares may hang below this one, one under the other. */
  reshare_depth: number;
  /** Of the secret in the address that the mail leads to. */
  secret_digest: string;
  /** The secret, so that the mail can be sent again; null once the share is neither pending nor could become so. */
  secret_sealed: string | null;
  /** When the first message was handed to the transport; until then nobody can ask for the key. */
  first_mail_at: number | null;
  /** When delivering a message was given up; null once a later one was delivered. */
  mail_failed_at: number | null;
  /** When the last message was queued. */
  last_mail_at: number | null;
  reminded_at: number | null;
  /** First moment at which a pending share cannot be accepted any more. */
  expires_at: number;
  created_at: number;
  accepted_at: number | null;
  /** When it became declined, withdrawn, revoked or disabled; null while it is pending or accepted. */
  ended_at: number | null;
  ended_by: string | null;
  last_used_at: number | null;
  /** Digest of the maker and of the key of the form that made it, so that a form sent twice makes it once. */
  creation_digest: string | null;
}

/** One browser's request for one share; grants nothing. */
export interface ShareRequestsTable {
  selector: string;
  /** Of the secret that only the browser that asked has. */
  digest: string;
  share_id: string;
  created_at: number;
  expires_at: number;
  /** Digest of the mailed digits and of the browser's secret; null where the account proves itself by a password. */
  digits_digest: string | null;
  tries_left: number | null;
  /** When its browser last tried to authenticate; null for not yet. */
  tried_at: number | null;
  used_at: number | null;
}

/** A key in a form that can be carried: a URL, a QR code, a bearer token. */
export interface RepresentationsTable {
  id: string;
  key_id: string;
  /** null where the account holds the key by its own credential. */
  share_id: string | null;
  account_id: string;
  /** The session that it was made in. */
  session_id: string;
  kind: RepresentationKind;
  /** Of the secret of a one-time hand-over; null for other kinds. */
  secret_digest: string | null;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  revoked_at: number | null;
  revoked_by: string | null;
}

/** An address that wants no more shares of a giver. */
export interface ShareBlocksTable {
  /** Digest of the address. */
  mailbox_digest: string;
  giver_id: string;
  created_at: number;
}
