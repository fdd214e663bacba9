// Reads a Cookie field: semicolons separate pairs, SP and HT around a pair are cut, the first `=` ends the name.
// Edges and control both read latchkey's cookies with these functions, so that they never disagree about which cookies are
// latchkey's. Values are not decoded and keep their quotes: latchkey's own values need neither. Rules: RFC 6265 §4.2.1, §5.4.

import { isBlank, withoutBlanks } from '../core/model/blanks.ts';

/** The name of a pair. A pair without `=`, which browsers send for a cookie without a name, counts as a name as a whole. */
export function cookieNameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return withoutBlanks(equals < 0 ? pair : pair.slice(0, equals));
}

/** The value of the first pair of that name, as sent; null when no pair has the name. */
export function cookieValueOf(field: string, name: string): string | null {
  // most fields do not hold the name at all, and one search shows that
  if (!field.includes(name)) return null;
  for (const pair of field.split(';')) {
    const value = pairValue(pair, name);
    if (value !== null) return value;
  }
  return null;
}

/**
 * The value of a cookie that a browser can hold only once. Two pairs of that name with different values mean that another party
 * set one of them, and their order does not say which.
 *
 * @returns the value as sent; empty for two different values; null when no pair has the name
 */
export function onlyCookieValueOf(field: string, name: string): string | null {
  if (!field.includes(name)) return null;
  let found: string | null = null;
  for (const pair of field.split(';')) {
    const value = pairValue(pair, name);
    if (value === null) continue;
    if (found !== null && found !== value) return '';
    found = value;
  }
  return found;
}

/** The value of a pair that has the name; null for a pair with another name. */
export function pairValue(pair: string, name: string): string | null {
  const equals = pair.indexOf('=');
  return equals >= 0 && withoutBlanks(pair.slice(0, equals)) === name ? withoutBlanks(pair.slice(equals + 1)) : null;
}

/**
 * The name of a pair without all characters around it that some server may cut: blanks of any kind, quotes, control characters,
 * bytes from 0x80 on, and `=` in front. Browsers keep `=name=value` as a cookie without a name, and some send it back as
 * `name=value` (RFC 6265bis §5.7).
 */
export function cutCookieName(pair: string): string {
  let start = 0;
  while (start < pair.length && !isNameCharacter(pair.charCodeAt(start))) start++;
  const equals = pair.indexOf('=', start);
  let end = equals < 0 ? pair.length : equals;
  while (end > start && !isNameCharacter(pair.charCodeAt(end - 1))) end--;
  return pair.slice(start, end);
}

/** @returns the text without SP and HT in front */
export function withoutLeadingBlanks(text: string): string {
  let start = 0;
  while (start < text.length && isBlank(text.charCodeAt(start))) start++;
  return text.slice(start);
}

/** Whether a character is a letter, a digit, `_` or `-`. Names of latchkey's cookies have no other characters. */
function isNameCharacter(code: number): boolean {
  const letter = code | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f || code === 0x2d;
}
