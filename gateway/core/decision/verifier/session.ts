// The session cookie on a route that any signed-in account may open, and what the verifiers of sessions and members share: finding the
// live session, and refusing its holder. A session that is over counts as absent, and its cookie is cleared.

import type { VerifiedToken } from '../../token/common-key-token.ts';
import { isAmong } from '../policy/who.ts';
import type { SessionHolder } from '../state/access.ts';
import type { Lookup } from '../state/lookups.ts';
import { clearedSession, renewedSession } from '../verdict/cookie-changes.ts';
import { type Denial, deny } from '../verdict/denial.ts';
import type { DenyReason } from '../verdict/reasons.ts';
import { staleDetail, whoDetail } from '../verdict/refusal-detail.ts';
import type { Case, Outcome } from './case.ts';
import { judgeSession } from './judge-session.ts';
import { saysOldGroups } from './judge-token.ts';

/** A session whose token holds now and is not revoked. */
interface LiveSession {
  readonly kind: 'live' | 'run-out';
  readonly token: VerifiedToken;
  readonly holder: SessionHolder;
}

/** Seconds by which a token that was renewed for this request may be newer than the request's `now`. */
const renewalSeconds = 10;

export function verifySession(request: Case): Outcome {
  const session = findSession(request);
  if (session === 'next' || session.kind === 'deny' || session.kind === 'lookup') return session;
  const { allow } = request.route;
  if (allow !== null && !isAmong(allow, session.token.claims)) {
    return refuseHolder(request, 'not-allowed-here', whoDetail(session.token.claims));
  }
  return request.allowSession(session.token, renewalOf(session, request));
}

/**
 * The live session of a request. For a session that has run out, or whose groups have changed, control is asked first, since it may renew the session.
 *
 * @returns `next` when the visitor is not signed in, or when the index is too old to say
 */
export function findSession(request: Case): LiveSession | Denial | Lookup | 'next' {
  const { facts, route, snapshot, live, now } = request;
  if (facts.sessionCookie === null) return 'next';
  let session = judgeSession(facts.sessionCookie, facts.host, snapshot, live, now);
  if (session.kind === 'run-out' || (session.kind === 'live' && isOutdated(session.token, request))) {
    const renewal = request.answers.session;
    if (renewal === null) return { kind: 'lookup', question: 'session', route, holder: session.holder };
    if (renewal.kind === 'away') return whenAway(request);
    if (renewal.kind === 'ended') return isOver(request);
    const { account, session: id } = session.holder;
    session = judgeSession(renewal.token, facts.host, snapshot, live, now + renewalSeconds);
    if (session.kind !== 'live' || session.holder.account !== account || session.holder.session !== id) {
      return whenAway(request);
    }
    // control read the rows before the change: it is asked again with the next request
    if (isOutdated(session.token, request)) return whenAway(request);
    request.cookies = renewedSession(request.cookies, renewal);
  }
  if (session.kind !== 'live') return isOver(request);
  if (route.isRevocable) {
    if (live.isRevoked(session.token)) return isOver(request);
    if (live.indexAgeMs > route.maxStalenessMs) {
      request.stale ??= staleDetail(session.token, live);
      return 'next';
    }
  }
  return session;
}

/** Whether a route that lets in by group cannot go by what the token says, because the groups changed since; control then makes a new token. */
function isOutdated({ claims }: VerifiedToken, { route, live }: Case): boolean {
  return route.allow !== null && route.isRevocable && saysOldGroups(claims, live);
}

/** The session's token when more than half of its life is over; null nearly always. */
export function renewalOf({ token }: LiveSession, { now }: Case): VerifiedToken | null {
  return now >= token.renewFrom ? token : null;
}

/** Clears the cookie of a session that is over. */
export function isOver(request: Case): 'next' {
  request.cookies = clearedSession(request.cookies);
  return 'next';
}

/** For when control did not answer: the holder of the session gets what anyone gets, or a refusal that says to try again. */
export function whenAway(request: Case): Denial | 'next' {
  if (request.route.accept.includes('anyone')) return 'next';
  return refuseHolder(request, 'control-away', 'control did not answer', 1);
}

/** Refuses the holder of the session, unless a password or the pass of another account may still let the request in. */
export function refuseHolder(
  { facts, route, otherPass, cookies }: Case,
  reason: DenyReason,
  detail: string,
  retryAfterSeconds = 0,
): Denial | 'next' {
  if (otherPass !== null || (facts.basic !== null && route.accept.includes('password'))) return 'next';
  return deny(reason, route, detail, { cookies, retryAfterSeconds });
}
