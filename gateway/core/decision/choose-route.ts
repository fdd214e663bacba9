// Chooses the route of a request, and refuses paths that two servers could read as two routes.
// The upstream's reading is not known: some drop path parameters (`/admin;x/` is `/admin/` to a servlet container), some
// decode `%40` before they compare. A path whose readings choose different routes could slip past the stricter one.
// Source: RFC 3986 §2.2 and §3.3; the family of Oathkeeper CVE-2026-33494 and Traefik's seven fixes.

import { encodedSlash } from '../model/path.ts';
import type { RouteAddress, RouteTable } from './route-table.ts';

/** What choosing needs to know of a route beside its address. */
export interface ChosenRoute extends RouteAddress {
  /** The route takes paths with `%2F` in them. */
  readonly keepsEncodedSlash: boolean;
}

/**
 * @param path  canonical; may hold `%2F`
 * @returns the route, null for none, `ambiguous` when another reading of the path has another route, `encoded-slash` for a
 *   `%2F` where no route takes it
 */
export function chooseRoute<R extends ChosenRoute>(
  table: RouteTable<R>,
  host: string,
  path: string,
): R | null | 'ambiguous' | 'encoded-slash' {
  const route = table.find(host, path);
  const hasEscape = path.includes('%');
  if (!hasEscape && !path.includes(';')) return route;
  if (hasEscape && path.includes(encodedSlash) && route?.keepsEncodedSlash !== true) return 'encoded-slash';
  const decoded = hasEscape ? decodeReserved(path) : path;
  const bare = withoutParameters(decoded);
  // a segment of nothing but parameters leaves `//`, which some merge into the segment behind it
  if (bare.includes('//')) return 'ambiguous';
  const isSame =
    table.find(host, decoded) === route &&
    table.find(host, withoutParameters(path)) === route &&
    table.find(host, bare) === route;
  return isSame ? route : 'ambiguous';
}

/** Reserved and other ASCII characters decoded; bytes above stay as they are, as in the paths of routes. */
function decodeReserved(path: string): string {
  return path.replace(/%([2-7][0-9A-F])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function withoutParameters(path: string): string {
  return path.replace(/;[^/]*/g, '');
}
