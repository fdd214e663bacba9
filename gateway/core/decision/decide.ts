// Decides who may pass. The same function serves the proxy and, later, proxies that ask.
// Pure: facts, snapshot, live index and time come in, a Decision goes out. The only maker of a Permit.
// Order and refusals: explicit credentials decide alone, ambient ones count as absent when they are bad
// (RFC 6750 §3.1 for the first; a stale cookie must not stop a visitor for the second).

import type { EpochSeconds } from '../model/time.ts';
import type { TokenClaims } from '../token/claims.ts';
import { checkScope, checkTimes, type VerifiedToken } from '../token/common-key-token.ts';
import { parseBasic } from './basic.ts';
import { chooseRoute } from './choose-route.ts';
import type { RequestFacts } from './facts.ts';
import type { AllowKind, DenyReason } from './reasons.ts';
import type { LiveIndex, RoutePolicy, Snapshot } from './snapshot.ts';

/** The right to forward one request. Only `decide` can make one: the class itself is not exported. */
class Permit {
  readonly kind = 'allow';
  readonly route: RoutePolicy;
  readonly how: AllowKind;
  /** The token that let it pass; null for anyone and for a password. */
  readonly token: VerifiedToken | null;
  /** Who asks; null for anyone. */
  readonly claims: TokenClaims | null;
  /** Claims of the pass that the answer is to carry; null when none is issued. */
  readonly issue: TokenClaims | null;
  /** A pass cookie was wrong or expired and is to be cleared. */
  readonly clearPass: boolean;
  readonly #madeByDecide = true;

  constructor(
    route: RoutePolicy,
    how: AllowKind,
    token: VerifiedToken | null,
    claims: TokenClaims | null,
    issue: TokenClaims | null,
    clearPass: boolean,
  ) {
    this.route = route;
    this.how = how;
    this.token = token;
    this.claims = claims;
    this.issue = issue;
    this.clearPass = clearPass;
  }

  static isPermit(value: object): boolean {
    return #madeByDecide in value;
  }
}

export type { Permit };

/** A refusal, and what its answer may say. */
export interface Denial {
  readonly kind: 'deny';
  readonly reason: DenyReason;
  /** null when no route matched. */
  readonly route: RoutePolicy | null;
  /** An explicit credential was presented, so the answer is `invalid_token` and not an invitation. */
  readonly presented: boolean;
  readonly clearPass: boolean;
  /** For the log: which check failed. Never a piece of a credential. */
  readonly detail: string;
  /** Seconds after which asking again may help; 0 when it will not. */
  readonly retryAfterSeconds: number;
}

/** A question that only control can answer. */
export interface Lookup {
  readonly kind: 'lookup';
  readonly route: RoutePolicy;
  readonly user: string;
  readonly password: string;
}

/** Control's answer to a Lookup; `away` when there was none in time. */
export type LookupAnswer =
  | {
      readonly kind: 'verified';
      readonly sub: string;
      readonly credentialId: string;
      readonly credentialVersion: number;
    }
  | { readonly kind: 'refused' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number }
  | { readonly kind: 'away' };

export type Decision = Permit | Denial | Lookup;

/** Whether a value is a permit that `decide` made; what `forward` asks before it opens anything. */
export function isPermit(value: object): boolean {
  return Permit.isPermit(value);
}

/**
 * @param answer  control's answer to the Lookup that a first call returned; null on the first call
 * @returns a Lookup only when `answer` is null
 */
export function decide(
  facts: RequestFacts,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
  answer: LookupAnswer | null,
): Decision {
  // latchkey's own pages come before any route, so that no route can shadow them
  if (facts.isReserved) {
    // a name that nobody configured is somebody's rebinding, or a certificate that covers too much (RFC 9110 §15.5.20)
    if (!snapshot.routes.knowsHost(facts.host) && facts.host !== snapshot.portalHost)
      return deny('unknown-host', null, false, false, 'no route has this host');
    return new Permit(snapshot.reserved, 'anyone', null, null, null, false);
  }
  const route = chooseRoute(snapshot.routes, facts.host, facts.path);
  if (route === 'encoded-slash') {
    return deny('encoded-slash', null, false, false, 'an encoded slash (%2F) where no route keeps it');
  }
  if (route === 'ambiguous') return deny('ambiguous-path', null, false, false, 'two readings of the path, two routes');
  if (route === null) return deny('no-route', null, false, false, 'no route for this host and path');

  // the path form is ours on every route: where tokens are not looked at, its token is taken out all the same
  if (facts.explicitForm === 'path' && facts.method !== 'GET' && facts.method !== 'HEAD') {
    return deny('path-form-method', route, true, false, 'a token in the path goes with GET and HEAD only');
  }
  const looksAtTokens = route.takesToken || route.takesPass;
  if (looksAtTokens && facts.explicitToken !== null) return decideExplicit(facts, route, snapshot, live, now);

  let clearPass = false;
  let outside: DenyReason | null = null;
  let isStale = false;
  if (looksAtTokens && facts.passCookies.length > 0) {
    for (const cookie of facts.passCookies) {
      const verdict = judge(cookie, facts, route, snapshot, live, now);
      if (typeof verdict !== 'string') return allowToken(route, verdict, clearPass);
      if (verdict === 'index-stale') isStale = true;
      else if (isOutsideScope(verdict)) outside ??= verdict;
      else clearPass = true;
    }
  }

  // a cookie that is good elsewhere does not stop credentials that are good here
  if (route.takesPassword && facts.basic !== null)
    return decideBasic(facts.basic, route, snapshot, now, answer, clearPass);
  if (route.takesAnyone) return new Permit(route, 'anyone', null, null, null, clearPass);
  // nobody is turned away for good, nor sent to sign in, because of what is not known right now
  if (isStale) return denyStale(route, clearPass);
  if (outside !== null) return deny(outside, route, false, clearPass, 'the pass holds, but not for this request');
  return deny('no-credential', route, false, clearPass, 'nothing that this route accepts was presented');
}

