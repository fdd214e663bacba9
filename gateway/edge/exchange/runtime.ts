// What all connections of one edge share: configuration, keys, pools, counters, logs. Built once, in `startEdge`.
// A reload replaces the snapshot, the keys and the pools here; requests in flight keep what they took.

import type { LookupFunction, Socket } from 'node:net';
import { compileSnapshot } from '../../config/compile.ts';
import type { Config, Limits } from '../../config/compiled/config.ts';
import type { FeedUpstreamTls } from '../../config/edge-feed.ts';
import type { RoutePolicy, Snapshot } from '../../core/decision/state/snapshot.ts';
import type { Denial } from '../../core/decision/verdict/denial.ts';
import type { AllowKind } from '../../core/decision/verdict/reasons.ts';
import type { SigningKey } from '../../core/model/signing-key.ts';
import type { RingKey } from '../../core/token/key-ring.ts';
import { HeadScanner } from '../../http1/head-scanner.ts';
import { RequestHead } from '../../http1/request-head.ts';
import { ResponseHead } from '../../http1/response-head.ts';
import type { AccessLog, DecisionLog } from '../../telemetry/access-log.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { RequestIds } from '../../telemetry/request-id.ts';
import type { TunnelEnd } from '../../telemetry/tunnel-metrics.ts';
import type { RefusedMessage } from '../answer/refused-message.ts';
import { ReadBuffers } from '../engine/read-buffers.ts';
import { Ticker } from '../engine/ticker.ts';
import { Admission } from '../listen/admission.ts';
import type { ConnectionInfo } from '../listen/connection-info.ts';
import { Overload } from '../listen/overload.ts';
import { AssertionSigner } from '../live/assertion-signer.ts';
import type { ControlPort } from '../live/control-questions.ts';
import { LiveKeys } from '../live/live-keys.ts';
import { Membership } from '../live/membership.ts';
import type { DecisionRecords } from '../report/decision-records.ts';
import { logExchange } from '../report/log-exchange.ts';
import { LostTokens } from '../report/playlist-token-hint.ts';
import type { Described } from '../request/describe.ts';
import { MessageNames } from '../request/message-names.ts';
import { RateBuckets } from '../request/rate-buckets.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import type { UpstreamGroup } from '../upstream/group.ts';
import { ownUpstreamName, UpstreamGroups } from '../upstream/groups.ts';
import type { UpstreamServerPool } from '../upstream/pool.ts';
import { RetryBudget } from '../upstream/retry-budget.ts';
import type { StandingChange } from '../upstream/server-health.ts';
import { OwnBodies } from './discard-body.ts';
import { Downstream } from './downstream.ts';
import type { Exchange } from './exchange.ts';
import type { Passage } from './lifecycle.ts';
import { Lingering } from './lingering.ts';
import { OpenTunnels } from './open-tunnels.ts';
import { OwnPages } from './own-pages.ts';
import { PermitRenewals } from './renew-permit.ts';
import { SlowClients } from './slow-clients.ts';
import type { Tunnel } from './tunnel.ts';

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
  readonly control: ControlPort;
  /** Resolves the names of upstreams; null for the system's resolver. */
  readonly lookup: LookupFunction | null;
  /** How late the event loop runs, from how late a tick came. Default: that is it. */
  readonly loopDelayMs?: (lateMs: number) => number;
}

// Sum of large read buffers; above it reads use 16 KiB each.
const maxReadBufferBytes = 128 * 1024 * 1024;
const maxFreeHeads = 256;
// what access lines of requests say that no upstream saw
const unforwarded = { user: null, token: null, upstream: null, bytesIn: 0, bytesOut: 0 } as const;
/** Size of `Runtime.scratch`. */
export const scratchBytes = 16 * 1024;

