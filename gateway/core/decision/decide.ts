// Decides who may pass. The same function serves the proxy and, later, proxies that ask.
// Pure: facts, snapshot, live index and time come in, a Decision goes out. The only maker of a Permit.
// Order and refusals: explicit credentials decide alone, ambient ones count as absent when they are bad
// (RFC 6750 §3.1 for the first; a stale cookie must not stop a visitor for the second).

import { credentialNode } from '../model/node-id.ts';
import type { EpochSeconds } from '../model/time.ts';
import type { TokenClaims } from '../token/claims.ts';
import { checkScope, checkTimes, type TokenRefusal, type VerifiedToken } from '../token/common-key-token.ts';
import { coversMethod, memberClaims, type SessionHolder } from './access.ts';
import { type Answers, type Lookup, passwordClaims } from './answers.ts';
import { parseBasic } from './basic.ts';
import { chooseRoute } from './choose-route.ts';
import { type CookieChanges, clearedPass, clearedSession, renewedSession } from './cookie-changes.ts';
import type { RequestFacts } from './facts.ts';
import { isOfAnother, judgeSession } from './judge-session.ts';
import type { AllowKind, DenyReason } from './reasons.ts';
import type { LiveIndex, RoutePolicy, Snapshot } from './snapshot.ts';

/** The right to forward one request. Only `decide` can make one: the class itself is not exported. */
class Permit {
  readonly kind = 'allow';
  readonly route: RoutePolicy;
  readonly how: AllowKind;
  /** The token that let it pass, a session too; null for anyone, for a password, and for an answer about access. */
  readonly token: VerifiedToken | null;
  /** Who asks; null for anyone. */
  readonly claims: TokenClaims | null;
  /** Claims of the pass that the answer is to carry; null when none is issued. */
  readonly issue: TokenClaims | null;
  /** What the answer changes of the cookies that came; null for nothing. */
  readonly cookies: CookieChanges | null;
  /** The cookie that let it in is past half its life: it is renewed while the request goes on. Null nearly always. */
  readonly renew: VerifiedToken | null;
  readonly #madeByDecide = true;

