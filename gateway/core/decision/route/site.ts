// The site behind a route: the addresses by which it may name itself in answers, and which no visitor can use.
// Compiled once from the upstream's servers. Pure data.

import { canonicalHost } from './host.ts';

/** A site that stands behind the gateway. */
export interface Site {
  /** The scheme of the site: `https` when all of its servers use https. */
  readonly scheme: 'http' | 'https';
  /** All addresses of the site, as `host:port`. */
  readonly origins: ReadonlySet<string>;
  /** The hosts of the site's servers, canonical. */
  readonly hosts: ReadonlySet<string>;
}

/** One server of a site; a Unix socket has no address that could be named. */
interface SiteServer {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** Names of the gateway's own machine. The last two are used by sites that listen on every address; visitors cannot reach them. */
const loopback: readonly string[] = ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '[::]'];

/** @param servers  the servers with a TCP address */
export function compileSite(servers: readonly SiteServer[]): Site {
  const origins = new Set<string>();
  const hosts = new Set<string>();
  for (const { host, port } of servers) {
    const canonical = canonicalHost(host.includes(':') ? `[${host}]` : host);
    if (canonical === null) continue;
    // a site that names itself by one of the loopback names is reached by all of them
    const isLoopback = loopback.includes(canonical) || /^127(\.\d+){3}$/.test(canonical);
    for (const name of isLoopback ? [canonical, ...loopback] : [canonical]) {
      hosts.add(name);
      // many sites know their own name and not their port
      for (const each of [port, 80, 443]) origins.add(`${name}:${each}`);
    }
  }
  const scheme = servers.length > 0 && servers.every(({ isTls }) => isTls) ? 'https' : 'http';
  return { scheme, origins, hosts };
}
