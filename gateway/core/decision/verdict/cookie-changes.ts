// What an answer changes about the request's cookies: bad cookies are cleared, a session that has run out is renewed.
// Pure data; the edge writes the lines. A request whose cookies are good gets no such object.

import type { TokenClaims } from '../../token/claims.ts';
import type { TokenRefusal, VerifiedToken } from '../../token/common-key-token.ts';
import { canonicalPattern, scopeOfPattern } from '../../token/path-pattern.ts';
import type { RenewedSession } from '../state/lookups.ts';
import type { RoutePolicy } from '../state/snapshot.ts';

export interface CookieChanges {
  /** The paths of the pass cookies that are cleared. */
  readonly passPaths: readonly string[];
  readonly session: RenewedSession | 'clear' | null;
}

/** Clears one more pass cookie: at the path that its claims name when its signature holds, else at the route's path. */
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

/** The path of a pass's cookie: the one folder or path that the pass opens; null when it opens several or a pattern. */
export function cookiePathOf(claims: TokenClaims): string | null {
  const [pattern, ...others] = claims.paths ?? [];
  if (pattern === undefined || others.length > 0) return null;
  // a holder of the key may have spelled the pattern in any way, and only its canonical form fits into a header
  const written = canonicalPattern(pattern) ?? '*';
  const path = scopeOfPattern(written);
  return path.includes('*') ? null : safeCookiePath(path);
}

/** A path that fits into the attribute of a cookie. A semicolon would end the attribute, so the folder above is taken (RFC 6265 §4.1.1). */
export function safeCookiePath(path: string): string {
  const semicolon = path.indexOf(';');
  return semicolon < 0 ? path : path.slice(0, path.lastIndexOf('/', semicolon) + 1);
}
