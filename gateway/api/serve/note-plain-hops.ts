// Says in the log when `portal.public_url` is https and a request for our pages came by plain HTTP from somebody who is not trusted to
// say otherwise: what ends TLS in front was named wrongly, or visitors reach a plain listener. Nothing fails then, cookies are Secure all
// the same; but limits count that neighbour in place of visitors, and sites hear of http.

import type { IncomingHttpHeaders } from 'node:http';
import type { ControlContext } from '../../control/context/control-context.ts';
import { readRequestOrigin } from './request-origin.ts';

/** Anybody can send such a request: the log hears of one in an hour. */
const quietSeconds = 3600;

/** @returns what to call for each request */
export function notePlainHops(context: ControlContext): (headers: IncomingHttpHeaders) => void {
  let quietUntil = 0;
  return (headers) => {
    const config = context.config();
    if (config.portal?.publicUrl.startsWith('https:') !== true || headers['x-forwarded-proto'] === 'https') return;
    const now = context.clock.monotonicMs() / 1000;
    if (now < quietUntil) return;
    const { isKnown, neighbour } = readRequestOrigin(headers, config);
    if (!isKnown) return;
    quietUntil = now + quietSeconds;
    const hint = 'name it in trusted_proxies if it ends TLS and let it send X-Forwarded-Proto, or redirect_to_https';
    context.logger.warn({ neighbour, hint }, 'portal.public_url is https, and a request came by plain http');
  };
}
