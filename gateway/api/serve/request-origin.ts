// Reads from the edge's headers where a request on public.sock came from, and to which host it was sent.
// X-Forwarded-* is believed here without a list of proxies, because only edges can open public.sock. Never used for edge.sock.
// Rules: gateway/RULES.md "Cookies" and "Hosts". Where `portal.public_url` says https, every visitor counts as coming by https, whatever
// the last hop was; cookies lose `__Host-` only where it says http, and there only on plain HTTP over loopback.

import type { IncomingHttpHeaders } from 'node:http';
import { transportOf } from '../../config/compile.ts';
import type { Config } from '../../config/compiled/config.ts';
import { portalHost, takesSignIns } from '../../control/sessions/session-hosts.ts';
import { isSecureCookie } from '../../core/decision/policy/public-transport.ts';
import { canonicalHost } from '../../core/decision/route/host.ts';
import { withoutBlanks } from '../../core/model/blanks.ts';
import { matchesHost } from '../../core/model/host-pattern.ts';

export interface RequestOrigin {
  /** Lower case, without port, as routes and sessions name it. Empty when malformed. */
  readonly host: string;
  /** `scheme://host[:port]`, as the browser sees it. */
  readonly origin: string;
  /** Whether cookies carry Secure and `__Host-`; the edges read and write them by the same rule. */
  readonly isSecure: boolean;
  /** Whether the host is that of `portal.public_url`. */
  readonly isPortal: boolean;
  /** Whether the configuration names the host: in `portal`, a collection or a route, where a wildcard counts as well. */
  readonly isKnown: boolean;
  /** The client's address; empty when the edge named none. */
  readonly clientAddress: string;
  /** Address of the peer that connected to the edge: the client, or the proxy in front. */
  readonly neighbour: string;
  /** At most 100 characters; empty when the edge sent none. */
  readonly requestId: string;
  /** At most 300 characters; empty when the client sent none. */
  readonly userAgent: string;
}

/** Reads the origin of a request. @param headers  of a request on public.sock */
export function readRequestOrigin(headers: IncomingHttpHeaders, config: Config): RequestOrigin {
  const authority = withoutBlanks(one(headers['x-forwarded-host']) || (headers.host ?? '')).toLowerCase();
  const host = canonicalHost(authority) ?? '';
  const transport = transportOf(config);
  const isOverTls = transport.isHttps || one(headers['x-forwarded-proto']) === 'https';
  const chain = one(headers['x-forwarded-for']).split(',');
  // the edge writes the client first and its own neighbour last, see edge/request/trusted-proxies.ts
  const neighbour = withoutBlanks(chain.at(-1) ?? '');
  const isPortal = host !== '' && host === portalHost(config);
  return {
    host,
    origin: `${isOverTls ? 'https' : 'http'}://${authority}`,
    isSecure: isSecureCookie(transport, isOverTls, neighbour),
    isPortal,
    isKnown: host !== '' && isServed(config, host),
    neighbour,
    clientAddress: withoutBlanks(chain[0] ?? ''),
    requestId: one(headers['x-request-id']).slice(0, 100),
    userAgent: (headers['user-agent'] ?? '').slice(0, 300),
  };
}

function isServed(config: Config, host: string): boolean {
  return (
    takesSignIns(config, host) || config.routes.some((route) => route.host !== null && matchesHost(route.host, host))
  );
}

function one(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}
