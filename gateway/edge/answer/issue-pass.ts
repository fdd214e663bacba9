// The cookies of an answer: a pass for a password or a membership, renewed passes and sessions, and the end of bad ones. A program
// that sent name and password and asks for it gets the pass as a header too. Message and token exist from here until the answer's
// text is written; nothing keeps, caches, logs or stores them. An edge mints nothing but passes, and only from a positive answer of
// control that `decide` turned into a permit, or renewals.ts into claims.

import { type CookieChanges, cookiePathOf, safeCookiePath } from '../../core/decision/verdict/cookie-changes.ts';
import type { TokenClaims } from '../../core/token/claims.ts';
import { mintToken } from '../../core/token/common-key-token.ts';
import type { RingKey } from '../../core/token/key-ring.ts';
import { isIssuable } from '../../core/token/pass-claims.ts';
import type { Renewals } from '../live/renewals.ts';
import { clearPassLine, passCookieLine, sessionCookieLine } from '../request/cookies.ts';
import { prefersToken } from '../request/describe.ts';
import { publicScheme, takesSecureCookies } from '../request/transport-security.ts';
import type { AnsweredRequest, VisitorsRequest } from './answered-request.ts';

/** What cookies are made with; the runtime of an edge is one. */
export interface PassIssuer {
  readonly membership: { readonly renewals: Pick<Renewals, 'take'> };
  readonly metrics: { passesIssued: number };
  /** The key that passes are signed with now; null while there is none. */
  signingKey(): RingKey | null;
}

interface IssuedLines {
  /** Complete lines for the answer's head. */
  readonly lines: string;
  /** One of the lines is a token: no cache may store this answer. */
  readonly carriesToken: boolean;
}

const nothing: IssuedLines = { lines: '', carriesToken: false };

/**
 * @param issue         claims of the pass to issue; null for none
 * @param givesContent  false when the answer is not the content that was asked for: then it carries no pass either
 */
export function issueLines(
  issuer: PassIssuer,
  answered: AnsweredRequest,
  issue: TokenClaims | null,
  givesContent: boolean,
): IssuedLines {
  const { permit } = answered;
  if (issue === null && permit.cookies === null && permit.renew === null) return nothing;
  const isSecure = setsSecureCookies(answered);
  let lines = '';
  let carriesToken = permit.cookies !== null && hasSessionToken(permit.cookies.session);
  const renewed = permit.renew === null || !givesContent ? null : issuer.membership.renewals.take(permit.renew);
  if (renewed?.kind === 'session') {
    lines += sessionLine(renewed.session, isSecure);
    carriesToken ||= hasSessionToken(renewed.session);
  }
  const claims = issue ?? (renewed?.kind === 'pass' ? renewed.claims : null);
  const pass = claims === null || !givesContent ? '' : passLines(issuer, answered, claims, isSecure);
  // a pass that is set anew at a path needs not be cleared there
  const setAt = claims === null || pass === '' ? null : passPathOf(claims, answered);
  if (permit.cookies !== null) lines += cookieLines(permit.cookies, isSecure, setAt);
  return { lines: lines + pass, carriesToken: carriesToken || pass !== '' };
}

/**
 * Lines that do what `decide` said about the request's cookies.
 *
 * @param setAt  path at which a pass is set; nothing is cleared there
 */
export function cookieLines({ passPaths, session }: CookieChanges, isSecure: boolean, setAt: string | null): string {
  let lines = '';
  for (const path of passPaths) if (path !== setAt) lines += clearPassLine(path, isSecure);
  return session === null ? lines : lines + sessionLine(session, isSecure);
}

/** Whether cookies are set with the names and attributes of https, as the cookies of the request were read. */
export function setsSecureCookies({ request, downstream }: VisitorsRequest): boolean {
  return takesSecureCookies(request, downstream.connection.scheme, downstream.peerAddress);
}

/** Whether the visitor came by https: the configuration says so, a listener of ours ended TLS, or a trusted proxy says that it did. */
export function isOverTls({ request, downstream }: VisitorsRequest): boolean {
  return publicScheme(request, downstream.connection.scheme) === 'https';
}

function passLines(issuer: PassIssuer, answered: AnsweredRequest, claims: TokenClaims, isSecure: boolean): string {
  const key = issuer.signingKey();
  if (key === null || !isIssuable(claims)) return '';
  let token: string;
  try {
    token = mintToken(claims, { key, type: 'pass' });
  } catch {
    // more groups than a token holds: the request was allowed, and is asked about again next time
    return '';
  }
  issuer.metrics.passesIssued++;
  const path = passPathOf(claims, answered);
  const cookie = passCookieLine(token, path, claims.exp - (claims.iat ?? claims.exp), isSecure);
  // The cookie is sent by every script in the site's pages, and must not turn into a token that a script can read and carry away:
  // the header is only for a client that presented the password with this very request. Members get tokens for players from `v1`
  // and the portal.
  if (answered.permit.how !== 'password' || !prefersToken(answered.request.head)) return cookie;
  return `${cookie}Latchkey-Token: ${token}\r\nPreference-Applied: token\r\n`;
}

function passPathOf(claims: TokenClaims, { permit }: AnsweredRequest): string {
  return cookiePathOf(claims) ?? safeCookiePath(permit.route.path);
}

function sessionLine(session: NonNullable<CookieChanges['session']>, isSecure: boolean): string {
  if (session === 'clear') return sessionCookieLine('', 0, isSecure);
  return sessionCookieLine(session.token, session.maxAgeSeconds, isSecure);
}

function hasSessionToken(session: CookieChanges['session']): boolean {
  return session !== null && session !== 'clear';
}
