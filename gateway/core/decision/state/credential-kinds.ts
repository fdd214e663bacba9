// The closed sets of credential kinds: what a route's `accept` may say, and the verifiers that are tried for it.
// Names only; what each verifier does is a row of verifier/verifiers.ts.

/** What a route may accept: anyone at all, outside tokens, Basic passwords, any signed-in account, accounts on the access list. */
export const acceptKinds = ['anyone', 'token', 'password', 'session', 'member'] as const;
export type AcceptKind = (typeof acceptKinds)[number];

/**
 * The verifiers, in the order of trial. The order is a rule. A link's token must reach no site, so it comes first. A token that was put
 * into the request on purpose decides alone, so explicit tokens come before cookies. A pass of another account than the session's
 * counts only after the session, and before a password. `anyone` comes last, so that every credential was tried before.
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
