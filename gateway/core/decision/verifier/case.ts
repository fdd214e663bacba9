// One request before the verifiers: the facts, the notes of earlier verifiers, and the verdict of the verifier that let the request
// pass. `decide` makes a Case for each request and turns its verdict into a permit; the verdict alone opens nothing.
// The constructor sets all fields, so that every Case has the same hidden class.

import type { EpochSeconds } from '../../model/time.ts';
import type { TokenClaims } from '../../token/claims.ts';
import type { TokenRefusal, VerifiedToken } from '../../token/common-key-token.ts';
import type { CredentialPlace, RequestFacts } from '../state/facts.ts';
import type { Answers, Lookup } from '../state/lookups.ts';
import type { LiveIndex, RoutePolicy, Snapshot } from '../state/snapshot.ts';
import type { CookieChanges } from '../verdict/cookie-changes.ts';
import type { Denial } from '../verdict/denial.ts';
import type { AllowKind, DenyReason } from '../verdict/reasons.ts';

/**
 * The outcome of a verifier. `allow`: the case holds the verdict; `own-pages`: the request goes to latchkey's own pages; `next`: this
 * verifier decides nothing, and the next verifier is tried.
 */
export type Outcome = 'allow' | 'own-pages' | 'next' | Denial | Lookup;

/** Tries one kind of credential. Pure, except that it may write notes and the verdict into the case. */
export type Verifier = (request: Case) => Outcome;

/** A good pass of another account than the session's in the same request. */
interface OtherPass {
  readonly token: VerifiedToken;
  readonly renew: VerifiedToken | null;
  /** The changes for the pass cookies before it. */
  readonly cookies: CookieChanges | null;
}

export class Case {
  readonly facts: RequestFacts;
  readonly route: RoutePolicy;
  readonly snapshot: Snapshot;
  readonly live: LiveIndex;
  readonly now: EpochSeconds;
  readonly answers: Answers;

  /** What the answer changes about the request's cookies, so far; null for nothing. */
  cookies: CookieChanges | null = null;
  /** An explicit token that names no key of latchkey's. It decides nothing, but is the reason if no verifier opens the route. */
  sitesToken: TokenRefusal | null = null;
  /** Why the first good pass does not open this request; null when there is no such pass. */
  outside: DenyReason | null = null;
  /** Why the revocation index cannot judge a credential that may be good; null when there is no such credential. */
  stale: string | null = null;
  otherPass: OtherPass | null = null;

  // the verdict, with the same members as `Permit`
  how: AllowKind = 'anyone';
  place: CredentialPlace = 'nowhere';
  token: VerifiedToken | null = null;
  claims: TokenClaims | null = null;
  issue: TokenClaims | null = null;
  renew: VerifiedToken | null = null;

  constructor(
    facts: RequestFacts,
    route: RoutePolicy,
    snapshot: Snapshot,
    live: LiveIndex,
    now: EpochSeconds,
    answers: Answers,
  ) {
    this.facts = facts;
    this.route = route;
    this.snapshot = snapshot;
    this.live = live;
    this.now = now;
    this.answers = answers;
  }

  /** Sets the verdict for a token that `judgeToken` found good. */
  allowToken(place: CredentialPlace, token: VerifiedToken, renew: VerifiedToken | null): 'allow' {
    this.how = token.type === 'pass' ? 'pass' : 'token';
    this.place = place;
    this.token = token;
    this.claims = token.claims;
    this.renew = renew;
    return 'allow';
  }

  /** Sets the verdict for a live session, on a route that any signed-in account may open. */
  allowSession(token: VerifiedToken, renew: VerifiedToken | null): 'allow' {
    this.how = 'session';
    this.place = 'session-cookie';
    this.token = token;
    this.claims = token.claims;
    this.renew = renew;
    return 'allow';
  }

  /**
   * Sets the verdict for an answer of control.
   *
   * @param issue  claims of the pass that the answer is to carry; null when none is issued
   */
  allowAnswered(how: 'member' | 'password', claims: TokenClaims, issue: TokenClaims | null): 'allow' {
    this.how = how;
    this.place = how === 'member' ? 'session-cookie' : 'basic';
    this.claims = claims;
    this.issue = issue;
    return 'allow';
  }
}
