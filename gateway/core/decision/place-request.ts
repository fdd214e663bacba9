// Finds the route of a request, or says why its target has none. This comes before any credential is looked at, since the route does
// not depend on the user. Pure.
// Rules: gateway/RULES.md "Path and route" (one truth about the path); RFC 9110 §15.4.9 (308), §15.5.6 (405).

import { pathNeed } from '../model/path.ts';
import { chooseRoute } from './route/choose-route.ts';
import { OtherEnd } from './route/route-table.ts';
import type { RequestFacts } from './state/facts.ts';
import type { RoutePolicy, Snapshot } from './state/snapshot.ts';
import type { DenyReason } from './verdict/reasons.ts';

/** A target that is forwarded to no upstream. */
export class Misplaced {
  readonly reason: DenyReason;
  /** For the log; names the setting that would accept the target, where there is one. */
  readonly detail: string;
  /** The route that would have the target; null when that is not known. */
  readonly route: RoutePolicy | null;
  /** Where the visitor is redirected: to the folder of this name, or to the canonical path. */
  readonly leadsTo: 'folder' | 'path' | 'nowhere';

  constructor(
    reason: DenyReason,
    detail: string,
    route: RoutePolicy | null,
    leadsTo: Misplaced['leadsTo'] = 'nowhere',
  ) {
    this.reason = reason;
    this.detail = detail;
    this.route = route;
    this.leadsTo = leadsTo;
  }
}

const ambiguous = new Misplaced('ambiguous-path', 'two readings of the path, two routes', null);
const slash = new Misplaced('encoded-slash', 'an encoded slash (%2F) where no route says encoded_slash: keep', null);

/** @returns null when no route has this host and path */
export function placeRequest(facts: RequestFacts, snapshot: Snapshot): RoutePolicy | Misplaced | null {
  const { host, path, pathNeeds } = facts;
  const found = chooseRoute(snapshot.routes, host, path, pathNeeds);
  if (found === null) return null;
  if (typeof found === 'string') return problemOf(found, pathNeeds);
  if (found instanceof OtherEnd) return otherEnd(found, facts);
  if ((pathNeeds & pathNeed.merging) !== 0 && found.mergesPaths === 'by-redirect') {
    const detail = '// or /./ in the path, which is led to the path without (paths: redirect)';
    return new Misplaced('path-merged', detail, found, isReading(facts) ? 'path' : 'nowhere');
  }
  if (found.methods !== null && !found.methods.includes(facts.method)) {
    return new Misplaced('method-refused', 'the route does not take this method (methods)', found);
  }
  return found;
}

function problemOf(problem: 'ambiguous' | 'encoded-slash' | 'path-not-taken', needs: number): Misplaced {
  switch (problem) {
    case 'ambiguous':
      return ambiguous;
    case 'encoded-slash':
      return slash;
    case 'path-not-taken':
      return new Misplaced('path-not-taken', needText(needs), null);
    default:
      return problem satisfies never;
  }
}

function needText(needs: number): string {
  if ((needs & pathNeed.merging) !== 0) return '// or /./ in a path whose route does not say paths: merge or redirect';
  if ((needs & pathNeed.anyOctets) !== 0) {
    return 'bytes that are no UTF-8 in a path whose route does not say paths: { not_utf8: keep }';
  }
  if ((needs & pathNeed.rawLetters) !== 0) {
    return 'letters that are not encoded in a path whose route does not say paths: { raw_utf8: encode }';
  }
  return 'an encoded percent sign (%25XX) in a path whose route does not say paths: { encoded_percent: keep }';
}

/** The looser of the two routes never decides: the visitor is redirected to the folder, and the folder's route decides there. */
function otherEnd({ isFolder, other }: OtherEnd<RoutePolicy>, facts: RequestFacts): Misplaced {
  const spelled = isFolder ? 'with' : 'without';
  const detail = `the same path ${spelled} a slash at its end is of route ${other.name}, which has other rules`;
  return new Misplaced('other-end', detail, null, isFolder && isReading(facts) ? 'folder' : 'nowhere');
}

function isReading({ method }: RequestFacts): boolean {
  return method === 'GET' || method === 'HEAD';
}
