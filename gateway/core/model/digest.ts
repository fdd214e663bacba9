// The digest of texts: SHA-256 in base64url. It is for keys of tables and maps, and for secrets of 128 random bits or more.
// It is not for passwords, which are too easy to guess for a fast digest.

import { Buffer } from 'node:buffer';
import { hash, timingSafeEqual } from 'node:crypto';

/** @returns 43 characters of base64url, without padding */
export function digestOf(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** Compares two digests in constant time, so that the time does not tell where they differ. */
export function sameDigest(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
