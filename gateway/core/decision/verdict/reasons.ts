// The closed vocabulary of why a request was allowed or refused.
// These words appear in metrics labels and in the decision log, never in an answer to a client.

/** What let a request pass. */
export const allowKinds = ['anyone', 'token', 'pass', 'password', 'session', 'member'] as const;
export type AllowKind = (typeof allowKinds)[number];

/** Why a request did not pass. Each reason has one status in `edge/answer/responder.ts`, and a text in `control/explain/reason-texts.ts`. */
export const denyReasons = [
  'no-route',
  'unknown-host',
  'misdirected',
  'forward-loop',
  'certificate-missing',
  'certificate-refused',
  'credential-in-clear',
  'ambiguous-path',
  'encoded-slash',
  'path-not-taken',
  'path-merged',
  'other-end',
  'method-refused',
  'second-target',
  'cors-origin',
  'rate-limited',
  'credential-repeated',
  'path-form-method',
  'no-credential',
  'credential-not-accepted',
  'token-malformed',
  'token-bad-header',
  'token-unknown-key',
  'token-retired-key',
  'token-wrong-type',
  'token-bad-signature',
  'token-bad-claims',
  'token-expired',
  'token-not-yet-valid',
  'token-issued-ahead',
  'token-lives-too-long',
  'token-revoked',
  'token-wrong-audience',
  'token-unscoped',
  'outside-path',
  'outside-method',
  'outside-host',
  'outside-address',
  'foreign-origin',
  'not-a-member',
  'not-allowed-here',
  'password-malformed',
  'password-wrong',
  'password-busy',
  'control-away',
  'index-stale',
  'overloaded',
] as const;
export type DenyReason = (typeof denyReasons)[number];
