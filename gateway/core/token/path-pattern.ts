// Path patterns of tokens: `/vod/*` is everything below `/vod/`, a `*` elsewhere stays inside one segment.
// No regular expressions and no backtracking: one pass over the path per pattern, whatever the pattern says.
// Rule: gateway/RULES.md "Claims". Paths and patterns are both brought to one form before they are compared: comparedForm of
// core/model/path.ts. So `ü`, `%C3%BC` and `%c3%bc` are one name in a pattern, and so are `(x)` and `%28x%29`.

import { canonicalText, comparedForm } from '../model/path.ts';

/** One compiled pattern. Made by `compilePathPattern`. */
export class PathPattern {
  /** The text before the first star, or the whole pattern. Nearly every refusal and most matches end here. */
  readonly #literal: string;
  readonly #kind: 'exact' | 'below' | 'segments';
  /** Literal pieces around the stars, per segment; used by `segments` only. */
  readonly #segments: readonly (readonly string[])[];
  /** Whether the pattern ends in a segment that is just `*`. */
  readonly #endsBelow: boolean;

  /** @internal use `compilePathPattern` */
  constructor(text: string) {
    const star = text.indexOf('*');
    const segments = text.split('/').slice(1);
    this.#endsBelow = segments.at(-1) === '*';
    // the stars are found first: an encoded one (`%2A`) is a character of a name and stands for nothing but itself
    this.#literal = comparedForm(star < 0 ? text : text.slice(0, star));
    this.#kind = star < 0 ? 'exact' : this.#endsBelow && star === text.length - 1 ? 'below' : 'segments';
    const walked = this.#endsBelow ? segments.slice(0, -1) : segments;
    this.#segments = this.#kind === 'segments' ? walked.map((segment) => segment.split('*').map(comparedForm)) : [];
  }

  /** The folder of a pattern that is everything below one; null for other patterns. */
  get folder(): string | null {
    return this.#kind === 'below' ? this.#literal : null;
  }

  /**
   * Whether a path matches. `/vod/*` matches `/vod/` itself as well, as a folder route does.
   *
   * @param path  from `comparedForm`
   */
  matches(path: string): boolean {
    if (this.#kind === 'exact') return path === this.#literal;
    if (!path.startsWith(this.#literal)) return false;
    return this.#kind === 'below' || this.#matchesSegments(path);
  }

  #matchesSegments(path: string): boolean {
    let start = 1;
    for (let index = 0; index < this.#segments.length; index++) {
      const pieces = this.#segments[index];
      if (pieces === undefined || start > path.length) return false;
      const slash = path.indexOf('/', start);
      const end = slash < 0 ? path.length : slash;
      if (!matchesPieces(path, start, end, pieces)) return false;
      start = end + 1;
    }
    // All segments are used up: below a folder anything may follow its slash, otherwise nothing may.
    return this.#endsBelow ? start <= path.length : start === path.length + 1;
  }
}

/**
 * Compiles one pattern, in whatever way its names are spelled. `%2F` may stand in it as in a path.
 *
 * @param text  as the claim says it: text, not bytes
 * @returns null when it is not absolute, has no canonical form (`..`, `//`, `?`, a `%` alone), or has two stars in a row
 */
export function compilePathPattern(text: string): PathPattern | null {
  const path = canonicalPattern(text);
  return path === null ? null : new PathPattern(path);
}

/** The canonical form of a pattern: ASCII, and what a cookie or a URL may say. @returns null as `compilePathPattern` */
export function canonicalPattern(text: string): string | null {
  return text.includes('**') ? null : canonicalText(text);
}

/** The pattern of a scope: everything below a folder, or one path. A star in a scope is a character, which no pattern can say. */
export function scopePattern(scope: string): string {
  return scope.endsWith('/') ? `${scope}*` : scope;
}

/** The scope that a pattern of `scopePattern` is for. */
export function scopeOfPattern(pattern: string): string {
  return pattern.endsWith('/*') ? pattern.slice(0, -1) : pattern;
}

/**
 * Whether path[start, end) is the pieces in order with anything between them. Greedy from the left is exact for stars
 * alone, and a search that leaves the segment ends the whole match: so no character is looked at twice by a search.
 */
function matchesPieces(path: string, start: number, end: number, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (!path.startsWith(first, start)) return false;
  if (pieces.length === 1) return start + first.length === end;
  let position = start + first.length;
  for (let index = 1; index < pieces.length - 1; index++) {
    const piece = pieces[index] ?? '';
    const found = path.indexOf(piece, position);
    if (found < 0 || found + piece.length > end) return false;
    position = found + piece.length;
  }
  // A star that is a whole segment stands for one: `/a/*/b` never means `/a//b`.
  if (end === start) return false;
  if (position + last.length > end || !path.startsWith(last, end - last.length)) return false;
  // What ends or cuts a name to some server is in no star: to one that drops parameters `/secret.mp4;.m3u8` is `/secret.mp4`,
  // and one that decodes once more would see two segments or a query. A pattern may spell these out.
  return cutsIn(path.slice(start, end)) === cutsIn(pieces.join('*'));
}

/** In compared form, where `%3B` is `;`. `%25` in front of two hexadecimal digits is one of these to who decodes twice. */
const cuts = /;|%2F|%3F|%23|%25(?=[0-9A-Fa-f]{2})/g;

function cutsIn(text: string): number {
  return text.match(cuts)?.length ?? 0;
}
