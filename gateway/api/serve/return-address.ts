// Where a visitor goes after signing in: a path of the same origin in its one canonical form, or the front page.
// Whoever sends a link chooses this text, so nothing is repaired: what two readers could read in two ways is dropped.
// Rules: shared spelling of paths in core/model/path.ts; a browser reads `//`, `/\` and `/<tab>/` as another site.

import { canonicalPathKeepingSlashes } from '../../core/model/path.ts';

const maxLength = 2000;

/** What a browser sends in a query as it stands: printable ASCII without what ends or quotes an address. */
const cleanQuery = /^\?[!$-;=?-[\]_a-z~|^{}`]*$/;

/** @returns the path with its query when it is a sound address of this very site, else null */
export function soundReturnPath(text: string | null | undefined): string | null {
  if (typeof text !== 'string' || text.length === 0 || text.length > maxLength) return null;
  const mark = text.indexOf('?');
  const path = canonicalPathKeepingSlashes(mark < 0 ? text : text.slice(0, mark));
  // `//` and `/\` have no canonical form; this says it once more where it matters
  if (path === null || !path.startsWith('/') || /^\/[/\\]/.test(path)) return null;
  const query = mark < 0 ? '' : text.slice(mark);
  return query === '' || cleanQuery.test(query) ? path + query : null;
}

/** As `soundReturnPath`, with the front page instead of null. */
export function returnPathOf(text: string | null | undefined): string {
  return soundReturnPath(text) ?? '/';
}
