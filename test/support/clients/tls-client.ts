// A raw client over TLS: what the handshake gave, the session to resume, and then bytes as on any RawClient.
// It checks no certificate of the server; tests look at what was presented.

import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { RawClient, type RawResponse } from './raw-client.ts';

interface TlsClient {
  readonly socket: TLSSocket;
  readonly client: RawClient;
  /** Names of the certificate that the server presented. */
  readonly names: string;
  readonly isResumed: boolean;
  /** A session to resume on another connection; with TLS 1.3 it comes after the first answer at the latest. */
  session(): Promise<Buffer>;
}

/** What `tls` takes; it hands the address that a client has on to `net`. */
type TlsOptions = ConnectionOptions & { readonly localAddress?: string };

/** Connects and shakes hands. Rejects when the handshake fails. */
export async function connectTls(port: number, options: TlsOptions = {}): Promise<TlsClient> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  let latest: Buffer | null = null;
  socket.on('session', (session: Buffer) => {
    latest = session;
  });
  const client = RawClient.on(socket);
  await once(socket, 'secureConnect');
  return {
    socket,
    client,
    names: socket.getPeerX509Certificate()?.subjectAltName ?? '',
    isResumed: socket.isSessionReused(),
    session: async () => latest ?? (await once(socket, 'session'))[0],
  };
}

/** One request on a connection of its own. */
export async function askTls(port: number, options: TlsOptions, request: string): Promise<RawResponse> {
  const { client } = await connectTls(port, options);
  try {
    client.write(request);
    return await client.read();
  } finally {
    client.destroy();
  }
}
