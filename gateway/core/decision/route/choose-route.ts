// Chooses the route of a request, and refuses paths that two servers could read as two routes.
// How the upstream reads a path is not known: some servers drop path parameters (`/admin;x/` is `/admin/` to a servlet container), some
// drop dots and blanks at the end of a name, some serve a folder for its bare name. A path whose readings choose
// different routes could slip past the stricter one.
// Source: RFC 3986 §2.2 and §3.3; attacks like Oathkeeper CVE-2026-33494.

import { comparedForm, encodedSlash } from '../../model/path.ts';
import { DottedName, OtherEnd, type RouteAddress, type RouteTable } from './route-table.ts';

/** What `chooseRoute` needs to know of a route beside its address. */
interface ChosenRoute extends RouteAddress {
  /** Whether the route takes paths with `%2F`. */
  readonly keepsEncodedSlash: boolean;
  /** What else the route takes in paths, as bits of `pathNeed`. */
  readonly takesPaths: number;
}

/** Why a path has no route. */
type RouteProblem = 'ambiguous' | 'encoded-slash' | 'path-not-taken';

/**
 * @param path   canonical; may hold `%2F`
 * @param needs  what the path needs, beside `%2F`
 * @returns the route, null for none; `ambiguous` when another reading of the path has another route; `encoded-slash` for a
 *   `%2F` where no route takes it, `path-not-taken` for other needs that the route does not take; an `OtherEnd` where the path
 *   with or without its final slash has another policy
 */
export function chooseRoute<R extends ChosenRoute>(
  table: RouteTable<R>,
  host: string,
  path: string,
  needs = 0,
): R | OtherEnd<R> | null | RouteProblem {
  const hasEscape = path.includes('%');
  const compared = hasEscape ? comparedForm(path) : path;
  const walked = table.walk(host, compared);
  const isDotted = walked instanceof DottedName;
  const found = isDotted ? walked.found : walked;
  if (needs !== 0 && isNotTaken(found, needs)) return 'path-not-taken';
  if (!hasEscape && !isDotted && !path.includes(';')) return found;
  // a server that compares before decoding sees the path as it was sent
  if (compared !== path && table.place(host, path) !== found) return 'ambiguous';
  return readingProblem(table, host, compared, found) ?? found;
}

function isNotTaken<R extends ChosenRoute>(found: R | OtherEnd<R> | null, needs: number): boolean {
  const route = found instanceof OtherEnd ? found.route : found;
  return route === null || (needs & ~route.takesPaths) !== 0;
}

/** @returns null when every reading has this route */
function readingProblem<R extends ChosenRoute>(
  table: RouteTable<R>,
  host: string,
  path: string,
  found: R | OtherEnd<R> | null,
): RouteProblem | null {
  const route = found instanceof OtherEnd ? found.route : found;
  if (path.includes(encodedSlash) && route?.keepsEncodedSlash !== true) return 'encoded-slash';
  const decoded = decodeAll(path);
  const bare = withoutParameters(decoded);
  // a segment of parameters alone leaves `//`, which some servers merge with the next segment; dot segments can come from `%252e` only
  if (bare.includes('//') || /\/\.\.?(?:\/|$)|\\/.test(bare)) return 'ambiguous';
  const cut = bare.slice(0, bare.search(/[?#]|$/));
  for (const reading of [decoded, withoutParameters(path), bare, withoutTails(path), withoutTails(bare), cut]) {
    if (reading !== path && table.place(host, comparedForm(encoded(reading))) !== found) return 'ambiguous';
  }
  return null;
}

/** The path with encoded ASCII decoded until nothing changes. It ends: a path has at most 16 KiB, and each round shortens it. */
function decodeAll(path: string): string {
  let decoded = path;
  for (let round = 0; round < 8 && decoded.includes('%'); round++) {
    const once = decoded.replace(/%([2-7][0-9A-Fa-f])/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (once === decoded) break;
    decoded = once;
  }
  return decoded;
}

/** A reading in the form of routes: characters that it has decoded, and that compared form has not, are encoded again. */
function encoded(path: string): string {
  return path.replace(
    /[ "<>?#]|%(?![89A-Fa-f][0-9A-Fa-f])/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function withoutParameters(path: string): string {
  return path.replace(/;[^/]*/g, '');
}

/** Dots and blanks at the end of a name, which the file systems of Windows drop. */
function withoutTails(path: string): string {
  return path
    .split('/')
    .map((segment) => {
      let end = segment.length;
      for (;;) {
        if (segment.endsWith('.', end) || segment.endsWith(' ', end)) end--;
        else if (segment.endsWith('%20', end)) end -= 3;
        else return end === segment.length ? segment : segment.slice(0, end);
      }
    })
    .join('/');
}
