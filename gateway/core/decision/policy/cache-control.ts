// What an answer that a credential opened says to caches: the visitor's own may keep it, shared ones may not.
// A directive that lets a shared cache keep it goes; everything else stays as the site said it. Pure text work.
// Rules: RFC 9111 §3.5, §5.2.2 (s-maxage, private, public), RFC 9110 §5.6.4 (quoted strings), RFC 9213 (targeted fields).

import { withoutBlanks } from '../../model/blanks.ts';

/** Fields that tell one kind of shared cache more than `Cache-Control` does. Lower case; RFC 9213 and its forerunners. */
export function isTargetedCacheField(name: string): boolean {
  return targetedNames.has(name) || name.endsWith('-cdn-cache-control');
}

const targetedNames: ReadonlySet<string> = new Set([
  'cdn-cache-control',
  'surrogate-control',
  'edge-control',
  'x-accel-expires',
]);

/** What is said where nothing can be believed. */
const nothingKept = 'private, no-store';

/**
 * A `Cache-Control` that no shared cache stores by.
 *
 * @param value  the site's own: one field's value, or several joined by commas; empty for none
 * @returns with `private` or `no-store` in it, without `public`, `s-maxage` and `private="field"`; a value that is no list
 *   of directives becomes `private, no-store`
 */
export function privateCacheControl(value: string): string {
  const directives = splitDirectives(value);
  if (directives === null) return nothingKept;
  let isPrivate = false;
  const kept: string[] = [];
  for (const directive of directives) {
    const equals = directive.indexOf('=');
    const name = withoutBlanks(equals < 0 ? directive : directive.slice(0, equals)).toLowerCase();
    // some parsers would find another directive in what is none, like `""public`
    if (name.includes('"')) return nothingKept;
    // `private="Set-Cookie"` keeps one field from shared caches and gives them the rest
    if (name === 'public' || name === 's-maxage' || (name === 'private' && equals >= 0)) continue;
    if (name === 'private' || (name === 'no-store' && equals < 0)) isPrivate = true;
    kept.push(directive);
  }
  if (!isPrivate) kept.unshift('private');
  return kept.join(', ');
}

/** The list's members without blanks and empty ones; null when a quoted string does not end. */
function splitDirectives(value: string): string[] | null {
  const directives: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let index = 0; index <= value.length; index++) {
    const code = index === value.length ? comma : value.charCodeAt(index);
    if (isQuoted) {
      if (index === value.length) return null;
      if (code === 0x5c) index++;
      else if (code === 0x22) isQuoted = false;
    } else if (code === 0x22) {
      isQuoted = true;
    } else if (code === comma) {
      const directive = withoutBlanks(value.slice(start, index));
      if (directive !== '') directives.push(directive);
      start = index + 1;
    }
  }
  return isQuoted ? null : directives;
}

const comma = 0x2c;
