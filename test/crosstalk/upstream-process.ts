// The upstream servers of a cross-talk or soak run as a process of their own: says its ports, and what it counted when asked.

import { startCrosstalkUpstream } from './upstream.ts';

/** What it says. */
export type UpstreamMessage =
  | { readonly kind: 'ports'; readonly ports: readonly number[] }
  | { readonly kind: 'counts'; readonly requests: number; readonly foreignBytes: number };

const servers = await Promise.all(Array.from({ length: Number(process.argv[2] ?? 1) }, () => startCrosstalkUpstream()));

// what it is asked is always the same
process.on('message', () => {
  say({
    kind: 'counts',
    requests: servers.reduce((sum, server) => sum + server.requests(), 0),
    foreignBytes: servers.reduce((sum, server) => sum + server.foreignBytes(), 0),
  });
});
process.on('disconnect', () => process.exit(0));
say({ kind: 'ports', ports: servers.map((server) => server.port) });

function say(message: UpstreamMessage): void {
  process.send?.(message);
}
