// Our cookies as control sets and reads them: session, device, flow. Their attributes are the same everywhere in latchkey.
// Where visitors come by https the names begin with `__Host-`, so that no other host or path can set them; on plain HTTP over loopback
// browsers would drop such cookies, and there the plain names are used. A request has one of the two sets, never both.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { onlyCookieValueOf } from '../../http1/cookie-pairs.ts';
import type { RequestOrigin } from './request-origin.ts';

type OurCookie = 'session' | 'device' | 'flow';

const plainNames: Readonly<Record<OurCookie, string>> = {
  session: 'latchkey',
  device: 'latchkey_device',
  flow: 'latchkey_flow',
};

/** Life of a device cookie: the longest that browsers keep one. */
export const deviceCookieSeconds = 400 * 24 * 60 * 60;

function cookieName(cookie: OurCookie, isSecure: boolean): string {
  return isSecure ? `__Host-${plainNames[cookie]}` : plainNames[cookie];
}

/** @returns the value as it was sent, NOT verified; null without one */
export function readCookie(request: FastifyRequest, origin: RequestOrigin, cookie: OurCookie): string | null {
  const value = onlyCookieValueOf(request.headers.cookie ?? '', cookieName(cookie, origin.isSecure));
  return value === '' ? null : value;
}

/** Ends what has a plain name where that is not in force: an installation that once took visitors for plain HTTP had set it. */
export function clearPlainCookies(request: FastifyRequest, reply: FastifyReply, origin: RequestOrigin): void {
  if (!origin.isSecure) return;
  for (const name of Object.values(plainNames)) {
    if (onlyCookieValueOf(request.headers.cookie ?? '', name) !== null)
      reply.setCookie(name, '', { path: '/', maxAge: 0, httpOnly: true, sameSite: 'lax', secure: true });
  }
}

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

/** Carries a pass on its way to content; the edges know it by this name, and renew it. */
const passCookieName = 'latchkey_pass';

/** @param path  canonical and without `;`: the collection's or the resource's, so that no other place is sent it */
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

export function clearCookie(reply: FastifyReply, origin: RequestOrigin, cookie: OurCookie): void {
  setCookie(reply, origin, cookie, '', 0);
}
