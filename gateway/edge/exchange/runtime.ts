// What the requests of one edge share: configuration, keys, memory, servers. Built once, in `startEdge`; a reload replaces the
// snapshot, the keys and the servers here, and requests in flight keep what they took.
// What every connection shares is in edge/engine/, and what is told to people goes out through edge/report/.

import type { LookupFunction, Socket } from 'node:net';
import { compileSnapshot } from '../../config/compile.ts';
import type { Config, Limits } from '../../config/compiled/config.ts';
import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import type { SigningKey } from '../../core/model/signing-key.ts';
import type { RingKey } from '../../core/token/key-ring.ts';
import type { AccessLog, DecisionLog } from '../../telemetry/access-log.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { RequestIds } from '../../telemetry/request-id.ts';
import type { SpanExport } from '../../telemetry/span-export.ts';
import { TraceSource } from '../../telemetry/trace-context.ts';
import type { FeedUpstreamTls } from '../../wire/feed.ts';
import { Engine } from '../engine/engine.ts';
import type { Ticker } from '../engine/ticker.ts';
import type { ConnectionInfo } from '../listen/connection-info.ts';
import { Overload } from '../listen/overload.ts';
import { AssertionSigner } from '../live/assertion-signer.ts';
import type { ControlPort } from '../live/control-questions.ts';
import { LiveKeys } from '../live/live-keys.ts';
import { Membership } from '../live/membership.ts';
import { EdgeReports } from '../report/edge-reports.ts';
import { MessageNames } from '../request/field-classes.ts';
import { RateBuckets } from '../request/rate-buckets.ts';
import { ownUpstreamName, UpstreamGroups } from '../upstream/groups.ts';
import { PermitRenewals } from './decide-again.ts';
import { Downstream } from './downstream.ts';
import { OpenConnections } from './open-connections.ts';
import { OwnPages } from './own-pages.ts';

interface RuntimeOptions {
  readonly config: Config;
  readonly keys: readonly SigningKey[];
  readonly seq: number;
  readonly publicSocket: string;
  readonly upstreamTls: readonly FeedUpstreamTls[];
  readonly metrics: EdgeMetrics;
  readonly logger: Logger;
  readonly accessLog: AccessLog | null;
  readonly decisionLog: DecisionLog | null;
  /** null: no spans are exported. */
  readonly spans: SpanExport | null;
  readonly control: ControlPort;
  /** Resolves the names of upstreams; null for the system's resolver. */
  readonly lookup: LookupFunction | null;
  /** How late the event loop runs, from how late a tick came. Default: that is it. */
  readonly loopDelayMs?: (lateMs: number) => number;
}

/** One per edge. */
export class Runtime {
  snapshot: Snapshot;
  readonly engine: Engine;
  /** The engine's. */
  readonly ticker: Ticker;
  readonly live: LiveKeys;
  readonly metrics: EdgeMetrics;
  readonly reports: EdgeReports;
  readonly membership: Membership;
  readonly upstreams: UpstreamGroups;
  readonly connections: OpenConnections;
  readonly permits = new PermitRenewals(this);
  readonly requestIds = new RequestIds();
  readonly traces: TraceSource;
  readonly assertions = new AssertionSigner();
  /** Outlives reloads: limits that stay keep what they counted. */
  readonly rateBuckets = new RateBuckets();
  readonly overload = new Overload();
  readonly ownPages = new OwnPages();
  readonly #names: MessageNames;

  constructor(options: RuntimeOptions) {
    const { config, metrics } = options;
    this.metrics = metrics;
    this.reports = new EdgeReports(options);
    this.traces = new TraceSource(options.spans === null ? 0 : (config.telemetry.otlp?.sample ?? 0));
    const slots = resize(metrics, config);
    this.snapshot = compile(config, options.seq, slots);
    this.reports.visitors.tokenPathPrefix = this.snapshot.tokenPathPrefix;
    this.#names = new MessageNames(this.snapshot);
    this.engine = new Engine(config.limits, this.#names);
    this.ticker = this.engine.ticker;
    this.upstreams = new UpstreamGroups(
      { ...options, engine: this.engine, reports: this.reports },
      options.publicSocket,
    );
    this.upstreams.replace(config.upstreams, options.upstreamTls, slots.upstreams);
    this.live = new LiveKeys(options.keys, config.decisionCache, metrics);
    this.live.revocations.setSkew(this.snapshot.clockSkewSeconds);
    this.membership = new Membership(options.control, this.live, this.ticker, metrics.access);
    this.connections = new OpenConnections(this);
    metrics.beforeCollect = () => this.#measure();
    const loopDelayMs = options.loopDelayMs ?? ((lateMs) => lateMs);
    this.ticker.onTick = (nowMs, lateMs) => this.#onTick(nowMs, loopDelayMs(lateMs));
  }

  /** Of the configuration in force. */
  get limits(): Limits {
    return this.engine.limits;
  }

  /** Takes a new configuration and new keys, in one turn. */
  apply(config: Config, keys: readonly SigningKey[], upstreamTls: readonly FeedUpstreamTls[], seq: number): void {
    this.engine.limits = config.limits;
    this.live.replaceKeys(keys, config.decisionCache);
    const slots = resize(this.metrics, config);
    this.upstreams.replace(config.upstreams, upstreamTls, slots.upstreams);
    this.snapshot = compile(config, seq, slots);
    this.live.revocations.setSkew(this.snapshot.clockSkewSeconds);
    this.reports.visitors.tokenPathPrefix = this.snapshot.tokenPathPrefix;
    this.#names.learn(this.snapshot);
    this.connections.tunnels.reconsider();
  }

  /** Takes another key ring, and nothing else: compiling a configuration again would take longer than a revocation may. */
  replaceRing(keys: readonly SigningKey[]): void {
    this.live.replaceRing(keys);
    this.connections.tunnels.decideAgain();
  }

  signingKey(): RingKey | null {
    return this.live.signingKey();
  }

  /** Serves a connection that a listener has made ready for HTTP. */
  accept(socket: Socket, connection: ConnectionInfo): void {
    new Downstream(socket, this, connection);
  }

  /** Finishes what runs, and keeps no connection after it. */
  drain(): void {
    this.engine.isDraining = true;
    this.connections.drain();
  }

  /** Ends what is left. */
  close(): void {
    this.connections.depart();
    this.upstreams.close();
    this.ticker.stop();
  }

  #onTick(nowMs: number, delayMs: number): void {
    this.connections.tick(nowMs);
    if (this.overload.note(delayMs, this.limits.maxEventLoopDelayMs)) {
      this.reports.overloadChanged(this.overload.level, delayMs);
    }
  }

  #measure(): void {
    const { metrics, live } = this;
    this.connections.measure(metrics);
    metrics.cacheEntries = live.entries;
    metrics.access.kept = live.access.size;
    metrics.revocations.entries = live.revocations.size;
    // not loaded yet: as old as this process
    metrics.revocations.indexAgeMs = Math.min(monotonicMs(), monotonicMs() - live.freshAtMs);
    this.upstreams.measure();
  }
}

type Slots = ReturnType<EdgeMetrics['resize']>;

/** Gives the routes and upstreams of a configuration their places in the metrics; latchkey's own pages come last. */
function resize(metrics: EdgeMetrics, { routes, upstreams }: Config): Slots {
  return metrics.resize(
    routes.map((route) => route.name),
    [...upstreams.map((upstream) => upstream.name), ownUpstreamName],
  );
}

function compile(config: Config, seq: number, slots: Slots): Snapshot {
  const own = config.upstreams.length;
  return compileSnapshot(config, seq, slots, slots.upstreams[own] ?? own);
}
