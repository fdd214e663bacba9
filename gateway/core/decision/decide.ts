// Decides who may pass: facts, snapshot, live index and time come in, a Decision goes out. Pure. The only maker of a Permit.
// It finds the route, and asks the route's verifiers in the order of trial (verifier/verifiers.ts). Explicit credentials decide
// alone, ambient ones count as absent when they are bad (RFC 6750 §3.1 for the first; a stale cookie must not stop a visitor).

import type { EpochSeconds } from '../model/time.ts';
import type { TokenClaims } from '../token/claims.ts';
import type { VerifiedToken } from '../token/common-key-token.ts';
import { Misplaced, placeRequest } from './place-request.ts';
import type { CredentialPlace, RequestFacts } from './state/facts.ts';
import { type Answers, type Lookup, noAnswers } from './state/lookups.ts';
import type { LiveIndex, RoutePolicy, Snapshot } from './state/snapshot.ts';
import type { CookieChanges } from './verdict/cookie-changes.ts';
import { type Denial, deny } from './verdict/denial.ts';
import type { AllowKind } from './verdict/reasons.ts';
import { Case } from './verifier/case.ts';
import { verify } from './verifier/verifiers.ts';

/** The right to forward one request. Only `decide` can make one: the class itself is not exported. */
class Permit {
  readonly kind = 'allow';
  readonly route: RoutePolicy;
  readonly how: AllowKind;
  /** Where the credential stood that let the request in. The rest of the request says nothing of it, so every later rule asks here. */
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

  private constructor(
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

  /** The permit for the verdict that a verifier left in the case. */
  static ofVerdict({ route, how, place, token, claims, issue, cookies, renew }: Case): Permit {
    return new Permit(route, how, place, token, claims, issue, cookies, renew);
  }

  /** The permit for latchkey's own pages, which anyone may open. */
  static ofOwnPages({ reserved }: Snapshot): Permit {
    return new Permit(reserved, 'anyone', 'nowhere', null, null, null, null, null);
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
 * Decides about one request.
 *
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
    return Permit.ofOwnPages(snapshot);
  }
  const route = placeRequest(facts, snapshot);
  if (route === null) return denyNoRoute(facts, snapshot);
  if (route instanceof Misplaced) return denyMisplaced(route);

  // the path form is ours on every route: where tokens are not looked at, its token is taken out all the same
  if (facts.explicitForm === 'path' && facts.method !== 'GET' && facts.method !== 'HEAD') {
    return deny('path-form-method', route, 'a token in the path goes with GET and HEAD only', { presented: true });
  }
  const request = new Case(facts, route, snapshot, live, now, answers ?? noAnswers);
  const { verifiers } = route;
  for (let at = 0; at < verifiers.length; at++) {
    const kind = verifiers[at];
    if (kind === undefined) break;
    const outcome = verify(kind, request);
    if (outcome === 'next') continue;
    if (outcome === 'allow') return Permit.ofVerdict(request);
    return outcome === 'own-pages' ? Permit.ofOwnPages(snapshot) : outcome;
  }
  return denyUnopened(request);
}

function denyMisplaced({ reason, route, detail, leadsTo }: Misplaced): Denial {
  return deny(reason, route, detail, { leadsTo });
}

/** A visitor who types the portal's name wants its first page. Only where no route serves that place. */
function denyNoRoute({ host, path, method }: RequestFacts, { portal }: Snapshot): Denial {
  const isDoor = path === '/' && portal !== null && host === portal.host && (method === 'GET' || method === 'HEAD');
  return deny('no-route', null, 'no route for this host and path', { leadsTo: isDoor ? 'portal' : 'nowhere' });
}

/** No verifier let the request in or refused it: the most useful of the reasons that they noted. */
function denyUnopened({ route, cookies, stale, outside, sitesToken }: Case): Denial {
  // nobody is turned away for good, nor sent to sign in, because of what is not known right now
  if (stale !== null) return deny('index-stale', route, stale, { cookies, retryAfterSeconds: 1 });
  const leadsTo = route.looksAtSessions ? 'sign-in' : 'nowhere';
  if (outside !== null) return deny(outside, route, 'the pass holds, but not for this request', { leadsTo, cookies });
  if (sitesToken !== null) return deny(sitesToken.reason, route, sitesToken.detail, { presented: true, cookies });
  return deny('no-credential', route, 'nothing that this route accepts was presented', { leadsTo, cookies });
}
