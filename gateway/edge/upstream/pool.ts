// The connections to one server of an upstream: which idle one is used again, and whether there may be one more.
// A connection is either in use by requests, or idle here, or gone; never two of these.

import type { LookupFunction } from 'node:net';
import type { UpstreamConfig, UpstreamServer } from '../../config/compiled/upstream-config.ts';
import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import type { EngineParts } from '../engine/engine.ts';
import { hashText } from './balance.ts';
import { type ConnectionPool, UpstreamConnection } from './connection.ts';
import { HealthProbe } from './health-probe.ts';
import { type HealthChange, ServerHealth } from './server-health.ts';
import { type TargetTls, UpstreamTarget } from './upstream-target.ts';

// No pipelining for this long after a connection ended with requests unanswered: a server that cannot pipeline then makes one
// request in thousands be sent twice.
const pipeliningPauseMs = 10_000;
// A server that ends connections sooner than this is not meant for pipelining.
const leastPerConnection = 16;
// So many requests in that time may be sent twice because the request before them is slow; then the same pause follows.
const maxSentElsewhere = 64;

/** What the servers of an upstream have in common. */
type ServerSettings = Pick<
  UpstreamConfig,
  | 'name'
  | 'maxConnections'
  | 'maxIdleConnections'
  | 'keepAliveMs'
  | 'pipelining'
  | 'statusLine'
  | 'ejection'
  | 'healthCheck'
>;

/** What the upstreams of one edge share. */
export interface UpstreamContext {
  readonly engine: EngineParts;
  readonly metrics: EdgeMetrics;
  /** Resolves the names of upstreams; null for the system's resolver. */
  readonly lookup: LookupFunction | null;
  readonly reports: UpstreamReports;
}

interface UpstreamReports {
  /** Requests answered or forwarded so far. */
  readonly requests: number;
  /** A server is left out of its upstream from now on, or is back in it. */
  serverChanged(upstream: string, server: ReportedServer, change: HealthChange, detail: string): void;
}

/** A server as logs and metrics name it. */
export interface ReportedServer {
  readonly authority: string;
  readonly metricIndex: number;
}

/** The connections to one server. It lives as long as its settings do: a reload that changes none keeps it. */
export class UpstreamServerPool implements ConnectionPool {
  readonly target: UpstreamTarget;
  /** For logs: `host:port`, or `unix:` and a path. */
  readonly authority: string;
  /** The server's part in `score`. */
  readonly seed: number;
  readonly metricIndex: number;
  /** How long a connection may be idle; null: as long as the limits say for all upstreams. */
  readonly keepAliveMs: number | null;
  /** Its answers may begin with `ICY`. */
  readonly speaksIcy: boolean;
  readonly health: ServerHealth;
  /** Connections open or opening. */
  open = 0;
  readonly #engine: EngineParts;
  readonly #metrics: EdgeMetrics;
  readonly #maxConnections: number;
  readonly #maxIdle: number;
  readonly #probe: HealthProbe | null;
  // a stack: the connection used last is the warmest, and those below may grow old and go
  readonly #idle: UpstreamConnection[] = [];
  readonly #pipelining: number;
  /** The connection that the requests of this turn share; null when there is none yet. */
  #filling: UpstreamConnection | null = null;
  #pipelinesFromMs = 0;
  /** How many requests one connection gets: as many as the server was seen to answer before it closed. */
  requestsPerConnection = Number.POSITIVE_INFINITY;
  #sentElsewhere = 0;
  #countsUntilMs = 0;
  #isClosed = false;

