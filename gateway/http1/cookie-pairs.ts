// The one reading of a Cookie field: pairs between semicolons, SP and HT around them, the first `=` ends the name.
// Edges and control both read our cookies by it, so that neither takes for ours what the other does not. Nothing is decoded
// and no quotes are taken off: our own values need neither. Rules: RFC 6265 §4.2.1, §5.4.

import { isBlank, withoutBlanks } from '../core/model/blanks.ts';

/** Name of one pair; of a pair without `=`, which browsers send for a cookie without a name, all of it. */
export function cookieNameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return withoutBlanks(equals < 0 ? pair : pair.slice(0, equals));
}

/** Value of the first pair of that name, as sent; null without one. */
export function cookieValueOf(field: string, name: string): string | null {
  // most fields hold it nowhere: one search decides
  if (!field.includes(name)) return null;
  for (const pair of field.split(';')) {
    const value = pairValue(pair, name);
    if (value !== null) return value;
  }
  return null;
}

/**
 * As `cookieValueOf`, for a cookie that a browser holds once: two that differ say that somebody slipped one in, and which
 * of them comes first is in nobody's hands. @returns empty for such two
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

/** The value of this pair when it has that name; null otherwise. */
export function pairValue(pair: string, name: string): string | null {
  const equals = pair.indexOf('=');
  return equals >= 0 && withoutBlanks(pair.slice(0, equals)) === name ? withoutBlanks(pair.slice(equals + 1)) : null;
}

/**
 * The name that is left when everything is cut that some reader might cut: blanks of any kind, quotes, control
 * characters, bytes from 80 on, and `=` in front, since browsers keep `=name=value` as a cookie without a name and some
 * send it back as `name=value` (RFC 6265bis §5.7).
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

/** Letters, digits, `_` and `-`: all that names of ours are made of. */
function isNameCharacter(code: number): boolean {
  const letter = code | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f || code === 0x2d;
}
