// One listener of an edge: accepts, reads the PROXY header where one is due, ends TLS where it is ended here.
// A plain listener without a header goes from accept to HTTP at once. Who is listed decides who may connect: a header is
// required from those addresses, and connections from any other address are refused (PROXY protocol specification §2, "must not try
// to guess").

import { createServer, type Server, type Socket } from 'node:net';
import type { Limits, ListenerConfig } from '../../config/compiled/config.ts';
import { compileIpList, type IpList } from '../../core/token/ip-list.ts';
import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import type { Ticker } from '../engine/ticker.ts';
import { foldMapped } from '../request/trusted-proxies.ts';
import { admissionSlack } from './admission.ts';
import type { ConnectionInfo, ListenerRules } from './connection-info.ts';
import { readPrologue } from './connection-prologue.ts';
import { EarlyConnections } from './early-connections.ts';
import { maxProxyHeaderBytes, readProxyHeader } from './proxy-protocol.ts';
import { TlsListener } from './tls-listener.ts';
import type { TlsTable } from './tls-table.ts';

/** A listener could not listen; `code` is the system's, `at` the place in the configuration. */
class ListenError extends Error {
  readonly code: string;
  readonly at: string;

  constructor(at: string, address: string, cause: NodeJS.ErrnoException) {
    super(`${at}: cannot listen on ${address}: ${cause.code ?? cause.message}`, { cause });
    this.code = cause.code ?? 'UNKNOWN';
    this.at = at;
  }
}

/** What the listeners of an edge share. A reload changes the limits. */
export interface ListenContext {
  readonly limits: Limits;
  readonly metrics: EdgeMetrics;
  readonly ticker: Ticker;
  readonly overload: { readonly level: number };
  /** Takes a connection that is ready for HTTP: over TLS the handshake is done, and a PROXY header was read. */
  accept(socket: Socket, connection: ConnectionInfo): void;
}

// Waiting for a kernel queue deeper than the default 511 costs nothing and saves bursts.
const backlog = 4096;
/** Connections that may be in a PROXY header or a handshake, however low the cap on all of them is. */
const leastEarly = 16;

export class Listener {
  readonly rules: ListenerRules = { gate: null };
  /** null on a plain listener. */
  readonly tls: TlsListener | null;
  readonly #config: ListenerConfig;
  readonly #context: ListenContext;
  readonly #proxies: IpList | null;
  readonly #server: Server;
  /** Connections that are not ready for HTTP yet. */
  readonly #early: EarlyConnections;

  /** @param table  what TLS is ended with; null on a plain listener */
  constructor(config: ListenerConfig, table: TlsTable | null, context: ListenContext) {
    this.#config = config;
    this.#context = context;
    this.#early = new EarlyConnections(
      () => Math.max(leastEarly, context.limits.maxConnections >> 2),
      () => {
        context.metrics.earlyConnectionsCut++;
      },
    );
    this.#proxies = config.proxyFrom === null ? null : compileIpList(config.proxyFrom);
    this.tls =
      table === null
        ? null
        : new TlsListener(table, {
            rules: this.rules,
            metrics: context.metrics,
            ticker: context.ticker,
            prologueTimeoutMs: () => context.limits.headMs,
            isOverloaded: () => context.overload.level > 0,
            onReady: (socket, connection) => {
              this.#early.delete(connection.transport);
              context.accept(socket, connection);
            },
          });
    const isDirect = this.tls === null && config.proxyFrom === null;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (isDirect) this.#serve(socket, peerOf(socket));
      else this.#acceptEarly(socket);
    });
    this.takeLimits();
    this.#server.on('drop', () => {
      context.metrics.connectionsDropped++;
    });
  }

  /** Takes the cap of the present configuration: what does not speak HTTP yet counts here alone. */
  takeLimits(): void {
    const { maxConnections } = this.#context.limits;
    this.#server.maxConnections = maxConnections + 2 * admissionSlack(maxConnections);
  }

  /** @param fd  a bound socket, or null to bind the address @returns where it really listens @throws ListenError */
  listen(fd: number | null): Promise<{ host: string; port: number }> {
    const { at, host, port } = this.#config;
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => reject(new ListenError(at, `${host}:${port}`, error));
      const onListening = () => {
        server.off('error', onError);
        const bound = server.address();
        const isTcp = bound !== null && typeof bound === 'object';
        resolve(isTcp ? { host: bound.address, port: bound.port } : { host, port });
      };
      server.once('error', onError);
      if (fd === null) server.listen({ host, port, backlog }, onListening);
      else server.listen({ fd }, backlog, onListening);
    });
  }

  /** Stops accepting and ends what has not begun to speak HTTP. Resolves once every connection is gone. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#early.destroy();
    return closed;
  }

  #acceptEarly(socket: Socket): void {
    const peer = peerOf(socket);
    this.#early.add(socket, peer);
    socket.once('close', () => this.#early.delete(socket));
    socket.on('error', () => {
      // 'close' follows
    });
    if (this.#config.proxyFrom === null) {
      this.tls?.accept(socket, peer);
      return;
    }
    const { metrics, ticker, limits } = this.#context;
    if (this.#proxies?.contains(peer) !== true) {
      metrics.proxyHeadersRefused++;
      socket.destroy();
      return;
    }
    let client = peer;
    readPrologue({
      socket,
      ticker,
      timeoutMs: limits.headMs,
      judge: (bytes) => {
        const header = readProxyHeader(bytes);
        if (header.kind === 'partial') return bytes.length > maxProxyHeaderBytes ? 'refuse' : 'partial';
        if (header.kind === 'malformed') return 'refuse';
        client = header.address ?? peer;
        return header.length;
      },
      onDone: () => {
        if (this.tls === null) this.#serve(socket, client);
        else {
          this.#early.add(socket, client);
          // that one may have been the oldest of whoever has most
          if (!socket.destroyed) this.tls.accept(socket, client);
        }
      },
      onRefused: () => {
        metrics.proxyHeadersRefused++;
      },
    });
  }

  #serve(socket: Socket, peerAddress: string): void {
    this.#early.delete(socket);
    const { rules } = this;
    this.#context.accept(socket, {
      transport: socket,
      peerAddress,
      scheme: 'http',
      tlsVersion: null,
      rules,
      policy: '',
      certificate: null,
    });
    // a prologue leaves it paused, with the first bytes of the request waiting
    if (socket.isPaused()) socket.resume();
  }
}

function peerOf(socket: Socket): string {
  return foldMapped(socket.remoteAddress ?? '');
}
