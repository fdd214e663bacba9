// What a link is: its authorization token, the states it can be in, and what it opens.
// Pure: random bytes and the time come from the caller. The secret half of a token is never kept, only its digest.
// Source: US 10,043,025 (tokenized URL, access list); what a link answers: gateway/api/README.md.

import { Buffer } from 'node:buffer';
import { digestOf, sameDigest } from './digest.ts';
import { isId } from './node-id.ts';
import { comparedForm } from './path.ts';
import type { EpochSeconds } from './time.ts';

/** Random bytes of a link's secret: 256 bits, so that no guess is worth counting. */
export const linkSecretBytes = 32;

/** How many accounts one link may let in. */
export const maxClaimsAllowed = 10_000;

/** Longest label, in characters. */
export const maxLabelLength = 120;

/** The two halves of an authorization token. NOT checked against any link yet. */
interface LinkToken {
  /** Selector: finds the link. Public. */
  readonly linkId: string;
  /** 43 characters of base64url. Never stored, never logged. */
  readonly secret: string;
}

/** What decides whether a link can be claimed. */
export interface LinkTerms {
  readonly claimsAllowed: number;
  readonly claimsUsed: number;
  /** First moment of a claim; null for none. */
  readonly claimFromAt: EpochSeconds | null;
  /** First moment at which nobody claims any more; null for none. */
  readonly claimUntilAt: EpochSeconds | null;
  /** First moment at which nobody passes by it any more; null for none. */
  readonly accessUntilAt: EpochSeconds | null;
  readonly revokedAt: EpochSeconds | null;
}

/**
 * `open`         accounts may claim
 * `full`         all claims are used; members pass
 * `early`        the claim window has not begun
 * `past-window`  the claim window is over; members pass
 * `access-over`  nobody passes by it any more
 * `revoked`      ended by the owner, for good
 */
export type LinkState = 'open' | 'full' | 'early' | 'past-window' | 'access-over' | 'revoked';

/** `<link id>.<secret>`, the value of the parameter `authtoken`. @param secret  `linkSecretBytes` random bytes */
export function formatLinkToken(linkId: string, secret: Uint8Array): string {
  return `${linkId}.${Buffer.from(secret).toString('base64url')}`;
}

/** @returns null for what no link of ours ever had; the text may be anything of any length */
export function parseLinkToken(text: string): LinkToken | null {
  if (text.length !== 25 + 1 + 43) return null;
  const linkId = text.slice(0, 25);
  const secret = text.slice(26);
  if (text[25] !== '.' || !isId('link', linkId) || !/^[\w-]{43}$/.test(secret)) return null;
  return { linkId, secret };
}

/** What is stored of a secret: SHA-256 of its text, base64url. A plain digest is enough: the secret is 256 random bits. */
export function digestLinkSecret(secret: string): string {
  return digestOf(secret);
}

/** Compares in constant time. @param digest  as `digestLinkSecret` gives it */
export function isLinkSecret(digest: string, secret: string): boolean {
  return sameDigest(digest, digestOf(secret));
}

/** What hinders a claim first, in the order in which it is said to people: what is final comes before what may change. */
export function linkState(link: LinkTerms, now: EpochSeconds): LinkState {
  if (link.revokedAt !== null) return 'revoked';
  if (link.accessUntilAt !== null && link.accessUntilAt <= now) return 'access-over';
  if (link.claimUntilAt !== null && link.claimUntilAt <= now) return 'past-window';
  if (link.claimsUsed >= link.claimsAllowed) return 'full';
  return link.claimFromAt !== null && link.claimFromAt > now ? 'early' : 'open';
}

/**
 * Every scope that covers a canonical path: itself and the folders above it, the most specific one first. So that a store
 * finds rows by equality, whatever stands in them. A path with escapes that names are compared without gives its folders in
 * both spellings: rows have the compared one (`linkPath`), and older ones what was typed.
 *
 * @returns at most `most`; the root is always the last one
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
  // a path of that depth opens nothing of its own but what its uppermost folders say
  return scopes.length <= most ? scopes : scopes.slice(-most);
}
