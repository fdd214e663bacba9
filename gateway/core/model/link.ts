// What a link is: its authorization token, the states it can be in, and what it opens.
// Pure: random bytes and the time come from the caller. The secret half of a token is compared by its digest.
// Source: US 10,043,025 (tokenized URL, access list); what a link answers: gateway/api/README.md.

import { Buffer } from 'node:buffer';
import { digestOf, sameDigest } from './digest.ts';
import { isId } from './node-id.ts';
import { comparedForm } from './path.ts';
import type { EpochSeconds } from './time.ts';

/** Random bytes of a link's secret: 256 bits, so that guesses need not be counted. */
export const linkSecretBytes = 32;

/** How many accounts one link may let in. */
export const maxClaimsAllowed = 10_000;

/** Longest label, in characters. */
export const maxLabelLength = 120;

/** The two halves of an authorization token. NOT checked against any link yet. */
interface LinkToken {
  /** The id by which the link is found. Public. */
  readonly linkId: string;
  /** 43 characters of base64url. Stored as a digest and sealed, never logged. */
  readonly secret: string;
}

/** What decides whether a link can be claimed. */
export interface LinkTerms {
  readonly claimsAllowed: number;
  readonly claimsUsed: number;
  /** First moment of a claim; null for none. */
  readonly claimFromAt: EpochSeconds | null;
  /** First moment at which the link cannot be claimed any more; null for none. */
  readonly claimUntilAt: EpochSeconds | null;
  /** First moment at which the link's members have no access any more; null for none. */
  readonly accessUntilAt: EpochSeconds | null;
  readonly revokedAt: EpochSeconds | null;
}

/**
 * `open`         accounts may claim
 * `full`         all claims are used; members pass
 * `early`        the claim window has not begun
 * `past-window`  the claim window is over; members pass
 * `access-over`  the link gives no access any more, members included
 * `revoked`      ended by the owner, for good
 */
export type LinkState = (typeof linkStates)[number];

/** Every state a link can be in: see `LinkState`. */
export const linkStates = ['open', 'full', 'early', 'past-window', 'access-over', 'revoked'] as const;

/** `<link id>.<secret>`, the value of the parameter `authtoken`. @param secret  `linkSecretBytes` random bytes */
export function formatLinkToken(linkId: string, secret: Uint8Array): string {
  return `${linkId}.${Buffer.from(secret).toString('base64url')}`;
}

/** @param text  any text of any length. @returns null for a text that does not have the form of a link token */
export function parseLinkToken(text: string): LinkToken | null {
  if (text.length !== 25 + 1 + 43) return null;
  const linkId = text.slice(0, 25);
  const secret = text.slice(26);
  if (text[25] !== '.' || !isId('link', linkId) || !/^[\w-]{43}$/.test(secret)) return null;
  return { linkId, secret };
}

/** The stored digest of a secret: SHA-256 of its text, base64url. A plain digest is enough, because the secret has 256 random bits. */
export function digestLinkSecret(secret: string): string {
  return digestOf(secret);
}

/** Whether a secret has this digest, compared in constant time. @param digest  as `digestLinkSecret` gives it */
export function isLinkSecret(digest: string, secret: string): boolean {
  return sameDigest(digest, digestOf(secret));
}

/** The state that people are told first when several apply: a final state comes before one that may change. */
export function linkState(link: LinkTerms, now: EpochSeconds): LinkState {
  if (link.revokedAt !== null) return 'revoked';
  if (link.accessUntilAt !== null && link.accessUntilAt <= now) return 'access-over';
  if (link.claimUntilAt !== null && link.claimUntilAt <= now) return 'past-window';
  if (link.claimsUsed >= link.claimsAllowed) return 'full';
  return link.claimFromAt !== null && link.claimFromAt > now ? 'early' : 'open';
}

/**
 * Every scope that covers a canonical path: the path itself and the folders above it, the most specific scope first. With this list
 * a store finds rows by equality. For a path that its compared form spells differently, folders are listed in both spellings:
 * rows have the compared form (`placePath`), and older rows have what was typed.
 *
 * @returns at most `most` scopes; the root is always the last one
 */
export function scopesCovering(path: string, most = 64): string[] {
  const compared = comparedForm(path);
  if (compared === path) return foldersOf(path, most);
  return [...new Set([...foldersOf(path, most / 2), ...foldersOf(compared, most / 2)])];
}

function foldersOf(path: string, most: number): string[] {
  const scopes = [path];
  let end = path.length - 1;
  while (end > 0) {
    end = path.lastIndexOf('/', end - 1);
    scopes.push(path.slice(0, end + 1));
  }
  // of a deeper path only the uppermost folders are kept, so rows for its lower folders are not found
  return scopes.length <= most ? scopes : scopes.slice(-most);
}
