// Checks the address that a visitor goes to after signing in: a path of the same origin in canonical form, or else `/`.
// The sender of a link chooses this text, so nothing in it is repaired: text that two programs could read in two ways is dropped.
// Rules: the canonical form of paths is in core/model/path.ts; browsers read `//`, `/\` and `/<tab>/` as the beginning of another site.

import { canonicalPathKeepingSlashes } from '../../core/model/path.ts';

const maxLength = 2000;

/** The characters that browsers send in a query without encoding them: printable ASCII, less those that end or quote an address. */
const cleanQuery = /^\?[!$-;=?-[\]_a-z~|^{}`]*$/;

/** @returns the canonical path with its query, at most 2000 characters of input; null when it is not surely an address of this site */
export function soundReturnPath(text: string | null | undefined): string | null {
  if (typeof text !== 'string' || text.length === 0 || text.length > maxLength) return null;
  const mark = text.indexOf('?');
  const path = canonicalPathKeepingSlashes(mark < 0 ? text : text.slice(0, mark));
  // a path with `//` or `/\` has no canonical form; tested again here, because here it would lead to another site
  if (path === null || !path.startsWith('/') || /^\/[/\\]/.test(path)) return null;
  const query = mark < 0 ? '' : text.slice(mark);
  return query === '' || cleanQuery.test(query) ? path + query : null;
}

/** As `soundReturnPath`, with `/` instead of null. */
export function returnPathOf(text: string | null | undefined): string {
  return soundReturnPath(text) ?? '/';
}