export class Runtime {
  snapshot: Snapshot;
  limits: Limits;
  isDraining = false;
  records: DecisionRecords | null = null;
  readonly live: LiveKeys;
  readonly metrics: EdgeMetrics;
  readonly membership: Membership;
  readonly lookup: LookupFunction | null;
  readonly retryBudget: RetryBudget;
  readonly ticker = new Ticker();
  readonly requestIds = new RequestIds();
  readonly assertions = new AssertionSigner();
  readonly lostTokens = new LostTokens();
  /** Outlives reloads: limits that stay keep what they counted. */
  readonly rateBuckets = new RateBuckets();
  readonly readBuffers = new ReadBuffers(maxReadBufferBytes);
  /** Scratch for heads that arrive in one piece: used and done with in one turn. */
  readonly scanner = new HeadScanner();
  readonly responseHead = new ResponseHead();
  readonly names: MessageNames;
  /** Where small answers are put together: used and written within one turn. */
  scratch: Buffer = Buffer.allocUnsafeSlow(scratchBytes);
  readonly connections = new Set<Downstream>();
  readonly tunnels = new OpenTunnels();
  readonly permits = new PermitRenewals(this);
  readonly admission = new Admission(this);
  readonly lingering = new Lingering();
  readonly overload = new Overload();
  readonly ownBodies = new OwnBodies();
  readonly ownPages = new OwnPages();
  readonly #slowClients = new SlowClients(this.connections, this.ticker.nowMs);
  readonly #logger: Logger;
  readonly #accessLog: AccessLog | null;
  readonly #decisionLog: DecisionLog | null;
  readonly #unflushed: UpstreamConnection[] = [];
  readonly #groups: UpstreamGroups;
  readonly #freeHeads: RequestHead[] = [];

  constructor(options: RuntimeOptions) {
    this.metrics = options.metrics;
    this.retryBudget = new RetryBudget(options.metrics);
    this.#logger = options.logger;
    this.#accessLog = options.accessLog;
    this.#decisionLog = options.decisionLog;
    this.lookup = options.lookup;
    this.#groups = new UpstreamGroups(this, options.publicSocket);
    this.limits = options.config.limits;
    this.live = new LiveKeys(options.keys, options.config.decisionCache, options.metrics);
    this.membership = new Membership(options.control, this.live, this.ticker, options.metrics.access);
    this.snapshot = this.#compile(options.config, options.upstreamTls, options.seq);
    this.live.revocations.setSkew(this.snapshot.clockSkewSeconds);
    this.names = new MessageNames(this.snapshot);
    this.metrics.beforeCollect = () => this.#gauges();
    const measure = options.loopDelayMs ?? ((lateMs) => lateMs);
    this.ticker.onTick = (nowMs, lateMs) => this.#onTick(nowMs, measure(lateMs));
  }

  /** Takes a new configuration and new keys, in one turn. */
  apply(config: Config, keys: readonly SigningKey[], upstreamTls: readonly FeedUpstreamTls[], seq: number): void {
    this.limits = config.limits;
    this.live.replaceKeys(keys, config.decisionCache);
    this.snapshot = this.#compile(config, upstreamTls, seq);
    this.live.revocations.setSkew(this.snapshot.clockSkewSeconds);
    this.names.learn(this.snapshot);
    this.tunnels.reconsider();
  }

  /** Takes another key ring, and nothing else: compiling a configuration again would take longer than a revocation may. */
  replaceRing(keys: readonly SigningKey[]): void {
    this.live.replaceRing(keys);
    this.tunnels.decideAgain();
  }

  signingKey(): RingKey | null {
    return this.live.signingKey();
  }

  /** The servers of a route. The route may be of a configuration before this one. */
  groupOf(route: RoutePolicy): UpstreamGroup {
    return this.#groups.find(route.upstreamIndex, route.upstreamName);
  }

  /**
   * A head to parse into. It belongs to one request until `giveRequestHead`, which is after the request's telemetry.
   * Making one per request cost 4 % of the edge's CPU (1.6 KiB of integers each, by --cpu-prof under bench load).
   */
  takeRequestHead(): RequestHead {
    return this.#freeHeads.pop() ?? new RequestHead();
  }

