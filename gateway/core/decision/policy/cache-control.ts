// The `Cache-Control` of an answer that a credential opened: the visitor's own cache may keep the answer, shared caches may not.
// Directives that let shared caches keep the answer are removed; all others stay as the site sent them. Pure text work.
// Rules: RFC 9111 §3.5, §5.2.2 (s-maxage, private, public), RFC 9110 §5.6.4 (quoted strings), RFC 9213 (targeted fields).

import { withoutBlanks } from '../../model/blanks.ts';

/** Whether a field, by its lower-case name, is a `Cache-Control` for one kind of shared caches (RFC 9213 and its forerunners). */
export function isTargetedCacheField(name: string): boolean {
  return targetedNames.has(name) || name.endsWith('-cdn-cache-control');
}

const targetedNames: ReadonlySet<string> = new Set([
  'cdn-cache-control',
  'surrogate-control',
  'edge-control',
  'x-accel-expires',
]);

/** The value in place of one that cannot be parsed. */
const nothingKept = 'private, no-store';

/**
 * A `Cache-Control` under which no shared cache stores the answer.
 *
 * @param value  the site's own value, or several joined by commas; empty for none
 * @returns the value with `private` or `no-store`, and without `public`, `s-maxage` and `private="field"`; a value that is no list
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
    // some parsers would read a directive out of a malformed member, like `""public`
    if (name.includes('"')) return nothingKept;
    // `private="Set-Cookie"` keeps one field from shared caches and lets them store the rest
    if (name === 'public' || name === 's-maxage' || (name === 'private' && equals >= 0)) continue;
    if (name === 'private' || (name === 'no-store' && equals < 0)) isPrivate = true;
    kept.push(directive);
  }
  if (!isPrivate) kept.unshift('private');
  return kept.join(', ');
}

/** The members of the list without outer blanks, empty ones left out; null when a quoted string does not end. */
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
