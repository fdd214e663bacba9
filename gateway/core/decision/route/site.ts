// The site behind a route, as it may name itself: addresses that mean it and that no visitor can use.
// Compiled once from the upstream's servers. Pure data.

import { canonicalHost } from './host.ts';

/** A site that stands behind the gateway. */
export interface Site {
  /** What it speaks: `https` when all of its servers do. */
  readonly scheme: 'http' | 'https';
  /** `host:port` of everything that is its own. */
  readonly origins: ReadonlySet<string>;
  /** Its servers' hosts, canonical. */
  readonly hosts: ReadonlySet<string>;
}

/** One server of a site; a Unix socket has no address that could be named. */
interface SiteServer {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** The last two are what a site calls itself that listens on every address; they lead no visitor anywhere. */
const loopback: readonly string[] = ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '[::]'];

/** @param servers  those with a TCP address */
export function compileSite(servers: readonly SiteServer[]): Site {
  const origins = new Set<string>();
  const hosts = new Set<string>();
  for (const { host, port } of servers) {
    const canonical = canonicalHost(host.includes(':') ? `[${host}]` : host);
    if (canonical === null) continue;
    // to whom it speaks of itself by one of these names, the others are the same
    const isLoopback = loopback.includes(canonical) || /^127(\.\d+){3}$/.test(canonical);
    for (const name of isLoopback ? [canonical, ...loopback] : [canonical]) {
      hosts.add(name);
      // many sites know their name and not their port
      for (const each of [port, 80, 443]) origins.add(`${name}:${each}`);
    }
  }
  const scheme = servers.length > 0 && servers.every(({ isTls }) => isTls) ? 'https' : 'http';
  return { scheme, origins, hosts };
}
