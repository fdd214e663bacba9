// Decides whether a request may pass: facts, snapshot, live index and time come in, a Decision goes out. Pure. Only `decide` makes a
// Permit. It finds the route, and asks the route's verifiers in the order of trial (verifier/verifiers.ts). An explicit credential
// decides alone (RFC 6750 §3.1). A bad cookie counts as absent, because a stale cookie must not stop a visitor.

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
  /** Where the credential stood that let the request in. Later rules read it here, because the request alone does not show which it was. */
  readonly place: CredentialPlace;
  /** The token that let the request pass, a session token included; null for anyone, a password, or an access answer. */
  readonly token: VerifiedToken | null;
  /** The claims of the user; null for anyone. */
  readonly claims: TokenClaims | null;
  /** Claims of the pass that the answer is to carry; null when none is issued. */
  readonly issue: TokenClaims | null;
  /** What the answer changes about the request's cookies; null for nothing. */
  readonly cookies: CookieChanges | null;
  /** The token of the cookie that let the request in, past half its life: it is renewed meanwhile. Null nearly always. */
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

/** Whether a value is a permit that `decide` made. `forward` checks this before it opens a connection. */
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
    // a host that is not configured comes from DNS rebinding, or from a certificate that covers too many names (RFC 9110 §15.5.20)
    if (!snapshot.routes.knowsHost(facts.host)) return deny('unknown-host', null, 'no route has this host');
    return Permit.ofOwnPages(snapshot);
  }
  const route = placeRequest(facts, snapshot);
  if (route === null) return denyNoRoute(facts, snapshot);
  if (route instanceof Misplaced) return denyMisplaced(route);

  // the path form belongs to latchkey on every route: its token is removed even where the route takes no tokens
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

/** What visitors, browsers and search engines ask of the portal's host by themselves, and latchkey has below its own prefix. */
const doors: readonly string[] = ['/', '/favicon.ico', '/apple-touch-icon.png', '/robots.txt'];

/** A visitor who types the portal's name wants its first page. Only where no route serves that place. */
function denyNoRoute({ host, path, method }: RequestFacts, { portal }: Snapshot): Denial {
  const isAsked = portal !== null && host === portal.host && (method === 'GET' || method === 'HEAD');
  const isDoor = isAsked && doors.includes(path);
  return deny('no-route', null, 'no route for this host and path', { leadsTo: isDoor ? 'portal' : 'nowhere' });
}

/** No verifier let the request in or refused it: the most useful of the reasons that they noted. */
function denyUnopened({ route, cookies, stale, outside, sitesToken }: Case): Denial {
  // what is not known right now must neither refuse a visitor for good nor send a visitor to sign in
  if (stale !== null) return deny('index-stale', route, stale, { cookies, retryAfterSeconds: 1 });
  const leadsTo = route.looksAtSessions ? 'sign-in' : 'nowhere';
  if (outside !== null) return deny(outside, route, 'the pass holds, but not for this request', { leadsTo, cookies });
  if (sitesToken !== null) return deny(sitesToken.reason, route, sitesToken.detail, { presented: true, cookies });
  return deny('no-credential', route, 'nothing that this route accepts was presented', { leadsTo, cookies });
}