  /** Takes a head back whose request is over. Nothing may look at it any more. */
  giveRequestHead(head: RequestHead): void {
    if (this.#freeHeads.length < maxFreeHeads) this.#freeHeads.push(head);
  }

  /** At the end of this turn the connection writes what it holds; see `UpstreamConnection.start`. */
  flushSoon(connection: UpstreamConnection): void {
    if (this.#unflushed.push(connection) === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    // taken out first: whatever one of them does, the next turn is scheduled anew
    for (const connection of this.#unflushed.splice(0)) connection.flush();
  };

  /** A write still needs the scratch: it keeps it, and the next answer gets another. */
  renewScratch(): void {
    this.scratch = Buffer.allocUnsafeSlow(scratchBytes);
  }

  /** Serves a connection that a listener has made ready for HTTP. */
  accept(socket: Socket, connection: ConnectionInfo): void {
    new Downstream(socket, this, connection);
  }

  /** Takes a connection in, or drops it without a word. */
  connectionOpened(downstream: Downstream): void {
    if (!this.admission.admit(downstream)) {
      this.metrics.connectionsDropped++;
      downstream.socket.destroy();
      return;
    }
    this.connections.add(downstream);
    this.ticker.watch(downstream);
    this.metrics.connectionsAccepted++;
  }

  connectionClosed(downstream: Downstream): void {
    if (!this.connections.delete(downstream)) return;
    this.ticker.unwatch(downstream);
    this.lingering.leave(downstream);
    this.admission.leave(downstream);
    this.endTunnelsWhenAlone();
  }

  /** In a drain tunnels end last: they end by themselves only when somebody leaves. */
  endTunnelsWhenAlone(): void {
    if (this.isDraining && this.tunnels.count === this.connections.size) this.tunnels.drain();
  }

  /** Telemetry of an exchange, whatever its end was. */
  exchangeOver(exchange: Exchange, durationMs: number): void {
    this.retryBudget.requests++;
    const route = exchange.permit.route;
    this.metrics.bytesOut += exchange.bytesOut;
    this.metrics.request(route.index, exchange.status, 0, durationMs / 1000);
    if (exchange.refusal === 'bad-chunk') this.metrics.parseRefusals++;
    this.records?.forwarded(exchange);
    if (this.#accessLog !== null) logExchange(this.#accessLog, exchange, durationMs, null);
    this.giveRequestHead(exchange.request.head);
  }

  /** A request became a tunnel. For the metrics it ends here: hours of silence are no latency. */
  tunnelBegan(tunnel: Tunnel, durationMs: number): void {
    const route = tunnel.exchange.permit.route.index;
    this.retryBudget.requests++;
    this.tunnels.add(tunnel);
    this.records?.forwarded(tunnel.exchange);
    this.metrics.request(route, tunnel.exchange.status, 0, durationMs / 1000);
    this.metrics.tunnelsBegun[route] = (this.metrics.tunnelsBegun[route] ?? 0) + 1;
  }

  /** The access line of a tunnel is written at its end, with all its bytes. */
  tunnelOver(tunnel: Tunnel, why: TunnelEnd, durationMs: number): void {
    this.tunnels.delete(tunnel);
    this.metrics.tunnels.ended(why);
    const exchange = tunnel.exchange;
    if (this.#accessLog !== null) logExchange(this.#accessLog, exchange, durationMs, why);
    this.giveRequestHead(exchange.request.head);
  }

  requestDenied(passage: Passage, denial: Denial, status: number, hint: string | null): void {
    this.retryBudget.requests++;
    const { request, requestId } = passage;
    const durationMs = monotonicMs() - passage.startedMs;
    const route = denial.route?.name ?? null;
    this.metrics.request(denial.route?.index ?? -1, status, 1, durationMs / 1000);
    this.records?.refused(request, requestId, denial, status);
    const common = {
      requestId,
      client: request.clientAddress,
      method: request.method,
      host: request.host,
      path: request.path,
      route,
      status,
      denied: denial.reason,
      // a token that was not judged may be the site's, and nothing of it is ours to write down
      token: denial.presented ? request.explicitToken : null,
    };
    this.#decisionLog?.write({ ...common, detail: hint === null ? denial.detail : `${denial.detail}; ${hint}` });
    this.#accessLog?.write({ ...unforwarded, ...common, allowed: null, durationMs, hint });
  }

  /** An allowed request that was never forwarded: answered here, or with `status` 0 when its client had left. */
  endedHere(
    passage: Passage,
    route: RoutePolicy,
    how: AllowKind,
    user: string | null,
    status: number,
    hint: string,
  ): void {
    this.retryBudget.requests++;
    const { request, requestId } = passage;
    const durationMs = monotonicMs() - passage.startedMs;
    this.metrics.request(route.index, status, 0, durationMs / 1000);
    this.#accessLog?.write({
      ...unforwarded,
      requestId,
      client: request.clientAddress,
      method: request.method,
      host: request.host,
      path: request.path,
      route: route.name,
      status,
      allowed: how,
      denied: null,
      user,
      durationMs,
      hint,
    });
  }

  /** The listener sent it to https. */
  requestRedirected({ request, requestId, startedMs }: Passage, status: number): void {
    this.retryBudget.requests++;
    const durationMs = monotonicMs() - startedMs;
    this.metrics.request(-1, status, 1, durationMs / 1000);
    const { clientAddress: client, method, host, path } = request;
    const line = { requestId, client, method, host, path, route: null, status, allowed: null, denied: null };
    this.#accessLog?.write({ ...unforwarded, ...line, durationMs, hint: null });
  }

  /** A hint when a player lost its token on the way, counted for its route. */
  lostTokenHint(request: Described, route: RoutePolicy | null): string | null {
    const hint = this.lostTokens.hintFor(request, this.ticker.nowMs);
    if (hint !== null && route !== null) {
      this.metrics.lostTokens[route.index] = (this.metrics.lostTokens[route.index] ?? 0) + 1;
    }
    return hint;
  }

  messageRefused(
    downstream: Downstream,
    requestId: string,
    status: number,
    hint: string,
    { method, host, path }: RefusedMessage,
  ): void {
    this.metrics.request(-1, status, 2, 0);
    const client = downstream.peerAddress;
    const line = { requestId, client, method, host, path, route: null, status, allowed: null, denied: null };
    this.#accessLog?.write({ ...unforwarded, ...line, durationMs: 0, hint });
  }

  upstreamTrouble(exchange: Exchange, connection: UpstreamConnection, failure: UpstreamFailure): void {
    this.#logger.warn(
      {
        request_id: exchange.requestId,
        upstream: exchange.permit.route.upstreamName,
        server: connection.server.authority,
        failure,
        cause: connection.cause,
      },
      'upstream failed',
    );
  }

  /** A server is left out of its upstream from now on, or is back in it. */
  serverChanged(upstream: string, server: UpstreamServerPool, change: StandingChange, detail: string): void {
    if (change === 'ejected') {
      const { ejections } = this.metrics;
      ejections[server.metricIndex] = (ejections[server.metricIndex] ?? 0) + 1;
    }
    this.#logger.warn({ upstream, server: server.authority, detail }, `upstream server is ${change}`);
  }

  closeUpstreams(): void {
    this.#groups.close();
  }

  #compile(config: Config, upstreamTls: readonly FeedUpstreamTls[], seq: number): Snapshot {
    const names = [...config.upstreams.map((upstream) => upstream.name), ownUpstreamName];
    const slots = this.metrics.resize(
      config.routes.map((route) => route.name),
      names,
    );
    this.#groups.replace(config.upstreams, upstreamTls, slots.upstreams);
    const ownSlot = slots.upstreams[names.length - 1] ?? names.length - 1;
    return compileSnapshot(config, seq, slots, ownSlot);
  }

  #onTick(nowMs: number, delayMs: number): void {
    this.#slowClients.sweep(nowMs, this.limits.rateWindowMs);
    this.admission.tick();
    if (!this.overload.note(delayMs, this.limits.maxEventLoopDelayMs)) return;
    const { level } = this.overload;
    this.metrics.overloadLevel = level;
    this.#logger.warn({ level, delayMs: Math.round(delayMs) }, level === 0 ? 'the overload is over' : 'overloaded');
  }

  #gauges(): void {
    let idle = 0;
    for (const connection of this.connections) if (connection.isIdle && !connection.isClosing) idle++;
    this.metrics.connectionsIdle = idle;
    this.metrics.connectionsLingering = this.lingering.count;
    this.metrics.connectionsActive = this.connections.size - idle - this.lingering.count;
    this.metrics.cacheEntries = this.live.entries;
    this.metrics.access.kept = this.live.access.size;
    this.metrics.tunnels.open = this.tunnels.count;
    this.metrics.revocations.entries = this.live.revocations.size;
    // not loaded yet: as old as this process
    this.metrics.revocations.indexAgeMs = Math.min(monotonicMs(), monotonicMs() - this.live.freshAtMs);
    this.#groups.measure();
  }
}
