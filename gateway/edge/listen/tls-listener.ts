// Ends TLS on the connections of one listener: ClientHello, handshake, client certificate, then HTTP as on a plain listener.
// Errors of a handshake are counted and end its connection; nothing of them is answered or logged.
// The name that was looked up before the handshake has to be the handshake's own name where the handshake has one: the policy of
// client certificates hangs on it. (A resumed session of TLS 1.2 has none; its ticket was sealed under the policy's own key.)

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { canonicalHost } from '../../core/decision/route/host.ts';
import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import type { Ticker } from '../engine/ticker.ts';
import { networkOf } from '../request/rate-limits.ts';
import { clientCertificateOf } from './client-certificates.ts';
import { peekRandom, readClientHello } from './client-hello.ts';
import type { ConnectionInfo, ListenerRules } from './connection-info.ts';
import { readPrologue } from './connection-prologue.ts';
import { EarlyConnections } from './early-connections.ts';
import { HandshakeQueue } from './handshake-queue.ts';
import { RecentHellos } from './recent-hellos.ts';
import type { TlsFront, TlsTable } from './tls-table.ts';

interface TlsListenerOptions {
  readonly rules: ListenerRules;
  readonly metrics: EdgeMetrics;
  readonly ticker: Ticker;
  /** How long the ClientHello may take; the handshake has the same time again. */
  readonly prologueTimeoutMs: () => number;
  /** Whether the edge is overloaded. */
  readonly isOverloaded: () => boolean;
  /** The handshake is done, and the connection is ready for HTTP. */
  readonly onReady: (socket: TLSSocket, connection: ConnectionInfo) => void;
}

/** A connection in its handshake. */
interface Pending {
  readonly transport: Socket;
  readonly peerAddress: string;
  /** Server name of the ClientHello; empty when the ClientHello was not read. */
  readonly serverName: string;
}

/**
 * Handshakes that wait for their client. A client that replays a ClientHello never answers: its connections would be kept for the
 * whole time of a handshake, with 30 KiB each.
 */
const maxBegun = 512;

export class TlsListener {
  readonly #options: TlsListenerOptions;
  readonly #queue: HandshakeQueue;
  readonly #begun: EarlyConnections;
  readonly #recentHellos = new RecentHellos();
  /** By both ends of the connection: `tls` gives the secured socket and no way from it to the one below. */
  readonly #pending = new Map<string, Pending>();
  #table: TlsTable;

