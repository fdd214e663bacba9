// Starts a site of the demo: on loopback, on a port that the system picks. Says nothing about what the site serves.

import { once } from 'node:events';
import type { Server } from 'node:http';

/** A site of the demo that runs. */
export interface DemoUpstream {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Ends the site and its open connections. */
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
