// What the closed words of decisions mean, in a sentence part for operators. A word without one is shown as it is.

import type { AllowKind, DenyReason } from '../../core/decision/verdict/reasons.ts';

const texts: { readonly [Reason in AllowKind | DenyReason | 'session' | 'member' | 'not-a-member']?: string } = {
  anyone: 'the route is open to anyone',
  token: 'an outside token under a common key',
  pass: 'a pass',
  password: 'user name and password',
  session: 'a signed-in account, whichever it is',
  member: 'the account is on the access list',
  'no-route': 'no route has this host and path',
  'unknown-host': 'nobody configured this host',
  'forward-loop': 'the upstream leads back to the gateway',
  'path-not-taken': 'the route takes no path of this kind (see its paths setting)',
  'path-merged': 'a path with // or /./, led to the one without',
  'other-end': 'with or without its final slash the path is of another route with another policy',
  'method-refused': 'the route does not take this method',
  'second-target': 'a field of the request names another place that the credential does not open',
  'no-credential': 'nothing that this route accepts was presented, or a cookie that held no more',
  'not-a-member': 'signed in, but not on the access list',
  'credential-not-accepted': 'a good token of a kind that this route does not accept',
  'token-malformed': 'the token is no token',
  'token-unknown-key': 'the token names a key that is not in the ring',
  'token-retired-key': 'the key that signed the token was retired',
  'token-wrong-type': 'a token of another kind',
  'token-bad-signature': 'the signature does not hold',
  'token-expired': 'the token has expired',
  'token-not-yet-valid': 'the token is not valid yet',
  'token-revoked': 'something that the token hangs on was revoked',
  'token-wrong-audience': 'the token is for somebody else',
  'token-unscoped': 'the token does not say for which paths it is',
  'outside-path': 'the credential is good, but not for this path',
  'outside-method': 'the credential is good, but not for this method',
  'outside-host': 'the credential is good, but not for this host',
  'outside-address': 'the credential is good, but not from this address',
  'password-wrong': 'unknown user or wrong password',
  'password-busy': 'too many password checks at once',
  'control-away': 'the store or control could not be asked',
  'index-stale': 'it was not known well enough what is revoked',
  'rate-limited': 'too many requests',
  overloaded: 'the gateway was overloaded',
};

export function reasonText(reason: string): string {
  const words: Readonly<Record<string, string | undefined>> = texts;
  return Object.hasOwn(texts, reason) ? `${words[reason]} (${reason})` : reason;
}
