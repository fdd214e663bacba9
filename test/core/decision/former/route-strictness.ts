// Whether one route is at least as strict as another one: whatever it lets pass, the other would let pass as well.
// Pure. It is asked when a configuration is compiled, where one place of a site may be reached under two routes; a new rule
// about who may ask what has to be compared here as well.

import type { RoutePolicy } from './snapshot.ts';

/**
 * Whether whoever may ask something on `route` may ask it on `other`. What changes in answers is not compared.
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
  if (other.takesAnyone) return true;
  if (route.takesAnyone) return false;
  for (const kind of kinds) if (route[kind] && !other[kind]) return false;
  if (route.takesToken || route.takesPass) {
    if (route.unscopedTokens === 'allow' && other.unscopedTokens !== 'allow') return false;
    if (route.maxTokenTtlSeconds > other.maxTokenTtlSeconds) return false;
    if (route.maxPassTtlSeconds > other.maxPassTtlSeconds) return false;
    if (route.audience.length !== other.audience.length) return false;
    if (!route.audience.every((name) => other.audience.includes(name))) return false;
  }
  if (!other.isRevocable) return true;
  return route.isRevocable && route.maxStalenessMs <= other.maxStalenessMs;
}

const kinds = ['takesToken', 'takesPass', 'takesPassword', 'takesSession', 'takesMember'] as const;

function isWithin(methods: readonly string[] | null, others: readonly string[] | null): boolean {
  if (others === null) return true;
  return methods?.every((method) => others.includes(method)) ?? false;
}
