// The session cookie on a route for accounts on the access list: control says whether the account is on it.
// The edge keeps the answer (state/access-cache.ts) and makes a pass of it, so most requests of a member need no question to control.

import { isAmong } from '../policy/who.ts';
import { coversMethod, type GrantedAccess, type LostAccess } from '../state/access.ts';
import { memberClaims } from '../verdict/account-pass.ts';
import { whoDetail } from '../verdict/refusal-detail.ts';
import type { Case, Outcome } from './case.ts';
import { findSession, isOver, refuseHolder, renewalOf, whenAway } from './session.ts';

type Session = Exclude<ReturnType<typeof findSession>, 'next' | { readonly kind: 'deny' | 'lookup' }>;

export function verifyMember(request: Case): Outcome {
  const session = findSession(request);
  if (session === 'next' || session.kind === 'deny' || session.kind === 'lookup') return session;
  const { facts, route, live, now } = request;
  const { holder } = session;
  const answer = request.answers.access ?? live.findAccess(holder.account, holder.host, facts.path, now);
  if (answer === null) return { kind: 'lookup', question: 'access', route, holder, path: facts.path };
  switch (answer.kind) {
    case 'granted':
      return letIn(request, session, answer);
    case 'none':
      if (route.accept.includes('anyone')) return 'next';
      return withLoss(refuseHolder(request, 'not-a-member', 'signed in, but not on the access list'), answer.lost);
    case 'ended':
      return isOver(request);
    case 'away':
      return whenAway(request);
    default:
      return answer satisfies never;
  }
}

function letIn(request: Case, session: Session, answer: GrantedAccess): Outcome {
  const { facts, route, snapshot, live, now } = request;
  // the access cache drops revoked answers already, those on their way included; this second check does not rely on it
  if (route.isRevocable && live.hasRevoked(answer.nodes, answer.position)) return whenAway(request);
  if (!coversMethod(answer.scope.methods, facts.method)) {
    return refuseHolder(request, 'outside-method', 'a member, but not with this method');
  }
  if (route.allow !== null && !isAmong(route.allow, answer.claims)) {
    return refuseHolder(request, 'not-allowed-here', whoDetail(answer.claims));
  }
  const { claims, issuable } = memberClaims(answer, session.holder, route, snapshot, now, live.position);
  request.renew = renewalOf(session, request);
  return request.allowAnswered('member', claims, issuable ? claims : null);
}

function withLoss(refusal: ReturnType<typeof refuseHolder>, lost: LostAccess | undefined): Outcome {
  return refusal === 'next' || lost === undefined ? refusal : { ...refusal, lost };
}
