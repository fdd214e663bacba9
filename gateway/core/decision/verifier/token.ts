// An explicit token, which stands in Authorization, the path, or the query: an outside token or a pass.
// A token that names one of latchkey's keys decides alone (RFC 6750 §3.1). Other tokens are the site's and decide nothing: see
// explicit-tokens.ts.

import { deny } from '../verdict/denial.ts';
import { refusalDetail } from '../verdict/refusal-detail.ts';
import type { Case, Outcome } from './case.ts';
import { chooseOwn } from './explicit-tokens.ts';
import { judgeToken } from './judge-token.ts';

export function verifyExplicitToken(request: Case): Outcome {
  const { facts, route, live } = request;
  if (facts.explicitToken === null) return 'next';
  let form = facts.explicitForm ?? 'bearer';
  let token = facts.explicitToken;
  if (facts.explicitCount > 1) {
    const own = chooseOwn(facts, live);
    if (own === 'repeated') {
      return deny('credential-repeated', route, 'more than one token was presented', { presented: true });
    }
    if (own !== null) ({ form, token } = own);
  }
  const verified = live.verify(token);
  if (verified.kind === 'refused' && form !== 'path' && !live.isOurs(token)) {
    request.sitesToken = verified;
    return 'next';
  }
  const verdict = judgeToken(verified, request);
  if (typeof verdict !== 'string') return request.allowToken(form, verdict, null);
  const detail = refusalDetail(verified, verdict, request);
  // the index cannot judge the token yet, and the same token may be good in a second
  if (verdict === 'index-stale') return deny(verdict, route, detail, { retryAfterSeconds: 1 });
  const ranOut = verdict === 'token-expired' && verified.kind === 'verified' ? verified : null;
  return deny(verdict, route, detail, { presented: true, ranOut });
}
