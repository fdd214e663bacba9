// A user name and a password in `Authorization: Basic`: control verifies them, and the answer becomes a pass.

import { userRecordNode } from '../../model/node-id.ts';
import { isAmong } from '../policy/who.ts';
import { passwordClaims } from '../verdict/account-pass.ts';
import { deny } from '../verdict/denial.ts';
import { whoDetail } from '../verdict/refusal-detail.ts';
import { parseBasic } from './basic.ts';
import type { Case, Outcome } from './case.ts';

export function verifyPassword(request: Case): Outcome {
  const { facts, route, snapshot, live, now, cookies } = request;
  if (facts.basic === null) return 'next';
  const credentials = parseBasic(facts.basic);
  if (credentials === null) {
    const detail = 'Authorization: Basic does not hold user:password';
    return deny('password-malformed', route, detail, { presented: true, cookies });
  }
  const answer = request.answers.password;
  if (answer === null) return { kind: 'lookup', question: 'password', route, ...credentials };
  switch (answer.kind) {
    case 'verified': {
      const { position } = answer;
      // the user record was removed while control verified the password
      if (route.isRevocable && position !== null && live.hasRevoked([userRecordNode(answer.userRecordId)], position)) {
        const detail = 'the answer was overtaken by a revocation';
        return deny('control-away', route, detail, { presented: true, cookies, retryAfterSeconds: 1 });
      }
      const claims = passwordClaims(answer, facts.host, route, snapshot, now);
      if (route.allow !== null && !isAmong(route.allow, claims)) {
        return deny('not-allowed-here', route, whoDetail(claims), { presented: true, cookies });
      }
      // a pass that no revocation could end is not issued
      return request.allowAnswered('password', claims, position === null && route.isRevocable ? null : claims);
    }
    case 'refused':
      return deny('password-wrong', route, 'unknown user or wrong password', { presented: true, cookies });
    case 'busy': {
      const { retryAfterSeconds } = answer;
      return deny('password-busy', route, 'too many password checks', { presented: true, cookies, retryAfterSeconds });
    }
    case 'away': {
      const detail = 'control did not answer';
      return deny('control-away', route, detail, { presented: true, cookies, retryAfterSeconds: 1 });
    }
    default:
      return answer satisfies never;
  }
}
