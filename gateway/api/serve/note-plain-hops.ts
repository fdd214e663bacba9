// Warns in the log when `portal.public_url` is https and a request for latchkey's pages came by plain HTTP, as far as the edge can tell.
// Then the proxy that ends TLS is missing in `trusted_proxies` or sends no X-Forwarded-Proto, or visitors reach a plain listener. Nothing
// fails (cookies are Secure all the same), but limits may count that proxy in place of the visitors, and sites are told `http`.

import type { IncomingHttpHeaders } from 'node:http';
import type { ControlContext } from '../../control/context/control-context.ts';
import { readRequestOrigin } from './request-origin.ts';

/** One warning an hour, since anybody can send such a request. */
const quietSeconds = 3600;

/** @returns a function to call with the headers of each request */
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
