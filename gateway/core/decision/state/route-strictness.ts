// Whether one route is at least as strict as another route: every request that it lets pass, the other route would let pass as well.
// Pure. It is called when a configuration is compiled, where one place of a site may be reached under two routes. A new rule about
// what a route lets pass has to be compared here as well.

import { isNoWider } from '../policy/who.ts';
import type { RoutePolicy } from './snapshot.ts';

/**
 * Whether every request that `route` lets pass would pass on `other` too. Rules about answers are not compared.
 *
 * @param who  only the accepted credentials are compared, and neither methods nor rate limits
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
  // a route for anyone lets in every credential too
  if (other.accept.includes('anyone')) return true;
  if (route.accept.includes('anyone')) return false;
  if (!isWithin(route.accept, other.accept) || !isNoWider(route.allow, other.allow)) return false;
  // the verifiers of tokens and of passes are tried on the same routes, so one of them shows both
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

/** Whether every word of one list is in the other list; null stands for the list of all words. */
function isWithin(words: readonly string[] | null, others: readonly string[] | null): boolean {
  if (others === null) return true;
  return words?.every((word) => others.includes(word)) ?? false;
}
