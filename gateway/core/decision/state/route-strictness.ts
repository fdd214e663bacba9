// Whether one route is at least as strict as another one: whatever it lets pass, the other would let pass as well.
// Pure. It is asked when a configuration is compiled, where one place of a site may be reached under two routes; a new rule
// about who may ask what has to be compared here as well.

import type { RoutePolicy } from './snapshot.ts';

/**
 * Whether every request that `route` lets pass would pass on `other` too. What changes in answers is not compared.
 *
 * @param who  only who is let in is compared, and not what may be asked nor how often
 */
export function isNoLooser(route: RoutePolicy, other: RoutePolicy, who?: 'who'): boolean {
  return (
    (who === 'who' || (isWithin(route.methods, other.methods) && isNoOftener(route, other))) &&
    letsInNoMore(route, other)
  );
}

function isNoOftener(route: RoutePolicy, other: RoutePolicy): boolean {
  return route.rateLimits !== null || other.rateLimits === null;
}

function letsInNoMore(route: RoutePolicy, other: RoutePolicy): boolean {
  // anyone's requests say nothing else
  if (other.accept.includes('anyone')) return true;
  if (route.accept.includes('anyone')) return false;
  if (!isWithin(route.accept, other.accept)) return false;
  // tokens and passes are tried on the same routes
  if (route.verifiers.includes('pass')) {
    if (route.unscopedTokens === 'allow' && other.unscopedTokens !== 'allow') return false;
    if (route.maxTokenTtlSeconds > other.maxTokenTtlSeconds) return false;
    if (route.maxPassTtlSeconds > other.maxPassTtlSeconds) return false;
    if (route.audience.length !== other.audience.length) return false;
    if (!route.audience.every((name) => other.audience.includes(name))) return false;
  }
  if (!other.isRevocable) return true;
  return route.isRevocable && route.maxStalenessMs <= other.maxStalenessMs;
}

/** Whether every word of one list is in the other; null is the list of everything. */
function isWithin(words: readonly string[] | null, others: readonly string[] | null): boolean {
  if (others === null) return true;
  return words?.every((word) => others.includes(word)) ?? false;
}
