// A link's token. The whole request goes to control, which asks for a session, asks the visitor, and claims the link; nothing is
// decided here. This verifier is tried first, because a link's token must never reach the site, whatever else the request has.

import { deny } from '../verdict/denial.ts';
import type { Case, Outcome } from './case.ts';
import { countOwn } from './explicit-tokens.ts';

export function verifyLink({ facts, route, live }: Case): Outcome {
  if (facts.linkTokens === 0) return 'next';
  const others = countOwn(facts, live) + (facts.basic !== null && route.accept.includes('password') ? 1 : 0);
  if (facts.linkTokens + others > 1) {
    return deny('credential-repeated', route, 'a link token beside another credential', { presented: true });
  }
  return 'own-pages';
}
