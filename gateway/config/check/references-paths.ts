// Warns of two mistakes in the paths of routes: a path that matches a single name where a folder was probably meant, and a path
// whose other form (`/admin` and `/admin/`) belongs to a route with other rules. Neither keeps the gateway from starting: a request
// that would be judged by looser rules is refused (core/decision/route/route-table.ts). A folder needs no warning: a request for its
// name without the slash is redirected to it.

import { type Problem, problemAt } from '../problems/problem.ts';
import type { Draft } from '../schema/inspect.ts';
import type { ConfigFile } from '../schema/schema.ts';

interface Place {
  readonly at: number;
  readonly path: string;
  /** What the route demands of a request, as one text, so that two routes can be compared. */
  readonly rules: string;
  /** Whether the route is open to everybody, so that no other route can have looser rules. */
  readonly isOpen: boolean;
}

export function checkPathEnds(draft: Draft<ConfigFile>, warnings: Problem[]): void {
  const groups = new Map<string, Place[]>();
  for (const [at, route] of (draft.routes ?? []).entries()) {
    if (route?.path === undefined || route.accept === undefined) continue;
    const rules = [...route.accept].sort().join(' ');
    const group = groups.get(route.host ?? '') ?? [];
    const more = [[...(route.methods ?? [])].sort(), route.rate_limit ?? null, route.allow ?? null];
    const isOpen = route.accept.includes('anyone') && route.methods === undefined && route.rate_limit === undefined;
    group.push({ at, path: route.path, rules: `${rules} ${JSON.stringify(more)}`, isOpen });
    groups.set(route.host ?? '', group);
  }
  for (const group of groups.values()) for (const place of group) checkEnds(place, group, warnings);
}

function checkEnds(place: Place, group: readonly Place[], warnings: Problem[]): void {
  const { at, path, rules, isOpen } = place;
  if (path.endsWith('/')) return;
  const other = `${path}/`;
  const owner = ownerOf(other, group);
  // a name with a dot is the name of a file, and is not mistaken for a folder
  const isFile = path.slice(path.lastIndexOf('/')).includes('.');
  const where = ['routes', at, 'path'];
  if (owner !== null && owner !== place && owner.rules !== rules && !isOpen) {
    const problem = `${other} is of routes[${owner.at}], which has other rules`;
    const hint = `requests for it get 400 where its rules are looser; write ${JSON.stringify(other)} to cover what is below as well`;
    warnings.push(problemAt(where, problem, hint));
  } else if (!isFile && !group.some((known) => known.path === other)) {
    const hint = `write ${JSON.stringify(other)} if what is below it is meant as well`;
    warnings.push(problemAt(where, `${path} covers this one path and nothing below it`, hint));
  }
}

/** The route that serves a path: the route with exactly this path, or else the longest folder around it. */
function ownerOf(path: string, group: readonly Place[]): Place | null {
  let best: Place | null = null;
  for (const place of group) {
    const isOwner = place.path.endsWith('/') ? path.startsWith(place.path) : path === place.path;
    if (isOwner && (best === null || place.path.length > best.path.length)) best = place;
  }
  return best;
}