  constructor(
    route: RoutePolicy,
    how: AllowKind,
    token: VerifiedToken | null,
    claims: TokenClaims | null,
    issue: TokenClaims | null,
    cookies: CookieChanges | null,
    renew: VerifiedToken | null,
  ) {
    this.route = route;
    this.how = how;
    this.token = token;
    this.claims = claims;
    this.issue = issue;
    this.cookies = cookies;
    this.renew = renew;
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
  readonly cookies: CookieChanges | null;
  /** Where a person goes from here: signing in may help, or they knocked at the portal's door. Null: nowhere, it is refused. */
  readonly leadsTo: 'sign-in' | 'portal' | null;
  /** For the log: which check failed. Never a piece of a credential. */
  readonly detail: string;
  /** Seconds after which asking again may help; 0 when it will not. */
  readonly retryAfterSeconds: number;
}

export type Decision = Permit | Denial | Lookup;

/** Whether a value is a permit that `decide` made; what `forward` asks before it opens anything. */
export function isPermit(value: object): boolean {
  return Permit.isPermit(value);
}

/**
 * @param answers  control's answers to the Lookups that calls before this one returned; null on the first call
 * @returns a Lookup only of a kind that `answers` does not answer
 */
export function decide(
  facts: RequestFacts,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
  answers: Answers | null,
): Decision {
  // latchkey's own pages come before any route, so that no route can shadow them
  if (facts.isReserved) {
    // a name that nobody configured is somebody's rebinding, or a certificate that covers too much (RFC 9110 §15.5.20)
    if (!snapshot.routes.knowsHost(facts.host)) return deny('unknown-host', null, 'no route has this host');
    return new Permit(snapshot.reserved, 'anyone', null, null, null, null, null);
  }
  const route = chooseRoute(snapshot.routes, facts.host, facts.path);
  if (route === 'encoded-slash') return deny('encoded-slash', null, 'an encoded slash (%2F) where no route keeps it');
  if (route === 'ambiguous') return deny('ambiguous-path', null, 'two readings of the path, two routes');
  if (route === null) return denyNoRoute(facts, snapshot);

  // the path form is ours on every route: where tokens are not looked at, its token is taken out all the same
  if (facts.explicitForm === 'path' && facts.method !== 'GET' && facts.method !== 'HEAD') {
    return deny('path-form-method', route, 'a token in the path goes with GET and HEAD only', presented);
  }
  // before everything else that could decide: a link's token must never reach the site, whoever presents it
  if (facts.linkTokens > 0 && route.takesMember) return presentLink(facts, route, snapshot);
  const looksAtTokens = route.takesToken || route.takesPass;
  if (looksAtTokens && facts.explicitToken !== null) return decideExplicit(facts, route, snapshot, live, now);

  let cookies: CookieChanges | null = null;
  let outside: DenyReason | null = null;
  let isStale = false;
  let foreign: Permit | null = null;
  if (looksAtTokens && facts.passCookies.length > 0) {
    for (const cookie of facts.passCookies) {
      const verified = live.verify(cookie);
      const verdict = judge(verified, facts, route, snapshot, live, now);
      if (typeof verdict !== 'string') {
        const permit = allowToken(route, verdict, cookies, now >= verdict.renewFrom ? verdict : null);
        if (!isOfAnother(verdict, facts, route, snapshot, live, now)) return permit;
        foreign ??= permit;
      } else if (verdict === 'index-stale') isStale = true;
      else if (isOutsideScope(verdict)) outside ??= verdict;
      // a pass that this route does not take is another one's, and good there
      else if (verdict !== 'credential-not-accepted') cookies = clearedPass(cookies, verified, route);
    }
  }

  // a cookie that is good elsewhere does not stop credentials that are good here
  if (route.takesPassword && facts.basic !== null && foreign === null) {
    return decideBasic(facts.basic, route, snapshot, live, now, answers, cookies);
  }
  if (route.looksAtSessions && facts.sessionCookie !== null) {
    const decision = decideSession(facts.sessionCookie, facts, route, snapshot, live, now, answers, cookies);
    if (decision.kind === 'deny' && foreign !== null) return foreign;
    if (decision.kind !== 'absent') return decision;
    cookies = decision.cookies;
    if (decision.isStale) isStale = true;
  }
  if (foreign !== null) return foreign;
  if (route.takesAnyone) return new Permit(route, 'anyone', null, null, null, cookies, null);
  // nobody is turned away for good, nor sent to sign in, because of what is not known right now
  if (isStale) return denyStale(route, cookies);
  const signIn = route.looksAtSessions ? maySignIn : 0;
  if (outside !== null) return deny(outside, route, 'the pass holds, but not for this request', signIn, cookies);
  return deny('no-credential', route, 'nothing that this route accepts was presented', signIn, cookies);
}

/** Who types the portal's name wants its first page. Only where no route serves that place. */
function denyNoRoute({ host, path, method }: RequestFacts, { portal }: Snapshot): Denial {
  const isDoor = path === '/' && portal !== null && host === portal.host && (method === 'GET' || method === 'HEAD');
  return deny('no-route', null, 'no route for this host and path', isDoor ? mayEnter : 0);
}

/** A link's token goes to control as it came, which asks for a session, asks back, and writes. It decides nothing here. */
function presentLink(facts: RequestFacts, route: RoutePolicy, snapshot: Snapshot): Decision {
  const others = facts.explicitCount + (route.takesPassword && facts.basic !== null ? 1 : 0);
  if (facts.linkTokens + others > 1) {
    return deny('credential-repeated', route, 'a link token beside another credential', presented);
  }
  return new Permit(snapshot.reserved, 'anyone', null, null, null, null, null);
}

/** Nobody is signed in; with what is to be cleared for it. */
interface Absent {
  readonly kind: 'absent';
  readonly cookies: CookieChanges | null;
  /** Somebody may be: it is not known well enough what was revoked. */
  readonly isStale: boolean;
}

function absent(cookies: CookieChanges | null, isStale = false): Absent {
  return { kind: 'absent', cookies, isStale };
}

/** A token that was renewed for this request is newer than the request. */
const renewalSeconds = 10;

/** Somebody may be signed in: any account will do, or the access list says whether this one does. */
function decideSession(
  cookie: string,
  facts: RequestFacts,
  route: RoutePolicy,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
  answers: Answers | null,
  before: CookieChanges | null,
): Decision | Absent {
  let cookies = before;
  let session = judgeSession(cookie, facts.host, snapshot, live, now);
  if (session.kind === 'run-out') {
    const renewal = answers?.session ?? null;
    if (renewal === null) return { kind: 'lookup', question: 'session', route, holder: session.holder };
    if (renewal.kind === 'away') return whenAway(route, cookies);
    if (renewal.kind === 'ended') return absent(clearedSession(cookies));
    const { account, session: id } = session.holder;
    session = judgeSession(renewal.token, facts.host, snapshot, live, now + renewalSeconds);
    if (session.kind !== 'live' || session.holder.account !== account || session.holder.session !== id) {
      return whenAway(route, cookies);
    }
    cookies = renewedSession(cookies, renewal);
  }
  if (session.kind !== 'live') return absent(clearedSession(cookies));
  const { token, holder } = session;
  if (route.isRevocable) {
    if (live.isRevoked(token)) return absent(clearedSession(cookies));
    if (live.indexAgeMs > route.maxStalenessMs) return absent(cookies, true);
  }
  const renew = now >= token.renewFrom ? token : null;
  if (route.takesSession) return new Permit(route, 'session', token, token.claims, null, cookies, renew);
  return decideMember(holder, facts, route, snapshot, live, now, answers, cookies, renew);
}

function decideMember(
  holder: SessionHolder,
  facts: RequestFacts,
  route: RoutePolicy,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
  answers: Answers | null,
  cookies: CookieChanges | null,
  renew: VerifiedToken | null,
): Decision | Absent {
  const answer = answers?.access ?? live.findAccess(holder.account, holder.host, facts.path, now);
  if (answer === null) return { kind: 'lookup', question: 'access', route, holder, path: facts.path };
  switch (answer.kind) {
    case 'granted': {
      // the cache forgets what was revoked and what is on its way is held to it: this is the second lock
      if (route.isRevocable && live.hasRevoked(answer.nodes, answer.position)) return whenAway(route, cookies);
      if (!coversMethod(answer.scope.methods, facts.method)) {
        return deny('outside-method', route, 'a member, but not with this method', 0, cookies);
      }
      const { claims, issuable } = memberClaims(answer, holder, route, snapshot, now, live.position);
      return new Permit(route, 'member', null, claims, issuable ? claims : null, cookies, renew);
    }
    case 'none':
      if (route.takesAnyone) return absent(cookies);
      return deny('not-a-member', route, 'signed in, but not on the access list', 0, cookies);
    case 'ended':
      return absent(clearedSession(cookies));
    case 'away':
      return whenAway(route, cookies);
    default:
      return answer satisfies never;
  }
}

/** Control could not be asked: whoever is signed in gets what anyone gets, or has to come again. */
function whenAway(route: RoutePolicy, cookies: CookieChanges | null): Denial | Absent {
  if (route.takesAnyone) return absent(cookies);
  return deny('control-away', route, 'control did not answer', 0, cookies, 1);
}

function decideExplicit(
  facts: RequestFacts,
  route: RoutePolicy,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
): Decision {
  if (facts.explicitCount > 1)
    return deny('credential-repeated', route, 'more than one token was presented', presented);
  const verdict = judge(live.verify(facts.explicitToken ?? ''), facts, route, snapshot, live, now);
  if (verdict === 'index-stale') return denyStale(route, null);
  if (typeof verdict === 'string') return deny(verdict, route, 'the presented token was refused', presented);
  return allowToken(route, verdict, null, null);
}

/** All checks on one token; a reason when it does not let this request pass. */
function judge(
  verified: VerifiedToken | TokenRefusal,
  facts: RequestFacts,
  route: RoutePolicy,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
): VerifiedToken | DenyReason {
  if (verified.kind === 'refused') return verified.reason;
  // a session stands in its own cookie and nowhere else
  if (verified.type === 'session') return 'token-wrong-type';
  if (!route.takesToken) {
    if (verified.type === 'outside') return 'credential-not-accepted';
    // a password that opens one route is no membership on another
    if (verified.claims.cred !== undefined && !route.takesPassword) return 'credential-not-accepted';
  }
  // times and scope are checked on each request, so what is remembered of a token is its signature and nothing else
  const reason =
    checkTimes(verified, now, snapshot.clockSkewSeconds, route.maxTokenTtlSeconds) ??
    checkScope(verified, route, facts);
  if (reason !== null || !route.isRevocable) return reason ?? verified;
  if (live.isRevoked(verified)) return 'token-revoked';
  // last: what is refused anyhow needs no fresh index
  return live.indexAgeMs > route.maxStalenessMs ? 'index-stale' : verified;
}

function denyStale(route: RoutePolicy, cookies: CookieChanges | null): Denial {
  return deny('index-stale', route, 'what was revoked is not known well enough', 0, cookies, 1);
}

function decideBasic(
  basic: string,
  route: RoutePolicy,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
  answers: Answers | null,
  cookies: CookieChanges | null,
): Decision {
  const credentials = parseBasic(basic);
  if (credentials === null) {
    return deny('password-malformed', route, 'Authorization: Basic does not hold user:password', presented, cookies);
  }
  const answer = answers?.password ?? null;
  if (answer === null) return { kind: 'lookup', question: 'password', route, ...credentials };
  switch (answer.kind) {
    case 'verified': {
      const { position } = answer;
      // the record went while it was being compared
      if (route.isRevocable && position !== null && live.hasRevoked([credentialNode(answer.credentialId)], position)) {
        return deny('control-away', route, 'the answer was overtaken by a revocation', presented, cookies, 1);
      }
      const claims = passwordClaims(answer, route, snapshot, now);
      // a pass that no revocation could end is none
      const issue = position === null && route.isRevocable ? null : claims;
      return new Permit(route, 'password', null, claims, issue, cookies, null);
    }
    case 'refused':
      return deny('password-wrong', route, 'unknown user or wrong password', presented, cookies);
    case 'busy':
      return deny('password-busy', route, 'too many password checks', presented, cookies, answer.retryAfterSeconds);
    case 'away':
      return deny('control-away', route, 'control did not answer', presented, cookies, 1);
    default:
      return answer satisfies never;
  }
}

function allowToken(
  route: RoutePolicy,
  token: VerifiedToken,
  cookies: CookieChanges | null,
  renew: VerifiedToken | null,
): Permit {
  return new Permit(route, token.type === 'pass' ? 'pass' : 'token', token, token.claims, null, cookies, renew);
}

function isOutsideScope(reason: DenyReason): boolean {
  return (
    reason === 'outside-path' ||
    reason === 'outside-method' ||
    reason === 'outside-host' ||
    reason === 'outside-address'
  );
}

/** An explicit credential was presented. */
export const presented = 1;
const maySignIn = 2;
const mayEnter = 3;

/** @param flags  `presented`, `maySignIn`, `mayEnter`, or 0 */
export function deny(
  reason: DenyReason,
  route: RoutePolicy | null,
  detail: string,
  flags = 0,
  cookies: CookieChanges | null = null,
  retryAfterSeconds = 0,
): Denial {
  return {
    kind: 'deny',
    reason,
    route,
    presented: flags === presented,
    cookies,
    leadsTo: flags === maySignIn ? 'sign-in' : flags === mayEnter ? 'portal' : null,
    detail,
    retryAfterSeconds,
  };
}
