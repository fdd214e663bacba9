// The claims of the passes that latchkey makes, from a granted access answer or from a verified password. No other file builds them.
// Pure. A pass is never wider or longer than the answer: where a pass cannot express the answer exactly, it is not issuable.
// Rules: gateway/RULES.md "Token types" (`lp+jwt`) and "Passes".

import type { LogPosition } from '../../model/change.ts';
import { userRecordNode } from '../../model/node-id.ts';
import type { EpochSeconds } from '../../model/time.ts';
import { maxTokenNodes, type TokenClaims } from '../../token/claims.ts';
import { scopePattern } from '../../token/path-pattern.ts';
import type { GrantedAccess, SessionHolder } from '../state/access.ts';
import type { VerifiedPassword } from '../state/lookups.ts';
import type { RoutePolicy, Snapshot } from '../state/snapshot.ts';

/** The settings of a route for the passes that are issued on it. */
type PassRoute = Pick<RoutePolicy, 'audience' | 'maxTokenTtlSeconds'>;

/** The settings for all passes. `passTtlSeconds` is the longest life of the pass that is made. */
type PassTerms = Pick<Snapshot, 'issuer' | 'clockSkewSeconds' | 'passTtlSeconds'>;

/**
 * The claims of the account that a granted answer lets in, which are also the claims of the pass that can be made of the answer.
 *
 * @param known  the place of the log at which the session was found live; the answer may be from a later place, and may have been asked
 *   for another session of the account
 * @returns `issuable`: whether a pass with these claims says no more than the answer does
 */
export function memberClaims(
  answer: GrantedAccess,
  holder: Pick<SessionHolder, 'session' | 'device'>,
  route: PassRoute,
  terms: PassTerms,
  now: EpochSeconds,
  known: LogPosition | null,
): { readonly claims: TokenClaims; readonly issuable: boolean } {
  const { scope, position } = answer;
  const nodes = [...new Set([...answer.nodes, holder.session, holder.device])];
  const audience = route.audience[0];
  // verifiers accept a token until `exp` plus the skew, so the skew is taken off: the access ends at exactly the answer's end
  const untilAt = scope.untilAt === null ? Number.POSITIVE_INFINITY : scope.untilAt - terms.clockSkewSeconds;
  const exp = Math.min(now + terms.passTtlSeconds, now + route.maxTokenTtlSeconds, untilAt);
  const claims: TokenClaims = {
    iss: terms.issuer,
    ...answer.claims,
    grant: answer.grant,
    sid: holder.session,
    did: holder.device,
    n: nodes,
    v: [position.epoch, known?.epoch === position.epoch ? Math.min(known.seq, position.seq) : position.seq],
    hosts: [scope.host],
    paths: [scopePattern(scope.path)],
    ...(scope.methods === null ? {} : { methods: scope.methods }),
    ...(audience === undefined ? {} : { aud: [audience] }),
    iat: now,
    exp,
  };
  // a star is an ordinary character in a path, but a wildcard in a token, so a pass for such a path would be wider
  const issuable = exp > now && nodes.length <= maxTokenNodes && !scope.path.includes('*');
  return { claims, issuable };
}

/**
 * The claims of the pass for a verified password. A route may serve many hosts, and the pass is for the requested host alone, because a
 * browser sends its password to that host only.
 */
export function passwordClaims(
  answer: VerifiedPassword,
  host: string,
  route: PassRoute & Pick<RoutePolicy, 'passPaths'>,
  terms: PassTerms,
  now: EpochSeconds,
): TokenClaims {
  const ttl = Math.min(terms.passTtlSeconds, route.maxTokenTtlSeconds);
  const audience = route.audience[0];
  return {
    iss: terms.issuer,
    sub: answer.sub,
    // id and version of the record: enough for revocations, and nothing that a guessed password could be tested against
    cred: { id: answer.userRecordId, v: answer.userRecordVersion },
    ...hangingOn(answer.userRecordId, answer.position),
    paths: route.passPaths,
    hosts: [host],
    iat: now,
    exp: now + ttl,
    ...(audience === undefined ? {} : { aud: [audience] }),
  };
}

/** The claims `n` and `v` of a pass that hangs on a user record; neither before a place of the log is known. */
export function hangingOn(userRecordId: string, position: LogPosition | null): Pick<TokenClaims, 'n' | 'v'> {
  return position === null ? {} : { n: [userRecordNode(userRecordId)], v: [position.epoch, position.seq] };
}
