// One request before the verifiers: what they are asked about, what they noted for each other, and the verdict of the one that let
// the request pass. `decide` makes it, once per request, and turns the verdict into a permit; a verdict here opens nothing.
// One class with all its fields set by the constructor, so that every case has the same hidden class.

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
 * What a verifier says of a case. `allow`: the case holds the verdict; `own-pages`: the request goes to latchkey's own pages;
 * `next`: this verifier decides nothing, the next one is asked.
 */
export type Outcome = 'allow' | 'own-pages' | 'next' | Denial | Lookup;

/** Tries one kind of credential. Pure but for what it notes in the case. */
export type Verifier = (request: Case) => Outcome;

/** A good pass of another account than the session beside it. */
interface OtherPass {
  readonly token: VerifiedToken;
  readonly renew: VerifiedToken | null;
  /** Of the pass cookies that stood before it. */
  readonly cookies: CookieChanges | null;
}

export class Case {
  readonly facts: RequestFacts;
  readonly route: RoutePolicy;
  readonly snapshot: Snapshot;
  readonly live: LiveIndex;
  readonly now: EpochSeconds;
  readonly answers: Answers;

  /** What the answer changes of the cookies that came, so far; null for nothing. */
  cookies: CookieChanges | null = null;
  /** An explicit token that names no key of ours: it decides nothing, and is the reason where nothing else opens the route. */
  sitesToken: TokenRefusal | null = null;
  /** Why the first good pass does not open this request; null without one. */
  outside: DenyReason | null = null;
  /** What is not known well enough about a credential that may be good; null for nothing. */
  stale: string | null = null;
  otherPass: OtherPass | null = null;

  // the verdict; members as in `Permit`
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

  /** The verdict of a verifier whose credential is a token that was judged; see `judgeToken`. */
  allowToken(place: CredentialPlace, token: VerifiedToken, renew: VerifiedToken | null): 'allow' {
    this.how = token.type === 'pass' ? 'pass' : 'token';
    this.place = place;
    this.token = token;
    this.claims = token.claims;
    this.renew = renew;
    return 'allow';
  }

  /** The verdict for a session that is good by itself. */
  allowSession(token: VerifiedToken, renew: VerifiedToken | null): 'allow' {
    this.how = 'session';
    this.place = 'session-cookie';
    this.token = token;
    this.claims = token.claims;
    this.renew = renew;
    return 'allow';
  }

  /**
   * The verdict by an answer of control.
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
