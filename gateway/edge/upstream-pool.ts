// Connections to the servers of one upstream: which server is next, which idle connection is used again.
// A connection is either in use by one exchange, or idle here, or gone. It is never in two places.

import type { UpstreamConfig, UpstreamServer } from '../config/config.ts';
import type { Runtime } from './runtime.ts';
import { UpstreamConnection } from './upstream-connection.ts';

/** Where a server listens: TCP, or a Unix socket for latchkey's own pages. */
export type UpstreamAddress = { readonly host: string; readonly port: number } | { readonly path: string };

// After a connection ended with requests unanswered: so a server that cannot do it costs one request in thousands twice.
const pipeliningPauseMs = 10_000;

/** The connections to one server. */
export class UpstreamServerPool {
  readonly address: UpstreamAddress;
  /** For logs: `host:port`. */
  readonly authority: string;
  readonly metricIndex: number;
  /** Connections open or opening. */
  open = 0;
  readonly #runtime: Runtime;
  readonly #maxConnections: number;
  readonly #maxIdle: number;
  // a stack: the connection used last is the warmest, and the others may grow old and go
  readonly #idle: UpstreamConnection[] = [];
  readonly #pipelining: number;
  /** Takes the requests of this turn. */
  #filling: UpstreamConnection | null = null;
  #pipelinesFromMs = 0;
  #isClosed = false;

  constructor(runtime: Runtime, address: UpstreamAddress, authority: string, metricIndex: number, config: PoolLimits) {
    this.#runtime = runtime;
    this.address = address;
    this.authority = authority;
    this.metricIndex = metricIndex;
    this.#maxConnections = config.maxConnections;
    this.#maxIdle = config.maxIdleConnections;
    this.#pipelining = config.pipelining;
  }

  get inUse(): number {
    return this.open - this.#idle.length;
  }

  /** @returns an idle connection, null when there is none */
  takeIdle(): UpstreamConnection | null {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.isUsable) {
        const reuses = this.#runtime.metrics.upstreamReuses;
        reuses[this.metricIndex] = (reuses[this.metricIndex] ?? 0) + 1;
        return connection;
      }
    }
    return null;
  }

  /**
   * A connection for a request that may go out together with others of this turn.
   *
   * @returns null when the server has as many as it may have
   */
  takeShared(): UpstreamConnection | null {
    if (this.#pipelining <= 1 || this.#pipelinesFromMs > this.#runtime.ticker.nowMs) {
      return this.takeIdle() ?? this.connect();
    }
    if (this.#filling?.canJoin(this.#pipelining)) return this.#filling;
    this.#filling = this.takeIdle() ?? this.connect();
    return this.#filling;
  }

  /** A connection ended with requests unanswered: for a while each request has one of its own. */
  pipeliningFailed(): void {
    this.#pipelinesFromMs = this.#runtime.ticker.nowMs + pipeliningPauseMs;
  }

  /** @returns a new connection, null when the server has as many as it may have */
  connect(): UpstreamConnection | null {
    if (this.open >= this.#maxConnections || this.#isClosed) return null;
    this.open++;
    const connects = this.#runtime.metrics.upstreamConnects;
    connects[this.metricIndex] = (connects[this.metricIndex] ?? 0) + 1;
    return new UpstreamConnection(this, this.#runtime);
  }

  /** Takes a connection back after a complete answer. */
  release(connection: UpstreamConnection): void {
    if (this.#isClosed || this.#idle.length >= this.#maxIdle || connection.keepAliveMs <= 0) {
      connection.destroy();
      return;
    }
    connection.deadlineMs = this.#runtime.ticker.nowMs + connection.keepAliveMs;
    this.#idle.push(connection);
  }

  /** A connection has closed, idle or not. */
  forget(connection: UpstreamConnection): void {
    this.open--;
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** Ends idle connections now and the others after their answer. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }
}

export interface PoolLimits {
  readonly maxConnections: number;
  readonly maxIdleConnections: number;
  /** Requests at most that go out together on one connection; 1 for none. */
  readonly pipelining: number;
}

/** The servers of one upstream; the one with the fewest requests running is next. */
export class UpstreamGroup {
  readonly name: string;
  readonly servers: readonly UpstreamServerPool[];
  #turn = 0;

  constructor(name: string, servers: readonly UpstreamServerPool[]) {
    this.name = name;
    this.servers = servers;
  }

  static of(runtime: Runtime, config: UpstreamConfig, metricIndex: number): UpstreamGroup {
    const pools = config.servers.map(
      (server: UpstreamServer) =>
        new UpstreamServerPool(
          runtime,
          { host: server.host, port: server.port },
          server.authority,
          metricIndex,
          config,
        ),
    );
    return new UpstreamGroup(config.name, pools);
  }

  /**
   * @param avoid  a server that just failed; used again only when it is the only one
   * @param fresh  true: never an idle connection
   * @param mayJoin  true: may share a connection where the upstream takes pipelining
   * @returns null when every server has as many connections as it may have
   */
  acquire(avoid: UpstreamServerPool | null, fresh: boolean, mayJoin: boolean): UpstreamConnection | null {
    const server = this.#pick(avoid);
    if (server === null) return null;
    if (fresh) return server.connect();
    return mayJoin ? server.takeShared() : (server.takeIdle() ?? server.connect());
  }

  close(): void {
    for (const server of this.servers) server.close();
  }

  #pick(avoid: UpstreamServerPool | null): UpstreamServerPool | null {
    const servers = this.servers;
    if (servers.length === 1) return servers[0] ?? null;
    let best: UpstreamServerPool | null = null;
    // the turn moves on, so that equals are used in turn
    this.#turn = (this.#turn + 1) % servers.length;
    for (let step = 0; step < servers.length; step++) {
      const server = servers[(this.#turn + step) % servers.length];
      if (server === undefined || server === avoid) continue;
      if (best === null || server.inUse < best.inUse) best = server;
    }
    return best ?? avoid;
  }
}
