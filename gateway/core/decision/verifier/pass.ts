// Passes in cookies: the first good pass lets the request in. A bad pass counts as absent and its cookie is cleared, since a stale cookie
// must not stop a visitor. A good pass of another account than the session's is kept for `verifyOtherPass`, which is tried after the session.

import type { VerifiedToken } from '../../token/common-key-token.ts';
import { clearedPass } from '../verdict/cookie-changes.ts';
import { staleDetail } from '../verdict/refusal-detail.ts';
import type { Case, Outcome } from './case.ts';
import { judgeSession } from './judge-session.ts';
import { isOutsideScope, judgeToken } from './judge-token.ts';

export function verifyPass(request: Case): Outcome {
  const { facts, route, live, now } = request;
  for (const cookie of facts.passCookies) {
    const verified = live.verify(cookie);
    const verdict = judgeToken(verified, request);
    if (typeof verdict !== 'string') {
      const renew = now >= verdict.renewFrom ? verdict : null;
      if (!isOfAnother(verdict, request)) return request.allowToken('pass-cookie', verdict, renew);
      request.otherPass ??= { token: verdict, renew, cookies: request.cookies };
    } else if (verdict === 'index-stale' && verified.kind === 'verified') request.stale ??= staleDetail(verified, live);
    else if (isOutsideScope(verdict)) request.outside ??= verdict;
    // a pass that this route does not take may be good on another route, so its cookie stays
    else if (verdict !== 'credential-not-accepted') request.cookies = clearedPass(request.cookies, verified, route);
  }
  return 'next';
}

/** Lets a good pass of another account in, after the session in the same request did not open the route. */
export function verifyOtherPass(request: Case): Outcome {
  const { otherPass } = request;
  if (otherPass === null) return 'next';
  request.cookies = otherPass.cookies;
  return request.allowToken('pass-cookie', otherPass.token, otherPass.renew);
}

/**
 * Whether a pass is of another account than the session in the same request. A pass cookie has no `__Host-` prefix, so a sibling host can
 * set one. Such a pass counts only after the session: otherwise a visitor would act as the account that the sibling chose. It does
 * count then, because "open on another device" gives a pass to the person at that device.
 */
function isOfAnother(pass: VerifiedToken, { facts, route, snapshot, live, now }: Case): boolean {
  if (facts.sessionCookie === null || !route.looksAtSessions) return false;
  const session = judgeSession(facts.sessionCookie, facts.host, snapshot, live, now);
  return session.kind !== 'bad' && session.holder.account !== pass.claims.sub;
}
