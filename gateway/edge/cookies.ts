// Our cookies inside a Cookie field: finding passes, and taking ours out so that no upstream ever sees one.
// Other cookies stay byte for byte. Rules: RFC 6265 §4.2, §5.4.

/** Carries a pass; its path is the route's or the collection's. */
export const passCookieName = 'latchkey_pass';

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
  plainSessionCookieName,
  'latchkey_device',
  'latchkey_flow',
]);

export function isOurCookieName(name: string): boolean {
  return ourNames.has(name);
}

/** How many of our cookies a Cookie field's value holds. */
export function countOurCookies(value: string): number {
  let count = 0;
  for (const pair of value.split(';')) {
    if (ourNames.has(nameOf(pair))) count++;
  }
  return count;
}

/** Appends the values of pass cookies to `into`, in the order sent, until it holds `most`. */
export function passCookieValues(value: string, into: string[], most: number): void {
  for (const pair of value.split(';')) {
    if (into.length >= most) return;
    if (nameOf(pair) !== passCookieName) continue;
    const equals = pair.indexOf('=');
    if (equals >= 0) into.push(pair.slice(equals + 1).trim());
  }
}

/**
 * The value of the session cookie in a Cookie field; null without one. Only the name that this connection has it by counts: a
 * site under the same domain can set the plain one, but not one that begins with `__Host-`.
 */
export function sessionCookieValue(value: string, isSecure: boolean): string | null {
  const name = isSecure ? sessionCookieName : plainSessionCookieName;
  for (const pair of value.split(';')) {
    if (nameOf(pair) !== name) continue;
    const equals = pair.indexOf('=');
    if (equals >= 0) return pair.slice(equals + 1).trim();
  }
  return null;
}

/** @returns the field's value without our cookies; empty when nothing else was in it */
export function withoutOurCookies(value: string): string {
  let kept = '';
  for (const pair of value.split(';')) {
    if (ourNames.has(nameOf(pair))) continue;
    kept += kept === '' ? pair.trimStart() : `;${pair}`;
  }
  return kept;
}

/** Whether a Set-Cookie field's value sets one of our cookies. */
export function setsOurCookie(value: string): boolean {
  const pair = value.split(';', 1)[0] ?? '';
  const name = nameOf(pair);
  // a browser keeps `=name=value` as a cookie without a name, and sends it back as `name=value` (RFC 6265bis §5.7)
  return ourNames.has(name === '' ? nameOf(pair.slice(pair.indexOf('=') + 1)) : name);
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

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return (equals < 0 ? pair : pair.slice(0, equals)).trim();
}