  constructor(table: TlsTable, options: TlsListenerOptions) {
    this.#options = options;
    this.#queue = new HandshakeQueue({ isOverloaded: options.isOverloaded });
    this.#begun = new EarlyConnections(
      () => maxBegun,
      () => {
        options.metrics.earlyConnectionsCut++;
      },
    );
    this.#table = table;
    this.#follow(table);
  }

  get table(): TlsTable {
    return this.#table;
  }

  /** New handshakes use this table; those under way and connections that are open keep theirs. */
  replace(table: TlsTable): void {
    this.#table = table;
    this.#follow(table);
  }

  /** Takes a connection. @param peerAddress  of the client, from a PROXY header where there was one */
  accept(transport: Socket, peerAddress: string): void {
    const { metrics, ticker } = this.#options;
    const table = this.#table;
    const { needsServerName } = table;
    let serverName = '';
    let isReplay = false;
    readPrologue({
      socket: transport,
      ticker,
      timeoutMs: this.#options.prologueTimeoutMs(),
      judge: (bytes) => {
        const peeked = peekRandom(bytes);
        isReplay = peeked !== null && this.#recentHellos.has(peeked);
        if (isReplay) return this.#reset(transport);
        if (isPlainHttp(bytes)) return answerPlain(transport);
        const hello = readClientHello(bytes);
        if (hello.kind === 'partial') return 'partial';
        // no policy hangs on the name here, so OpenSSL may judge a ClientHello that this reader does not understand
        if (hello.kind === 'malformed') return needsServerName ? 'refuse' : 0;
        if (needsServerName) serverName = hello.serverName ?? '';
        isReplay = this.#recentHellos.isRepeated(hello.random);
        return isReplay ? this.#reset(transport) : 0;
      },
      onDone: () => {
        const pending: Pending = { transport, peerAddress, serverName };
        this.#queue.push(networkOf(peerAddress), {
          begin: () => {
            if (!transport.destroyed) this.#begin(table.frontOf(serverName), pending);
          },
          cut: () => {
            metrics.earlyConnectionsCut++;
            transport.destroy();
          },
        });
      },
      onRefused: () => {
        if (isReplay) metrics.tlsHellosReplayed++;
        else metrics.tlsHandshakesFailed++;
      },
    });
  }

  /** Resets the connection: thousands that are closed with a FIN would stay with the system for a minute each. */
  #reset(transport: Socket): 'refuse' {
    transport.resetAndDestroy();
    return 'refuse';
  }

  #begin(front: TlsFront, connection: Pending): void {
    const { transport } = connection;
    const key = endsOf(transport);
    this.#pending.set(key, connection);
    transport.once('close', () => {
      this.#begun.delete(transport);
      if (this.#pending.get(key) === connection) this.#pending.delete(key);
    });
    this.#begun.add(transport, connection.peerAddress);
    front.server.emit('connection', transport);
  }

  /** Wires the fronts of a table, once. */
  #follow(table: TlsTable): void {
    for (const front of table.fronts) {
      front.server.on('secureConnection', (socket: TLSSocket) => this.#secured(table, front, socket));
      front.server.on('tlsClientError', (_error: Error, socket: TLSSocket) => {
        this.#options.metrics.tlsHandshakesFailed++;
        socket.destroy();
      });
    }
  }

  #secured(table: TlsTable, front: TlsFront, socket: TLSSocket): void {
    const { metrics, rules } = this.#options;
    const key = endsOf(socket);
    const pending = this.#pending.get(key);
    this.#pending.delete(key);
    if (pending === undefined || !isHeldBy(front, table, socket, pending)) {
      metrics.tlsHandshakesFailed++;
      socket.destroy();
      return;
    }
    this.#begun.delete(pending.transport);
    metrics.tlsHandshakes++;
    if (socket.isSessionReused()) metrics.tlsSessionsResumed++;
    this.#options.onReady(socket, {
      transport: pending.transport,
      peerAddress: pending.peerAddress,
      scheme: 'https',
      tlsVersion: socket.getProtocol(),
      rules,
      policy: front.policy,
      certificate: front.policy === '' ? null : clientCertificateOf(socket),
    });
  }
}

/** Whether the handshake was for a name that its front is for. */
function isHeldBy(front: TlsFront, table: TlsTable, socket: TLSSocket, { serverName }: Pending): boolean {
  // `false` when the client named none, in spite of the type
  const told = socket.servername || null;
  if (told === null) return socket.isSessionReused() || serverName === '';
  const name = canonicalHost(told);
  return name !== null && table.frontOf(name) === front;
}

/** Unique among the open connections of a process. */
function endsOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}

/** Whether somebody speaks HTTP without TLS: the first byte of a handshake is no letter. */
function isPlainHttp(bytes: Buffer): boolean {
  return /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /.test(bytes.toString('latin1', 0, 8));
}

const plainWords = 'This port speaks https. Put https:// in front of the address.\n';
const plainAnswer =
  `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${plainWords.length}\r\n` +
  `Cache-Control: no-store\r\nConnection: close\r\n\r\n${plainWords}`;

/** Says in words what is wrong, since a browser shows nothing of a connection that just ends. The answer holds nothing of the request. */
function answerPlain(transport: Socket): 'answered' {
  transport.write(plainAnswer, 'latin1');
  transport.destroySoon();
  return 'answered';
}
