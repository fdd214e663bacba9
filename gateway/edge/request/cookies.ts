// Our cookies inside a Cookie field: finding passes, and taking ours out so that no upstream ever sees one.
// Other cookies stay byte for byte. A cookie whose name is ours only to a reader that cuts more than blanks (`\xa0__Host-latchkey`,
// set by a sibling host for the whole domain) counts for nothing here and goes no further. Rules: RFC 6265 §4.2, §5.4.

import {
  cookieNameOf,
  cutCookieName,
  onlyCookieValueOf,
  pairValue,
  withoutLeadingBlanks,
} from '../../http1/cookie-pairs.ts';

/** Carries a pass; its path is the route's or the collection's. */
const passCookieName = 'latchkey_pass';

/** Carries the session of an account on one host. */
const sessionCookieName = '__Host-latchkey';
/** The same over plain HTTP on loopback, where a browser takes no `__Host-` cookie. */
const plainSessionCookieName = 'latchkey';

// Also the names that later parts of latchkey set: an upstream must never see or set one of them.
const ourNames: ReadonlySet<string> = new Set([
  passCookieName,
  sessionCookieName,
  '__Host-latchkey_device',
  '__Host-latchkey_flow',
  '__Host-latchkey_share',
  plainSessionCookieName,
  'latchkey_device',
  'latchkey_flow',
  'latchkey_share',
]);

const lowerCaseNames: ReadonlySet<string> = new Set([...ourNames].map((name) => name.toLowerCase()));

/** Whether a Cookie field's value holds cookies of ours, or cookies that some reader might take for ours. */
export function holdsOurCookies(value: string): boolean {
  // most sites' cookies are not ours: one search decides
  return value.includes('latchkey') && value.split(';').some(looksLikeOurs);
}

/** Appends the values of pass cookies to `into`, in the order sent and each once, until it holds `most`. */
export function passCookieValues(value: string, into: string[], most: number): void {
  for (const pair of value.split(';')) {
    if (into.length >= most) return;
    const token = pairValue(pair, passCookieName);
    if (token !== null && !into.includes(token)) into.push(token);
  }
}

/**
 * The value of the session cookie in a Cookie field; null without one, and empty, which is no session, when two differ. Only the name
 * that the cookie has on this connection counts: a site under the same domain can set the plain name, but no name that begins with
 * `__Host-`.
 */
export function sessionCookieValue(value: string, isSecure: boolean): string | null {
  return onlyCookieValueOf(value, isSecure ? sessionCookieName : plainSessionCookieName);
}

/**
 * @param keepsOurs  for our own pages, which need our cookies: only cookies that merely look like ours go
 * @returns the field's value without our cookies; empty when nothing else was in it
 */
export function withoutOurCookies(value: string, keepsOurs: boolean): string {
  let kept = '';
  for (const pair of value.split(';')) {
    if (looksLikeOurs(pair) && !(keepsOurs && ourNames.has(cookieNameOf(pair)))) continue;
    kept += kept === '' ? withoutLeadingBlanks(pair) : `;${pair}`;
  }
  return kept;
}

/** Whether the name of a pair is ours, once everything is cut that some reader might cut. */
function looksLikeOurs(pair: string): boolean {
  return ourNames.has(cutCookieName(pair));
}

/** Whether a Set-Cookie field's value sets one of our cookies, or one that some reader might take for ours; in any case of letters. */
export function setsOurCookie(value: string): boolean {
  return lowerCaseNames.has(cutCookieName(value.split(';', 1)[0] ?? '').toLowerCase());
}

/**
 * Set-Cookie line for a pass.
 *
 * @param isSecure  false only on plain HTTP over loopback, where browsers would drop a Secure cookie
 */
export function passCookieLine(token: string, path: string, maxAgeSeconds: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `Set-Cookie: ${passCookieName}=${token}; Path=${path}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}\r\n`;
}

/** Set-Cookie line that ends a pass cookie. */
export function clearPassLine(path: string, isSecure: boolean): string {
  return passCookieLine('', path, 0, isSecure);
}

/** Set-Cookie line for a session; with an empty token and 0 seconds, the one that ends it. */
export function sessionCookieLine(token: string, maxAgeSeconds: number, isSecure: boolean): string {
  const name = isSecure ? sessionCookieName : plainSessionCookieName;
  const secure = isSecure ? '; Secure' : '';
  return `Set-Cookie: ${name}=${token}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}\r\n`;
}
