// What an answer changes of the cookies that came with its request: bad ones are cleared, a session that ran out is renewed.
// Pure data; the edge writes the lines. Nothing of this is made for a request whose cookies are good.

import type { TokenClaims } from '../../token/claims.ts';
import type { TokenRefusal, VerifiedToken } from '../../token/common-key-token.ts';
import { canonicalPattern, scopeOfPattern } from '../../token/path-pattern.ts';
import type { RenewedSession } from '../state/lookups.ts';
import type { RoutePolicy } from '../state/snapshot.ts';

export interface CookieChanges {
  /** Paths of pass cookies to clear. */
  readonly passPaths: readonly string[];
  readonly session: RenewedSession | 'clear' | null;
}

/** One more pass cookie to clear: at its own path when its claims can be believed, else at the route's. */
export function clearedPass(
  before: CookieChanges | null,
  verified: VerifiedToken | TokenRefusal,
  route: RoutePolicy,
): CookieChanges {
  const own = verified.kind === 'verified' && verified.type === 'pass' ? cookiePathOf(verified.claims) : null;
  const path = own ?? safeCookiePath(route.path);
  const passPaths = before?.passPaths ?? [];
  return { passPaths: passPaths.includes(path) ? passPaths : [...passPaths, path], session: before?.session ?? null };
}

export function clearedSession(before: CookieChanges | null): CookieChanges {
  return { passPaths: before?.passPaths ?? [], session: 'clear' };
}

export function renewedSession(before: CookieChanges | null, session: RenewedSession): CookieChanges {
  return { passPaths: before?.passPaths ?? [], session };
}

/** The path that a pass's cookie has: the one folder or path that it opens; null when it opens anything else. */
export function cookiePathOf(claims: TokenClaims): string | null {
  const [pattern, ...others] = claims.paths ?? [];
  if (pattern === undefined || others.length > 0) return null;
  // a holder of the key may have spelled the pattern in any way; a header takes the canonical one
  const written = canonicalPattern(pattern) ?? '*';
  const path = scopeOfPattern(written);
  return path.includes('*') ? null : safeCookiePath(path);
}

/** A semicolon may stand in a path and would end the attribute: then the folder above it is the cookie's (RFC 6265 §4.1.1). */
export function safeCookiePath(path: string): string {
  const semicolon = path.indexOf(';');
  return semicolon < 0 ? path : path.slice(0, path.lastIndexOf('/', semicolon) + 1);
}
