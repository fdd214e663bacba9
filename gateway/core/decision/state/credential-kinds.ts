// The closed sets of credential kinds: what a route's `accept` may say, and the verifiers that are tried for it.
// Names only; what each verifier does is a row of verifier/verifiers.ts.

/** What a route may accept: anyone at all, outside tokens, Basic passwords, any signed-in account, accounts on the access list. */
export const acceptKinds = ['anyone', 'token', 'password', 'session', 'member'] as const;
export type AcceptKind = (typeof acceptKinds)[number];

/**
 * The verifiers, in the order of trial. The order is a rule: a link's token must reach no site, so it comes first; what was put into
 * the request on purpose decides alone, so explicit tokens come before cookies; the pass of another account counts only after the
 * session beside it, and before a password; anyone is let in only when nothing else spoke.
 */
export const verifierKinds = [
  'link',
  'token',
  'pass',
  'session',
  'member',
  'other-pass',
  'password',
  'anyone',
] as const;
export type VerifierKind = (typeof verifierKinds)[number];
