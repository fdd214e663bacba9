// Reads the certificates and keys that upstreams name, for the feed. They are read anew on each reload.
// A file that cannot be used refuses the whole configuration: an edge must never have to speak to a server without it.

import type { FeedUpstreamTls } from '../config/edge-feed.ts';
import type { UpstreamConfig } from '../config/upstream-config.ts';
import { readTlsFiles } from '../config/upstream-tls.ts';

export type LoadedUpstreamTls =
  | { readonly kind: 'loaded'; readonly upstreamTls: readonly FeedUpstreamTls[] }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** Reads the files of all upstreams that have TLS. */
export function loadUpstreamTls(upstreams: readonly UpstreamConfig[]): LoadedUpstreamTls {
  const upstreamTls: FeedUpstreamTls[] = [];
  const problems: string[] = [];
  for (const { name, tls } of upstreams) {
    if (tls === null) continue;
    const read = readTlsFiles(tls);
    if (read.kind === 'read') upstreamTls.push({ name, ...read.material });
    else problems.push(`upstreams.${name}.tls.${read.at}: ${read.problem} (${read.hint})`);
  }
  return problems.length === 0 ? { kind: 'loaded', upstreamTls } : { kind: 'refused', problems };
}
