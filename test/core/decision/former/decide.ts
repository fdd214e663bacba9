// Decides who may pass. The same function serves the proxy and, later, proxies that ask.
// Pure: facts, snapshot, live index and time come in, a Decision goes out. The only maker of a Permit.
// Order and refusals: explicit credentials decide alone, ambient ones count as absent when they are bad
// (RFC 6750 §3.1 for the first; a stale cookie must not stop a visitor for the second).

import { userRecordNode } from '../../../../gateway/core/model/node-id.ts';
import type { EpochSeconds } from '../../../../gateway/core/model/time.ts';
import type { TokenClaims } from '../../../../gateway/core/token/claims.ts';
import type { TokenRefusal, VerifiedToken } from '../../../../gateway/core/token/common-key-token.ts';
import { coversMethod, memberClaims, type SessionHolder } from './access.ts';
import { type Answers, type Lookup, passwordClaims } from './answers.ts';
import { parseBasic } from './basic.ts';
import { type CookieChanges, clearedPass, clearedSession, renewedSession } from './cookie-changes.ts';
import { type Denial, deny, mayEnter, mayEnterFolder, mayGoOn, maySignIn, presented } from './denial.ts';
import { chooseOwn, countOwn } from './explicit-tokens.ts';
import type { CredentialPlace, RequestFacts } from './facts.ts';
import { isOfAnother, judgeSession } from './judge-session.ts';
import { isOutsideScope, judgeToken } from './judge-token.ts';
import { Misplaced, placeRequest } from './place-request.ts';
import type { AllowKind, DenyReason } from './reasons.ts';
import { refusalDetail, staleDetail } from './refusal-detail.ts';
import type { LiveIndex, RoutePolicy, Snapshot } from './snapshot.ts';

/** The right to forward one request. Only `decide` can make one: the class itself is not exported. */
class Permit {
  readonly kind = 'allow';
  readonly route: RoutePolicy;
  readonly how: AllowKind;
  /** Where the credential stood that let it in. Whoever asks, asks here: what else came with the request says nothing of it. */
  readonly place: CredentialPlace;
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
    place: CredentialPlace,
    token: VerifiedToken | null,
    claims: TokenClaims | null,
    issue: TokenClaims | null,
    cookies: CookieChanges | null,
    renew: VerifiedToken | null,
  ) {
    this.route = route;
    this.how = how;
    this.place = place;
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
    return new Permit(snapshot.reserved, 'anyone', 'nowhere', null, null, null, null, null);
  }
  const route = placeRequest(facts, snapshot);
  if (route === null) return denyNoRoute(facts, snapshot);
  if (route instanceof Misplaced) return denyMisplaced(route);

  // the path form is ours on every route: where tokens are not looked at, its token is taken out all the same
  if (facts.explicitForm === 'path' && facts.method !== 'GET' && facts.method !== 'HEAD') {
    return deny('path-form-method', route, 'a token in the path goes with GET and HEAD only', presented);
  }
  // before everything else that could decide: a link's token must never reach the site, whoever presents it
  if (facts.linkTokens > 0 && route.takesMember) return presentLink(facts, route, snapshot, live);
  const looksAtTokens = route.takesToken || route.takesPass;
  let sites: TokenRefusal | null = null;
  if (looksAtTokens && facts.explicitToken !== null) {
    const decision = decideExplicit(facts, route, snapshot, live, now);
    if (decision.kind !== 'refused') return decision;
    // not meant for us, so it decides nothing, unless nothing else opens the route
    sites = decision;
  }

  let cookies: CookieChanges | null = null;
  let outside: DenyReason | null = null;
  let stale: string | null = null;
  let ofAnother: Permit | null = null;
  if (looksAtTokens && facts.passCookies.length > 0) {
    for (const cookie of facts.passCookies) {
      const verified = live.verify(cookie);
      const verdict = judgeToken(verified, facts, route, snapshot, live, now);
      if (typeof verdict !== 'string') {
        const permit = allowToken(route, 'pass-cookie', verdict, cookies, now >= verdict.renewFrom ? verdict : null);
        if (!isOfAnother(verdict, facts, route, snapshot, live, now)) return permit;
        ofAnother ??= permit;
      } else if (verdict === 'index-stale' && verified.kind === 'verified') stale ??= staleDetail(verified, live);
      else if (isOutsideScope(verdict)) outside ??= verdict;
      // a pass that this route does not take is another one's, and good there
      else if (verdict !== 'credential-not-accepted') cookies = clearedPass(cookies, verified, route);
    }
  }

  // a cookie that is good elsewhere does not stop credentials that are good here
  const hasPassword = route.takesPassword && facts.basic !== null && ofAnother === null;
  if (route.looksAtSessions && facts.sessionCookie !== null) {
    const decision = decideSession(facts.sessionCookie, facts, route, snapshot, live, now, answers, cookies);
    if (decision.kind === 'deny') {
      if (ofAnother !== null) return ofAnother;
      if (!hasPassword) return decision;
    } else if (decision.kind !== 'absent') return decision;
    else stale ??= decision.stale;
    cookies = decision.cookies;
  }
  if (hasPassword) return decideBasic(facts.basic ?? '', facts, route, snapshot, live, now, answers, cookies);
  if (ofAnother !== null) return ofAnother;
  if (sites === null && route.takesAnyone) {
    return new Permit(route, 'anyone', 'nowhere', null, null, null, cookies, null);
  }
  // nobody is turned away for good, nor sent to sign in, because of what is not known right now
  if (stale !== null) return denyStale(route, stale, cookies);
  const signIn = route.looksAtSessions ? maySignIn : 0;
  if (outside !== null) return deny(outside, route, 'the pass holds, but not for this request', signIn, cookies);
  if (sites !== null) return deny(sites.reason, route, sites.detail, presented, cookies);
  return deny('no-credential', route, 'nothing that this route accepts was presented', signIn, cookies);
}

