// What the tests of upgrades and tunnels share: a gateway in front of an echo and of bare sockets, and clients for both.

import type { Socket } from 'node:net';
import { onAccepted } from '../clients/accepted-sockets.ts';
import { RawClient } from '../clients/raw-client.ts';
import { handshake, sampleKey, switching, WebSocketClient, WebSocketUpstream } from '../clients/websocket.ts';
import { SocketUpstream, type UpstreamSocket } from '../peers/socket-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from './gateway.ts';

export const basic = `Authorization: Basic ${Buffer.from('ann:secret').toString('base64')}`;

export interface TunnelRig {
  readonly gateway: TestGateway;
  /** Behind every route but `/raw/` and `/off/`. */
  readonly upstream: WebSocketUpstream;
  /** Behind these two. */
  readonly sockets: SocketUpstream;
  /** The configuration, with further routes. */
  configOf(routes?: FileInput['routes']): FileInput;
  open(target: string, fields?: readonly string[], early?: Uint8Array): Promise<WebSocketClient>;
  send(bytes: string): Promise<RawClient>;
  /** A client whose handshake, with these bytes behind it, has reached a bare socket. */
  ask(fields?: readonly string[], behind?: string): Promise<RawTunnel>;
  /** The same, switched. */
  openRaw(): Promise<RawTunnel>;
  /** The gateway's end of the connection that a client opens next. */
  nextAccepted(): Promise<Socket>;
  /** Destroys every client so far. */
  drop(): void;
  close(): Promise<void>;
}

interface RawTunnel {
  readonly client: RawClient;
  readonly connection: UpstreamSocket;
}

export async function startTunnelRig(): Promise<TunnelRig> {
  const upstream = await WebSocketUpstream.start();
  const sockets = await SocketUpstream.start();
  const configOf = (routes: FileInput['routes'] = []): FileInput => ({
    upstreams: { echo: { servers: [upstream.url] }, raw: { servers: [sockets.url] } },
    routes: [
      { name: 'open', path: '/open/', upstream: 'echo', accept: ['anyone'] },
      { name: 'closed', path: '/closed/', upstream: 'echo', accept: ['token', 'password'] },
      {
        name: 'shared',
        path: '/shared/',
        upstream: 'echo',
        accept: ['token', 'password'],
        websocket: { origins: ['https://app.example'] },
      },
      { name: 'off', path: '/off/', upstream: 'raw', accept: ['anyone'], upgrade: 'off' },
      { name: 'raw', path: '/raw/', upstream: 'raw', accept: ['anyone'], upgrade: ['websocket', 'Other/2'] },
      { name: 'short', path: '/short/', upstream: 'echo', accept: ['anyone'], timeouts: { tunnel_idle: '300ms' } },
      ...routes,
    ],
  });
  const gateway = await startGateway({ config: configOf(), users: { ann: 'secret' } });
  const clients: { destroy(): void }[] = [];

  const send = async (bytes: string): Promise<RawClient> => {
    const client = await RawClient.connect(gateway.port);
    clients.push(client);
    client.write(bytes);
    return client;
  };
  const ask = async (fields: readonly string[] = [], behind = ''): Promise<RawTunnel> => {
    // an upgrade always has a fresh connection, so the next one is its own
    const number = sockets.connections.length + 1;
    const client = await send(handshake('/raw/a', fields) + behind);
    const connection = await sockets.connection(number);
    await connection.heads(1);
    return { client, connection };
  };
  return {
    gateway,
    upstream,
    sockets,
    configOf,
    open: async (target, fields, early) => {
      const client = await WebSocketClient.open(gateway.port, target, fields, early);
      clients.push(client);
      return client;
    },
    send,
    ask,
    openRaw: async () => {
      const tunnel = await ask();
      tunnel.connection.write(switching(sampleKey));
      const { status } = await tunnel.client.read();
      if (status !== 101) throw new Error(`no tunnel: ${status}`);
      return tunnel;
    },
    nextAccepted: () =>
      new Promise((resolve) => {
        const stop = onAccepted(gateway.port, (socket) => {
          stop();
          resolve(socket);
        });
      }),
    drop: () => {
      for (const client of clients.splice(0)) client.destroy();
    },
    close: async () => {
      await gateway.close();
      await upstream.close();
      await sockets.close();
    },
  };
}
