// A TCP address for browsers in front of a public.sock: says what an edge would say, and passes everything on as it is.
// For tests of pages only; a whole gateway is what test/e2e starts.

import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PortalProxy {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/**
 * @param socketPath  asked at each request, since the server may come after the port is known
 * @param site        answers what is for a site behind the gateway, and says whether it did
 */
export async function startPortalProxy(
  socketPath: () => string,
  site: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean = () => false,
): Promise<PortalProxy> {
  const server: Server = createServer((incoming, outgoing) => {
    if (site(incoming, outgoing)) return;
    const { host = '' } = incoming.headers;
    const passed = request(
      {
        socketPath: socketPath(),
        method: incoming.method,
        path: incoming.url,
        headers: {
          ...incoming.headers,
          'x-forwarded-for': '127.0.0.1',
          'x-forwarded-proto': 'http',
          'x-forwarded-host': host,
          'x-request-id': 'browser-1',
        },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
