// Whether an outside token or a pass lets a request pass, wherever the token stood. Pure.
// A pass is judged by the answer that it was made from: it opens only what that answer would open now.

import { groupsNode } from '../../model/node-id.ts';
import type { TokenClaims } from '../../token/claims.ts';
import { checkScope, checkTimes, type TokenRefusal, type VerifiedToken } from '../../token/common-key-token.ts';
import { tokenKinds } from '../../token/token-kinds.ts';
import { isAmong, type WhoPolicy } from '../policy/who.ts';
import type { LiveIndex, RoutePolicy } from '../state/snapshot.ts';
import type { DenyReason } from '../verdict/reasons.ts';
import type { Case } from './case.ts';

/**
 * How many places of the log an index can be behind the maker of a pass: a store writes less than one change a millisecond, and the
 * changes since the log was last read arrive a moment later. A pass that is further ahead was not made by latchkey.
 */
const placesOnTheWay = 250;

/** The circumstances in which a token is judged. `LiveIndex.indexAgeMs` is of the same turn of the event loop. */
type TokenCase = Pick<Case, 'facts' | 'route' | 'snapshot' | 'live' | 'now'>;

/** Runs all checks on a token. @returns the token when it lets this request pass, else the reason */
export function judgeToken(
  verified: VerifiedToken | TokenRefusal,
  { facts, route, snapshot, live, now }: TokenCase,
): VerifiedToken | DenyReason {
  if (verified.kind === 'refused') return verified.reason;
  let maxTtlSeconds = route.maxTokenTtlSeconds;
  if (verified.type === 'outside') {
    if (!route.takesOutsideTokens) return 'credential-not-accepted';
  } else {
    if (tokenKinds[verified.type].standsIn === 'session-cookie') return 'token-wrong-type';
    const reason = judgeOrigin(verified, route, live);
    if (reason !== null) return reason;
    maxTtlSeconds = route.maxPassTtlSeconds;
  }
  // times and scope are checked on each request: only the result of the signature check is remembered
  const reason =
    checkTimes(verified, now, snapshot.clockSkewSeconds, maxTtlSeconds) ??
    checkScope(verified, route, facts) ??
    (route.allow === null ? null : judgeWho(verified, route, route.allow, live));
  if (reason !== null || !route.isRevocable) return reason ?? verified;
  if (live.isRevoked(verified)) return 'token-revoked';
  const ahead = verified.type === 'pass' ? live.placesAhead(verified) : 0;
  if (ahead > 0 && ahead > placesOnTheWay + live.indexAgeMs) return 'token-bad-claims';
  // last, because a token that is refused anyway needs no fresh index; an index that is behind the pass counts like an old one
  return ahead > 0 || live.indexAgeMs > route.maxStalenessMs ? 'index-stale' : verified;
}

/** Why a route that names people does not let the holder of a token in; null when it does. */
function judgeWho(token: VerifiedToken, route: RoutePolicy, allow: WhoPolicy, live: LiveIndex): DenyReason | null {
  if (!isAmong(allow, token.claims)) return 'not-allowed-here';
  return route.isRevocable && saysOldGroups(token.claims, live) ? 'token-revoked' : null;
}

/** Whether the groups of the account changed after its session or pass was made. The place of the log says it, so no clock matters. */
export function saysOldGroups({ sub, v }: TokenClaims, live: Pick<LiveIndex, 'hasRevoked'>): boolean {
  return sub !== undefined && v !== undefined && live.hasRevoked([groupsNode(sub)], { epoch: v[0], seq: v[1] });
}

/** Why this route does not take a pass; null when it does. */
function judgeOrigin(pass: VerifiedToken, route: RoutePolicy, live: LiveIndex): DenyReason | null {
  const { origin } = pass;
  if (typeof origin === 'object') return 'token-bad-claims';
  switch (origin) {
    case 'none':
      return route.takesOutsideTokens ? null : 'credential-not-accepted';
    case 'member':
    case 'password':
      if (route.accept.includes(origin)) return null;
      // a pass of a gateway with another store counts like a token of another holder of the common key (claim 1 of US 10,395,024)
      return route.takesOutsideTokens && live.isForeign(pass) ? null : 'credential-not-accepted';
    default:
      return origin satisfies never;
  }
}

/** Whether a reason says that a token is good, but for other requests. */
export function isOutsideScope(reason: DenyReason): boolean {
  return (
    reason === 'outside-path' ||
    reason === 'outside-method' ||
    reason === 'outside-host' ||
    reason === 'outside-address' ||
    reason === 'not-allowed-here'
  );
}