function decideExplicit(
  facts: RequestFacts,
  route: RoutePolicy,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
): Decision {
  if (facts.explicitCount > 1)
    return deny('credential-repeated', route, true, false, 'more than one token was presented');
  const verdict = judge(facts.explicitToken ?? '', facts, route, snapshot, live, now);
  if (verdict === 'index-stale') return denyStale(route, false);
  if (typeof verdict === 'string') return deny(verdict, route, true, false, 'the presented token was refused');
  return allowToken(route, verdict, false);
}

/** All checks on one token; a reason when it does not let this request pass. */
function judge(
  token: string,
  facts: RequestFacts,
  route: RoutePolicy,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
): VerifiedToken | DenyReason {
  const verified = live.verify(token);
  if (verified.kind === 'refused') return verified.reason;
  // a session stands in its own cookie and nowhere else
  if (verified.type === 'session') return 'token-wrong-type';
  if (verified.type === 'outside' && !route.takesToken) return 'credential-not-accepted';
  // times and scope are checked on each request, so what is remembered of a token is its signature and nothing else
  const reason =
    checkTimes(verified, now, snapshot.clockSkewSeconds, route.maxTokenTtlSeconds) ??
    checkScope(verified, route, facts);
  if (reason !== null || !route.isRevocable) return reason ?? verified;
  if (live.isRevoked(verified)) return 'token-revoked';
  // last: what is refused anyhow needs no fresh index
  return live.indexAgeMs > route.maxStalenessMs ? 'index-stale' : verified;
}

function denyStale(route: RoutePolicy, clearPass: boolean): Denial {
  return deny('index-stale', route, false, clearPass, 'what was revoked is not known well enough', 1);
}

function decideBasic(
  basic: string,
  route: RoutePolicy,
  snapshot: Snapshot,
  now: EpochSeconds,
  answer: LookupAnswer | null,
  clearPass: boolean,
): Decision {
  const credentials = parseBasic(basic);
  if (credentials === null) {
    return deny('password-malformed', route, true, clearPass, 'Authorization: Basic does not hold user:password');
  }
  if (answer === null) return { kind: 'lookup', route, user: credentials.user, password: credentials.password };
  switch (answer.kind) {
    case 'verified': {
      const claims = passClaims(answer, route, snapshot, now);
      return new Permit(route, 'password', null, claims, claims, clearPass);
    }
    case 'refused':
      return deny('password-wrong', route, true, clearPass, 'unknown user or wrong password');
    case 'busy':
      return deny('password-busy', route, true, clearPass, 'too many password checks', answer.retryAfterSeconds);
    case 'away':
      return deny('control-away', route, true, clearPass, 'control did not answer', 1);
    default:
      return answer satisfies never;
  }
}

function passClaims(
  answer: Extract<LookupAnswer, { kind: 'verified' }>,
  route: RoutePolicy,
  snapshot: Snapshot,
  now: EpochSeconds,
): TokenClaims {
  const ttl = Math.min(snapshot.passTtlSeconds, route.maxTokenTtlSeconds);
  const audience = route.audience[0];
  return {
    iss: snapshot.issuer,
    sub: answer.sub,
    // the record's id and version: enough to revoke by, and nothing that a guess could be tested against
    cred: { id: answer.credentialId, v: answer.credentialVersion },
    paths: route.passPaths,
    iat: now,
    exp: now + ttl,
    ...(route.host === null ? {} : { hosts: [route.host] }),
    ...(audience === undefined ? {} : { aud: [audience] }),
  };
}

function allowToken(route: RoutePolicy, token: VerifiedToken, clearPass: boolean): Permit {
  return new Permit(route, token.type === 'pass' ? 'pass' : 'token', token, token.claims, null, clearPass);
}

function isOutsideScope(reason: DenyReason): boolean {
  return (
    reason === 'outside-path' ||
    reason === 'outside-method' ||
    reason === 'outside-host' ||
    reason === 'outside-address'
  );
}

function deny(
  reason: DenyReason,
  route: RoutePolicy | null,
  presented: boolean,
  clearPass: boolean,
  detail: string,
  retryAfterSeconds = 0,
): Denial {
  return { kind: 'deny', reason, route, presented, clearPass, detail, retryAfterSeconds };
}
