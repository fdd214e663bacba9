// Path patterns of tokens: `/vod/*` is everything below `/vod/`, a `*` elsewhere stays inside one segment.
// Matching uses no regular expressions and no backtracking, so that every pattern costs one pass over the path.
// Rule: gateway/RULES.md "Claims". Paths and patterns are both brought to one form before they are compared: comparedForm of
// core/model/path.ts. So `ü`, `%C3%BC` and `%c3%bc` are one name in a pattern, and so are `(x)` and `%28x%29`.

import { canonicalText, comparedForm } from '../model/path.ts';

/** A compiled pattern. Made by `compilePathPattern`. */
export class PathPattern {
  /** The text before the first star, or the whole pattern. Nearly every refusal and most matches need no more than this. */
  readonly #literal: string;
  readonly #kind: 'exact' | 'below' | 'segments';
  /** For patterns of kind `segments`: the literal pieces around the stars, by segment. */
  readonly #segments: readonly (readonly string[])[];
  /** Whether the pattern ends in a segment that is just `*`. */
  readonly #endsBelow: boolean;

  /** @internal use `compilePathPattern` */
  constructor(text: string) {
    const star = text.indexOf('*');
    const segments = text.split('/').slice(1);
    this.#endsBelow = segments.at(-1) === '*';
    // stars are found before decoding: an encoded star (`%2A`) is an ordinary character of a name
    this.#literal = comparedForm(star < 0 ? text : text.slice(0, star));
    this.#kind = star < 0 ? 'exact' : this.#endsBelow && star === text.length - 1 ? 'below' : 'segments';
    const walked = this.#endsBelow ? segments.slice(0, -1) : segments;
    this.#segments = this.#kind === 'segments' ? walked.map((segment) => segment.split('*').map(comparedForm)) : [];
  }

  /** The folder of a pattern for everything below a folder; null for other patterns. */
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
    // all segments of the pattern matched: where it ends below a folder any path may follow, otherwise the path has to end here
    return this.#endsBelow ? start <= path.length : start === path.length + 1;
  }
}

/**
 * Compiles a pattern, however its names are spelled. A pattern may hold `%2F`, like a path.
 *
 * @param text  the pattern as the claim has it: text, not bytes
 * @returns null when the pattern is not absolute, has no canonical form (`..`, `//`, `?`, a `%` alone), or has two stars in a row
 */
export function compilePathPattern(text: string): PathPattern | null {
  const path = canonicalPattern(text);
  return path === null ? null : new PathPattern(path);
}

/** The canonical form of a pattern: ASCII, and fit for a cookie or a URL. @returns null where `compilePathPattern` returns null */
export function canonicalPattern(text: string): string | null {
  return text.includes('**') ? null : canonicalText(text);
}

/** The pattern of a scope: everything below a folder, or one path. A star in a scope is an ordinary character, which no pattern can express. */
export function scopePattern(scope: string): string {
  return scope.endsWith('/') ? `${scope}*` : scope;
}

/** The scope of a pattern that `scopePattern` made. */
export function scopeOfPattern(pattern: string): string {
  return pattern.endsWith('/*') ? pattern.slice(0, -1) : pattern;
}

/**
 * Whether path[start, end) consists of the pieces in their order with any text between them. For stars alone a greedy match from the
 * left is exact, and a search that leaves the segment ends the match, so the searches look at each character once.
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
  // a star that is a whole segment stands for one segment and not for none: `/a/*/b` does not match `/a//b`
  if (end === start) return false;
  if (position + last.length > end || !path.startsWith(last, end - last.length)) return false;
  // a star matches no character at which some server ends or cuts a name: a server that drops parameters reads `/secret.mp4;.m3u8` as
  // `/secret.mp4`, and one that decodes twice would see two segments or a query; a pattern may name such characters itself
  return cutsIn(path.slice(start, end)) === cutsIn(pieces.join('*'));
}

/**
 * Characters at which some server cuts a name, in compared form, where `%3B` is `;`. A server that decodes twice may read `%25` in
 * front of two hexadecimal digits as one of them.
 */
const cuts = /;|%2F|%3F|%23|%25(?=[0-9A-Fa-f]{2})/g;

function cutsIn(text: string): number {
  return text.match(cuts)?.length ?? 0;
}
