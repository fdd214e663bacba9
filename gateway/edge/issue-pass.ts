// The token half of an answer to credentials: a pass as a cookie, and as a header for programs that ask for it.
// Message and token exist from here until the answer's text is written; nothing keeps, caches, logs or stores them.
// An edge mints nothing but this, and only from a positive answer of control that `decide` turned into a permit.

import { mintToken } from '../core/token/common-key-token.ts';
import { clearPassLine, passCookieLine } from './cookies.ts';
import { prefersToken } from './describe.ts';
import type { Exchange } from './exchange.ts';
import { trustedScheme } from './request-writer.ts';
import type { Runtime } from './runtime.ts';

/**
 * Lines for the answer's head: the issued pass, or the end of a bad pass cookie.
 *
 * @param carriesToken  false when the content itself was not given: then no token is given either
 */
export function issueLines(runtime: Runtime, exchange: Exchange, carriesToken: boolean): string {
  const { permit, request } = exchange;
  const isSecure = setsSecureCookies(exchange);
  const claims = permit.issue;
  const key = runtime.signingKey();
  if (claims !== null && carriesToken && key !== null) {
    const token = mintToken(claims, { key, type: 'pass' });
    runtime.metrics.passesIssued++;
    const cookie = passCookieLine(token, permit.route.path, claims.exp - (claims.iat ?? claims.exp), isSecure);
    if (!prefersToken(request.head)) return cookie;
    return `${cookie}Latchkey-Token: ${token}\r\nPreference-Applied: token\r\n`;
  }
  return permit.clearPass ? clearPassLine(permit.route.path, isSecure) : '';
}

/** Cookies are Secure but on plain HTTP over loopback, where a browser would drop a Secure one. */
export function setsSecureCookies(exchange: Pick<Exchange, 'request' | 'downstream'>): boolean {
  const { peerAddress } = exchange.downstream;
  return isOverTls(exchange) || !(peerAddress === '::1' || peerAddress.startsWith('127.'));
}

/** Whether the client came over TLS: to a listener of ours, or as a trusted proxy says. */
export function isOverTls({ request, downstream }: Pick<Exchange, 'request' | 'downstream'>): boolean {
  const { scheme } = downstream.arrival;
  return (request.isFromTrustedProxy ? trustedScheme(request.head, scheme) : scheme) === 'https';
}
