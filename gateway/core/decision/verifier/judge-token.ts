// Whether one token lets one request pass: an outside token, or a pass, wherever it stood. Pure.
// A pass is judged by the answer that it was made from: it opens only what that answer would open if it were asked for now.

import { checkScope, checkTimes, type TokenRefusal, type VerifiedToken } from '../../token/common-key-token.ts';
import { tokenKinds } from '../../token/token-kinds.ts';
import type { LiveIndex, RoutePolicy } from '../state/snapshot.ts';
import type { DenyReason } from '../verdict/reasons.ts';
import type { Case } from './case.ts';

/**
 * How far an index may honestly be behind the maker of a pass: a store writes less than one change a millisecond, and what it wrote
 * since the log was read last is on its way for a moment longer. A pass that is further ahead was not made by latchkey.
 */
const placesOnTheWay = 250;

/** What a token is judged in. `LiveIndex.indexAgeMs` is of the same turn. */
type TokenCase = Pick<Case, 'facts' | 'route' | 'snapshot' | 'live' | 'now'>;

/** All checks on one token; a reason when it does not let this request pass. */
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
  // times and scope are checked on each request, so what is remembered of a token is its signature and nothing else
  const reason =
    checkTimes(verified, now, snapshot.clockSkewSeconds, maxTtlSeconds) ?? checkScope(verified, route, facts);
  if (reason !== null || !route.isRevocable) return reason ?? verified;
  if (live.isRevoked(verified)) return 'token-revoked';
  const ahead = verified.type === 'pass' ? live.placesAhead(verified) : 0;
  if (ahead > 0 && ahead > placesOnTheWay + live.indexAgeMs) return 'token-bad-claims';
  // Last: what is refused anyhow needs no fresh index. One that is behind the pass says nothing about it yet, as an old one does.
  return ahead > 0 || live.indexAgeMs > route.maxStalenessMs ? 'index-stale' : verified;
}

/** Why a pass is none for this route. */
function judgeOrigin(pass: VerifiedToken, route: RoutePolicy, live: LiveIndex): DenyReason | null {
  const { origin } = pass;
  if (typeof origin === 'object') return 'token-bad-claims';
  switch (origin) {
    case 'none':
      return route.takesOutsideTokens ? null : 'credential-not-accepted';
    case 'member':
    case 'password':
      if (route.accept.includes(origin)) return null;
      // what another store's gateway gave is here a token of somebody who holds the common key, as in claim 1 of US 10,395,024
      return route.takesOutsideTokens && live.isForeign(pass) ? null : 'credential-not-accepted';
    default:
      return origin satisfies never;
  }
}

/** Whether a token is good, and for something else than this request. */
export function isOutsideScope(reason: DenyReason): boolean {
  return (
    reason === 'outside-path' ||
    reason === 'outside-method' ||
    reason === 'outside-host' ||
    reason === 'outside-address'
  );
}
