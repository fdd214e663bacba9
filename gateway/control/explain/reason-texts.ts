// The meaning of each reason of a decision, as part of a sentence for operators. Every reason has a text; the outcome of a claim has none and is
// shown as it is.

import type { AllowKind, DenyReason } from '../../core/decision/verdict/reasons.ts';

const texts = {
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
  misdirected: 'the connection was made under another client certificate policy than this host has',
  'certificate-missing': 'no client certificate was presented, and this host asks for one',
  'certificate-refused': 'the client certificate is of no known authority, is too long, or has ended',
  'credential-in-clear': 'a credential came over a connection without TLS',
  'ambiguous-path': 'two readings of the path lead to two routes',
  'encoded-slash': 'the path holds %2F, and no route takes it (see encoded_slash)',
  'cors-origin': "a preflight from an origin that is not on the route's list",
  'credential-repeated': "more than one credential of latchkey's was presented",
  'path-form-method': 'a token in the path goes with GET and HEAD only',
  'token-bad-header': 'the header of the token is none that latchkey reads',
  'token-bad-claims': 'the claims of the token are none that can be believed',
  'token-issued-ahead': 'the token was issued in the future, by its own word',
  'token-lives-too-long': 'the token lives longer than the route takes (see max_token_ttl)',
  'foreign-origin': "a page of another site tried to open a tunnel with the visitor's cookie",
  'password-malformed': 'Authorization: Basic did not hold a user name and a password',
} as const satisfies Record<AllowKind | DenyReason, string>;

export function reasonText(reason: string): string {
  const words: Readonly<Record<string, string | undefined>> = texts;
  return Object.hasOwn(texts, reason) ? `${words[reason]} (${reason})` : reason;
}