function denyMisplaced({ reason, route, detail, leadsTo }: Misplaced): Denial {
  return deny(reason, route, detail, leadsTo === 'folder' ? mayEnterFolder : leadsTo === 'path' ? mayGoOn : 0);
}

/** Who types the portal's name wants its first page. Only where no route serves that place. */
function denyNoRoute({ host, path, method }: RequestFacts, { portal }: Snapshot): Denial {
  const isDoor = path === '/' && portal !== null && host === portal.host && (method === 'GET' || method === 'HEAD');
  return deny('no-route', null, 'no route for this host and path', isDoor ? mayEnter : 0);
}

/** A link's token goes to control as it came, which asks for a session, asks back, and writes. It decides nothing here. */
function presentLink(facts: RequestFacts, route: RoutePolicy, snapshot: Snapshot, live: LiveIndex): Decision {
  const others = countOwn(facts, live) + (route.takesPassword && facts.basic !== null ? 1 : 0);
  if (facts.linkTokens + others > 1) {
    return deny('credential-repeated', route, 'a link token beside another credential', presented);
  }
  return new Permit(snapshot.reserved, 'anyone', 'nowhere', null, null, null, null, null);
}

/** Nobody is signed in; with what is to be cleared for it. */
interface Absent {
  readonly kind: 'absent';
  readonly cookies: CookieChanges | null;
  /** Somebody may be: what is not known well enough; null when nobody is. */
  readonly stale: string | null;
}

function absent(cookies: CookieChanges | null, stale: string | null = null): Absent {
  return { kind: 'absent', cookies, stale };
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
    if (live.indexAgeMs > route.maxStalenessMs) return absent(cookies, staleDetail(token, live));
  }
  const renew = now >= token.renewFrom ? token : null;
  if (route.takesSession)
    return new Permit(route, 'session', 'session-cookie', token, token.claims, null, cookies, renew);
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
      return new Permit(route, 'member', 'session-cookie', null, claims, issuable ? claims : null, cookies, renew);
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

/** @returns the refusal of a token that is not meant for us */
function decideExplicit(
  facts: RequestFacts,
  route: RoutePolicy,
  snapshot: Snapshot,
  live: LiveIndex,
  now: EpochSeconds,
): Decision | TokenRefusal {
  let form = facts.explicitForm ?? 'bearer';
  let token = facts.explicitToken ?? '';
  if (facts.explicitCount > 1) {
    const own = chooseOwn(facts, live);
    if (own === 'repeated') return deny('credential-repeated', route, 'more than one token was presented', presented);
    if (own !== null) ({ form, token } = own);
  }
  const verified = live.verify(token);
  if (verified.kind === 'refused' && form !== 'path' && !live.isOurs(token)) return verified;
  const verdict = judgeToken(verified, facts, route, snapshot, live, now);
  if (typeof verdict !== 'string') return allowToken(route, form, verdict, null, null);
  const detail = refusalDetail(verified, verdict, { route, facts, now, skewSeconds: snapshot.clockSkewSeconds, live });
  if (verdict === 'index-stale') return denyStale(route, detail, null);
  return deny(verdict, route, detail, presented);
}

function denyStale(route: RoutePolicy, detail: string, cookies: CookieChanges | null): Denial {
  return deny('index-stale', route, detail, 0, cookies, 1);
}

function decideBasic(
  basic: string,
  facts: RequestFacts,
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
      if (route.isRevocable && position !== null && live.hasRevoked([userRecordNode(answer.userRecordId)], position)) {
        return deny('control-away', route, 'the answer was overtaken by a revocation', presented, cookies, 1);
      }
      const claims = passwordClaims(answer, facts.host, route, snapshot, now);
      // a pass that no revocation could end is none
      const issue = position === null && route.isRevocable ? null : claims;
      return new Permit(route, 'password', 'basic', null, claims, issue, cookies, null);
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
  place: CredentialPlace,
  token: VerifiedToken,
  cookies: CookieChanges | null,
  renew: VerifiedToken | null,
): Permit {
  return new Permit(route, token.type === 'pass' ? 'pass' : 'token', place, token, token.claims, null, cookies, renew);
}
