// The claims of the passes that latchkey makes: of an access list's yes, and of a verified password. The one builder of them.
// Pure. A pass is never wider or longer than the answer: where a pass could not say exactly that, it is not issuable.
// Rules: gateway/RULES.md "Token types" (`lp+jwt`), gateway/ARCHITECTURE.md invariants 11 and 12.

import type { LogPosition } from '../../model/change.ts';
import { userRecordNode } from '../../model/node-id.ts';
import type { EpochSeconds } from '../../model/time.ts';
import { maxTokenNodes, type TokenClaims } from '../../token/claims.ts';
import { scopePattern } from '../../token/path-pattern.ts';
import type { GrantedAccess, SessionHolder } from '../state/access.ts';
import type { VerifiedPassword } from '../state/lookups.ts';
import type { RoutePolicy, Snapshot } from '../state/snapshot.ts';

/** What a route says of the passes that are given on it. */
type PassRoute = Pick<RoutePolicy, 'audience' | 'maxTokenTtlSeconds'>;

/** What a configuration says of all passes. `passTtlSeconds` is the longest life of the pass that is made. */
type PassTerms = Pick<Snapshot, 'issuer' | 'clockSkewSeconds' | 'passTtlSeconds'>;

/**
 * Claims of whom a granted answer lets in, in the form of the pass that can be made of it.
 *
 * @param known  the place of the log at which the session was found good; the answer may be of a later one, and be another session's
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
  // verifiers take a token until `exp` and the skew: the answer's own end is kept to the second
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
  // a star is a character of a path, and a pattern in a token
  const issuable = exp > now && nodes.length <= maxTokenNodes && !scope.path.includes('*');
  return { claims, issuable };
}

/**
 * Claims of the pass that a password turns into. A route may serve many hosts: the pass is for the one that was asked, as the browser
 * that asked it will send its password to that one only.
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
    // the record's id and version: enough to revoke by, and nothing that a guess could be tested against
    cred: { id: answer.userRecordId, v: answer.userRecordVersion },
    ...hangingOn(answer.userRecordId, answer.position),
    paths: route.passPaths,
    hosts: [host],
    iat: now,
    exp: now + ttl,
    ...(audience === undefined ? {} : { aud: [audience] }),
  };
}

/** `n` and `v` of what hangs on a user record; none before the log is known, when nothing of it can be said. */
export function hangingOn(userRecordId: string, position: LogPosition | null): Pick<TokenClaims, 'n' | 'v'> {
  return position === null ? {} : { n: [userRecordNode(userRecordId)], v: [position.epoch, position.seq] };
}