  constructor(
    { engine, metrics, lookup, reports }: UpstreamContext,
    server: UpstreamServer,
    settings: ServerSettings,
    tls: TargetTls | null,
    metricIndex: number,
  ) {
    this.#engine = engine;
    this.#metrics = metrics;
    this.authority = server.authority;
    this.seed = hashText(server.authority);
    this.target = new UpstreamTarget(server, tls, lookup);
    this.metricIndex = metricIndex;
    this.keepAliveMs = settings.keepAliveMs;
    this.speaksIcy = settings.statusLine === 'icy';
    this.#maxConnections = settings.maxConnections;
    this.#maxIdle = settings.maxIdleConnections;
    this.#pipelining = settings.pipelining;
    this.health = new ServerHealth(settings.ejection, engine.ticker, (change, detail) =>
      reports.serverChanged(settings.name, this, change, detail),
    );
    this.#probe = settings.healthCheck === null ? null : new HealthProbe(settings.healthCheck, this, metrics);
  }

  get inUse(): number {
    return this.open - this.#idle.length;
  }

  /** Whether the server has no connection to give. */
  get isFull(): boolean {
    return this.open >= this.#maxConnections && this.#idle.length === 0 && !this.#filling?.canJoin(this.#pipelining);
  }

  /** @returns an idle connection, null when there is none */
  takeIdle(): UpstreamConnection | null {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (!connection.socket.destroyed) {
        const reuses = this.#metrics.upstreamReuses;
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
    if (this.#pipelining <= 1 || this.#pipelinesFromMs > this.#engine.ticker.nowMs) {
      return this.takeIdle() ?? this.connect();
    }
    if (this.#filling?.canJoin(this.#pipelining)) return this.#filling;
    this.#filling = this.takeIdle() ?? this.connect();
    return this.#filling;
  }

  /** A connection ended with requests unanswered: for a while each request has a connection of its own. */
  pipeliningFailed(): void {
    this.#pipelinesFromMs = this.#engine.ticker.nowMs + pipeliningPauseMs;
  }

  /**
   * The server said that an answer was the last one while other requests were behind it. Many servers end a connection after so
   * many requests (nginx: 1,000): the next connections get no more than that.
   *
   * @param answers  that the server gave on the connection
   */
  closedBehind(answers: number): void {
    if (answers < leastPerConnection) this.pipeliningFailed();
    else this.requestsPerConnection = Math.min(this.requestsPerConnection, answers);
  }

  /** So many requests did not wait for the one before them. Where that happens often, pipelining costs more than it saves. */
  sentElsewhere(count: number): void {
    const { nowMs } = this.#engine.ticker;
    if (nowMs > this.#countsUntilMs) {
      this.#countsUntilMs = nowMs + pipeliningPauseMs;
      this.#sentElsewhere = 0;
    }
    this.#sentElsewhere += count;
    if (this.#sentElsewhere > maxSentElsewhere) this.pipeliningFailed();
  }

  /**
   * Opens a connection. A closed pool does so too: a request that began before a reload may have to try again.
   *
   * @returns a new connection, null when the server has as many as it may have
   */
  connect(): UpstreamConnection | null {
    if (this.open >= this.#maxConnections) return null;
    this.open++;
    const connects = this.#metrics.upstreamConnects;
    connects[this.metricIndex] = (connects[this.metricIndex] ?? 0) + 1;
    return new UpstreamConnection(this, this.#engine);
  }

  /** Takes a connection back after a complete answer. */
  release(connection: UpstreamConnection): void {
    if (this.#isClosed || this.#idle.length >= this.#maxIdle || connection.keepAliveMs <= 0) {
      connection.destroy();
      return;
    }
    connection.deadlineMs = this.#engine.ticker.nowMs + connection.keepAliveMs;
    this.#idle.push(connection);
  }

  /** Something failed on one of the connections. */
  countFailure(): void {
    const failures = this.#metrics.upstreamFailures;
    failures[this.metricIndex] = (failures[this.metricIndex] ?? 0) + 1;
  }

  /** A connection has closed, idle or not. */
  forget(connection: UpstreamConnection): void {
    this.open--;
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** Ends idle connections now, and the others after their answer. */
  close(): void {
    this.#isClosed = true;
    this.#probe?.close();
    this.health.close();
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }
}
