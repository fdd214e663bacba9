// Reads and sets control's cookies for session, device, flow and requests for keys, and sets the pass cookie. Edges use the same attributes.
// Where visitors come by https the names of the first four begin with `__Host-`, so that no other host or path can set them. On plain HTTP
// over loopback browsers drop such cookies, so the plain names are used there. For each request only one of the two sets of names counts.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { onlyCookieValueOf } from '../../http1/cookie-pairs.ts';
import type { RequestOrigin } from './request-origin.ts';

type OurCookie = 'session' | 'device' | 'flow' | 'share';

const plainNames: Readonly<Record<OurCookie, string>> = {
  session: 'latchkey',
  device: 'latchkey_device',
  flow: 'latchkey_flow',
  share: 'latchkey_share',
};

/** Both names of the session cookie: where visitors come by https, and on plain HTTP over loopback. */
export const sessionCookieNames = { secure: cookieName('session', true), plain: cookieName('session', false) };

/** Life of a device cookie: 400 days, the longest time that browsers keep a cookie. */
export const deviceCookieSeconds = 400 * 24 * 60 * 60;

function cookieName(cookie: OurCookie, isSecure: boolean): string {
  return isSecure ? `__Host-${plainNames[cookie]}` : plainNames[cookie];
}

/** @returns the cookie's value as it was sent, NOT verified; null when it is absent or empty, or stands there with two values */
export function readCookie(request: FastifyRequest, origin: RequestOrigin, cookie: OurCookie): string | null {
  const value = onlyCookieValueOf(request.headers.cookie ?? '', cookieName(cookie, origin.isSecure));
  return value === '' ? null : value;
}

/** Clears cookies with plain names where `__Host-` names count: an installation that once served plain HTTP may have left them behind. */
export function clearPlainCookies(request: FastifyRequest, reply: FastifyReply, origin: RequestOrigin): void {
  if (!origin.isSecure) return;
  for (const name of Object.values(plainNames)) {
    if (onlyCookieValueOf(request.headers.cookie ?? '', name) !== null)
      reply.setCookie(name, '', { path: '/', maxAge: 0, httpOnly: true, sameSite: 'lax', secure: true });
  }
}

/** Sets a cookie for all paths of this host, with the name and Secure attribute that `origin` asks for. */
export function setCookie(
  reply: FastifyReply,
  origin: RequestOrigin,
  cookie: OurCookie,
  value: string,
  maxAgeSeconds: number,
): void {
  reply.setCookie(cookieName(cookie, origin.isSecure), value, {
    path: '/',
    maxAge: maxAgeSeconds,
    httpOnly: true,
    sameSite: 'lax',
    secure: origin.isSecure,
  });
}

/** Name of the pass cookie. Edges read and renew the cookie under this name. */
const passCookieName = 'latchkey_pass';

/**
 * Sets a pass cookie.
 *
 * @param pass  `path` is the canonical path of the collection or the resource, without `;`: browsers send the pass to no other place
 */
export function setPassCookie(
  reply: FastifyReply,
  origin: RequestOrigin,
  pass: { readonly token: string; readonly path: string; readonly maxAgeSeconds: number },
): void {
  const { path, maxAgeSeconds: maxAge } = pass;
  reply.setCookie(passCookieName, pass.token, {
    path,
    maxAge,
    httpOnly: true,
    sameSite: 'lax',
    secure: origin.isSecure,
  });
}

/** Has the browser drop the cookie. */
export function clearCookie(reply: FastifyReply, origin: RequestOrigin, cookie: OurCookie): void {
  setCookie(reply, origin, cookie, '', 0);
}
