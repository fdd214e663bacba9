// The upstream servers of a cross-talk or soak run as a process of their own: says its addresses, and what it counted when asked.

import { startCrosstalkUpstreams } from './upstream.ts';

/** What it says. */
export type UpstreamMessage =
  | { readonly kind: 'urls'; readonly urls: readonly string[] }
  | { readonly kind: 'counts'; readonly requests: number; readonly foreignBytes: number };

const servers = await startCrosstalkUpstreams();

// what it is asked is always the same
process.on('message', () => {
  say({
    kind: 'counts',
    requests: servers.reduce((sum, server) => sum + server.requests(), 0),
    foreignBytes: servers.reduce((sum, server) => sum + server.foreignBytes(), 0),
  });
});
process.on('disconnect', () => process.exit(0));
say({ kind: 'urls', urls: servers.map((server) => server.url) });

function say(message: UpstreamMessage): void {
  process.send?.(message);
}
