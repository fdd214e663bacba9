// A site of the demo that runs, and how one starts: on loopback, on a port that the system picks.

import { once } from 'node:events';
import type { Server } from 'node:http';

export interface DemoUpstream {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Ends it, open connections included. */
  close(): Promise<void>;
}

/** Makes a server listen on a free port of 127.0.0.1. Rejects when it cannot. */
export async function listenOnLoopback(server: Server): Promise<DemoUpstream> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a server on loopback has no port');
  return {
    port: address.port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
