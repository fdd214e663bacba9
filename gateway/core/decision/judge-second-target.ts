// Judges the second resource that a request names: the target of a WebDAV move, the resource of a lock, the source of a copy in an
// object store. The second resource is judged like the request itself: canonical, same host, same route, same scope. Pure.
// Rules: RFC 4918 §9.8.4, §9.9.3, §10.3, §10.4.

import { canonicalPathAllowing, comparedForm, covers, encodedSlash, pathNeed } from '../model/path.ts';
import { checkScope } from '../token/common-key-token.ts';
import { scopeOfPattern } from '../token/path-pattern.ts';
import type { Permit } from './decide.ts';
import { chooseRoute } from './route/choose-route.ts';
import type { RequestFacts } from './state/facts.ts';
import type { Snapshot } from './state/snapshot.ts';

/** The path in its canonical form, or why it is refused, for the log. */
type SecondTarget =
  | { readonly kind: 'opened'; readonly path: string }
  | { readonly kind: 'refused'; readonly detail: string };

function refused(detail: string): SecondTarget {
  return { kind: 'refused', detail };
}

/**
 * @param rawPath  the path as the field has it, without query; the caller has checked that its host is the request's
 * @param reach    `tree`: everything below the path is copied or moved too (COPY, MOVE), so no other route may begin there
 */
export function judgeSecondTarget(
  rawPath: string,
  permit: Permit,
  facts: RequestFacts,
  snapshot: Snapshot,
  reach: 'one' | 'tree',
): SecondTarget {
  const { route } = permit;
  const needy = canonicalPathAllowing(rawPath, snapshot.takesPaths);
  if (needy === null) return refused('its path has no canonical form');
  const { path } = needy;
  const decoded = path.replaceAll(encodedSlash, '/');
  if (decoded.startsWith(snapshot.reservedPrefix) || decoded.startsWith(snapshot.tokenPathPrefix)) {
    return refused('its path is under a prefix that latchkey keeps for itself');
  }
  const isMerged = (needy.needs & pathNeed.merging) !== 0;
  const found = chooseRoute(snapshot.routes, facts.host, path, needy.needs & ~pathNeed.encodedSlash);
  if (found !== route || (isMerged && route.mergesPaths === 'by-redirect'))
    return refused('its path has another route');
  if (!isInScope(path, permit, facts)) return refused('its path is outside of what let the request pass');
  if (reach === 'tree' && hasOtherBelow(path, permit, facts, snapshot))
    return refused('another route lies below its path');
  return { kind: 'opened', path };
}

/** Whether another route begins below the request's own path, so that COPY or MOVE would take its resources along. */
export function hasOtherBelow(path: string, { route }: Permit, { host }: RequestFacts, snapshot: Snapshot): boolean {
  const folder = path.endsWith('/') ? path : `${path}/`;
  return snapshot.routes.hasOtherBelow(host, comparedForm(folder), route);
}

/** Whether the credential that let the request pass is limited to some paths. */
export function isScoped(permit: Permit): boolean {
  return permit.how === 'member' || (permit.token !== null && permit.token.scope.paths !== null);
}

function isInScope(path: string, permit: Permit, facts: RequestFacts): boolean {
  const { how, route, token, claims } = permit;
  switch (how) {
    // these kinds open the whole route, and the second path is on the same route
    case 'anyone':
    case 'session':
    case 'password':
      return true;
    case 'token':
    case 'pass':
      if (token === null) return false;
      return checkScope(token, route, { ...facts, path }) === null;
    case 'member': {
      // the scope is a folder or one path, as the access answer said; a star in it is an ordinary character
      const scope = claims?.paths?.[0] ?? '';
      return covers(scopeOfPattern(scope), path);
    }
    default:
      return how satisfies never;
  }
}
