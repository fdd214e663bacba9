// Counters of one edge: plain numbers that the hot path bumps, read by prom-client when control asks for them.
// Hot calls allocate nothing and join no strings. Labels come from the configuration and from closed lists only.
// Names: the operator's page "Metrics"; sums over edges are made by control (metrics-aggregate.ts).

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from 'prom-client';
import { type AllowKind, allowKinds, type DenyReason, denyReasons } from '../core/decision/verdict/reasons.ts';
import { AccessMetrics } from './access-metrics.ts';
import { DecisionRecordMetrics } from './decision-record-metrics.ts';
import { RevocationMetrics } from './revocation-metrics.ts';
import { SlotTable } from './slot-table.ts';
import { SpanMetrics } from './span-metrics.ts';
import { type DurationRow, TableHistogram } from './table-histogram.ts';
import { TunnelMetrics } from './tunnel-metrics.ts';

/** How a request ended for the metrics: allowed, denied, or broken before or after a decision. */
type DecisionOutcome = 0 | 1 | 2;

/** Where the names given to `resize` keep their counters: `routes[i]` is the index to use for the i-th route name. */
interface MetricSlots {
  readonly routes: readonly number[];
  readonly upstreams: readonly number[];
}

/** Upper bounds in seconds. Fixed, so that edges and versions can be summed. */
const durationBuckets: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

const outcomes = ['allow', 'deny', 'error'] as const;
const statusSpan = 1000;
const loopDelayResolutionMs = 20;
/** Slot 0 of the per-route tables is "no route". */
const noRoute = 1;

/**
 * Metrics of one edge. In the constructor's lists a name's position is its index; after `resize` use the slots it returns:
 * a request in flight may still hold an index from before a reload, so an index never changes its name while in use.
 */
export class EdgeMetrics {
  readonly registry = new Registry();
  /** Called before each scrape; the edge sets its gauges here (cache entries, idle connections). */
  beforeCollect: (() => void) | null = null;

  connectionsActive = 0;
  connectionsIdle = 0;
  connectionsLingering = 0;
  connectionsAccepted = 0;
  connectionsDropped = 0;
  connectionsShed = 0;
  /** Connections that were ended before they spoke HTTP, because too many such connections were open. */
  earlyConnectionsCut = 0;
  overloadLevel = 0;
  readonly upstreamConnects: number[] = [];
  readonly upstreamReuses: number[] = [];
  readonly upstreamFailures: number[] = [];
  readonly upstreamActive: number[] = [];
  readonly upstreamHealthy: number[] = [];
  readonly ejections: number[] = [];
  readonly healthCheckFailures: number[] = [];
  readonly lostTokens: number[] = [];
  /** Tunnels begun, by route. */
  readonly tunnelsBegun: number[] = [];
  readonly tunnels = new TunnelMetrics();
  readonly revocations = new RevocationMetrics();
  readonly access = new AccessMetrics();
  readonly records = new DecisionRecordMetrics();
  readonly spans = new SpanMetrics();
  parseRefusals = 0;
  tlsHandshakes = 0;
  tlsHandshakesFailed = 0;
  tlsHellosReplayed = 0;
  tlsSessionsResumed = 0;
  proxyHeadersRefused = 0;
  retries = 0;
  passesIssued = 0;
  bytesIn = 0;
  bytesOut = 0;
  cacheEntries = 0;

  readonly #routes: SlotTable;
  readonly #upstreams: SlotTable;
  /** By `outcome * 1000 + status`: a table over route slots, made when the pair is seen first. */
  readonly #requests: (number[] | undefined)[] = new Array(outcomes.length * statusSpan).fill(undefined);
  /** One row per route slot: a count per bucket, `+Inf` last. Made when the route is used first. */
  readonly #durations: (Float64Array | undefined)[] = [];
  readonly #durationSums: number[] = [];
  readonly #allowed = new Map<AllowKind, number>(allowKinds.map((kind) => [kind, 0]));
  readonly #denied = new Map<DenyReason, number>(denyReasons.map((reason) => [reason, 0]));
  #decisionErrors = 0;
  #cacheHits = 0;
  #cacheMisses = 0;
  readonly #loopDelay: ReturnType<typeof monitorEventLoopDelay>;

  constructor(routeNames: readonly string[], upstreamNames: readonly string[]) {
    this.#routes = new SlotTable((slot) => this.#clearRoute(slot));
    this.#upstreams = new SlotTable((slot) => this.#clearUpstream(slot));
    this.resize(routeNames, upstreamNames);
    this.#loopDelay = monitorEventLoopDelay({ resolution: loopDelayResolutionMs });
    this.#loopDelay.enable();
    this.#register();
  }

  /**
   * One finished request.
   *
   * @param routeIndex  slot of the route, -1 when none matched
   * @param status  status sent downstream; 0 when the connection ended before one was sent
   * @param seconds  from the head's first byte to the answer's last
   */
  request(routeIndex: number, status: number, decision: DecisionOutcome, seconds: number): void {
    const slot = routeIndex + noRoute;
    const column = decision * statusSpan + (status >= 100 && status < statusSpan ? status : 0);
    const counts = this.#requests[column];
    if (counts !== undefined && slot < counts.length) counts[slot] = (counts[slot] ?? 0) + 1;
    else this.#growColumn(column, slot);
    const row = this.#durations[slot] ?? this.#addDurationRow(slot);
    // The first bounds hold nearly every request, so a walk from the front beats a search.
    let bucket = 0;
    while (bucket < durationBuckets.length && seconds > (durationBuckets[bucket] ?? 0)) bucket += 1;
    row[bucket] = (row[bucket] ?? 0) + 1;
    this.#durationSums[slot] = (this.#durationSums[slot] ?? 0) + seconds;
  }

  /** One verdict: the kind that let it pass, or the reason that refused it; both null when deciding itself failed. */
  decision(kind: AllowKind | null, reason: DenyReason | null): void {
    if (reason !== null) this.#denied.set(reason, (this.#denied.get(reason) ?? 0) + 1);
    else if (kind !== null) this.#allowed.set(kind, (this.#allowed.get(kind) ?? 0) + 1);
    else this.#decisionErrors += 1;
  }

  cacheHit(): void {
    this.#cacheHits += 1;
  }

  cacheMiss(): void {
    this.#cacheMisses += 1;
  }

  /**
   * Takes the names of a new configuration. Totals of names that stay are kept, at their old index; new names get an index
   * of their own. A name that went keeps its index until the reload after this one, then its totals are dropped.
   *
   * @returns the index to use for each name, in the order given
   */
  resize(routeNames: readonly string[], upstreamNames: readonly string[]): MetricSlots {
    return { routes: this.#routes.assign(routeNames), upstreams: this.#upstreams.assign(upstreamNames) };
  }

  /** prom-client's JSON form, for control's aggregation. */
  async report(): Promise<unknown> {
    return this.registry.getMetricsAsJSON();
  }

  /** Stops watching the event loop. */
  close(): void {
    this.#loopDelay.disable();
  }

  #growColumn(column: number, slot: number): void {
    const counts = this.#requests[column] ?? [];
    while (counts.length < slot) counts.push(0);
    counts[slot] = 1;
    this.#requests[column] = counts;
  }

  #addDurationRow(slot: number): Float64Array {
    const row = new Float64Array(durationBuckets.length + 1);
    while (this.#durations.length < slot) this.#durations.push(undefined);
    this.#durations[slot] = row;
    return row;
  }

  #clearRoute(slot: number): void {
    for (const counts of this.#requests)
      if (counts !== undefined && slot + noRoute < counts.length) counts[slot + noRoute] = 0;
    if (slot + noRoute < this.#durations.length) this.#durations[slot + noRoute] = undefined;
    this.#durationSums[slot + noRoute] = 0;
    this.lostTokens[slot] = 0;
    this.tunnelsBegun[slot] = 0;
  }

  #clearUpstream(slot: number): void {
    const { upstreamConnects, upstreamReuses, upstreamFailures, upstreamActive } = this;
    for (const counts of [upstreamConnects, upstreamReuses, upstreamFailures, upstreamActive]) counts[slot] = 0;
    for (const counts of [this.upstreamHealthy, this.ejections, this.healthCheckFailures]) counts[slot] = 0;
  }

  #register(): void {
    const registers = [this.registry];
    const metrics = this;
    const counter = (name: string, help: string, read: () => number): void => {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    };
    const gauge = (name: string, help: string, read: () => number, aggregator: 'sum' | 'max' = 'sum'): void => {
      new Gauge({
        name,
        help,
        registers,
        aggregator,
        collect() {
          this.set(read());
        },
      });
    };

    new Counter({
      name: 'latchkey_requests_total',
      help: 'Requests by route, status code and decision.',
      labelNames: ['route', 'code', 'decision'],
      registers,
      collect() {
        // The first metric of the registry, so the edge's gauges are fresh for all that follow.
        metrics.beforeCollect?.();
        this.reset();
        metrics.#requests.forEach((counts, column) => {
          const code = String(column % statusSpan).padStart(3, '0');
          const decision = outcomes[Math.floor(column / statusSpan)] ?? 'error';
          counts?.forEach((count, slot) => {
            if (count > 0) this.inc({ route: metrics.#routes.nameOf(slot - noRoute), code, decision }, count);
          });
        });
      },
    });
    new TableHistogram({
      name: 'latchkey_request_duration_seconds',
      help: 'Time from the first byte of a request to the last byte of its answer.',
      bounds: durationBuckets,
      registers,
      rows: () => this.#durationRows(),
    });
    new Counter({
      name: 'latchkey_decisions_total',
      help: 'Decisions by kind of credential, outcome and reason.',
      labelNames: ['kind', 'outcome', 'reason'],
      registers,
      collect() {
        this.reset();
        for (const [kind, count] of metrics.#allowed) this.inc({ kind, outcome: 'allow', reason: 'none' }, count);
        for (const [reason, count] of metrics.#denied) this.inc({ kind: 'none', outcome: 'deny', reason }, count);
        this.inc({ kind: 'none', outcome: 'error', reason: 'none' }, metrics.#decisionErrors);
      },
    });
    counter('latchkey_decision_cache_hits_total', 'Tokens found verified in the cache.', () => this.#cacheHits);
    counter('latchkey_decision_cache_misses_total', 'Tokens verified afresh.', () => this.#cacheMisses);
    gauge('latchkey_decision_cache_entries', 'Verified tokens kept.', () => this.cacheEntries);
    new Gauge({
      name: 'latchkey_connections',
      help: 'Open client connections: running a request (active), waiting for one (idle), or answered and about to end (lingering).',
      labelNames: ['state'],
      registers,
      collect() {
        this.set({ state: 'active' }, metrics.connectionsActive);
        this.set({ state: 'idle' }, metrics.connectionsIdle);
        this.set({ state: 'lingering' }, metrics.connectionsLingering);
      },
    });
    counter('latchkey_connections_accepted_total', 'Client connections accepted.', () => this.connectionsAccepted);
    counter(
      'latchkey_connections_dropped_total',
      'Client connections refused at a cap.',
      () => this.connectionsDropped,
    );
    counter(
      'latchkey_connections_shed_total',
      'Idle client connections ended near the cap, to make room.',
      () => this.connectionsShed,
    );
    counter(
      'latchkey_early_connections_cut_total',
      'Connections ended in a PROXY header or a TLS handshake, because too many were.',
      () => this.earlyConnectionsCut,
    );
    gauge(
      'latchkey_overload_level',
      'What is refused: nothing (0), work without a verified token (1), all new work (2). Worst edge.',
      () => this.overloadLevel,
      'max',
    );
    counter('latchkey_tls_handshakes_total', 'TLS handshakes that were completed.', () => this.tlsHandshakes);
    counter('latchkey_tls_handshakes_failed_total', 'TLS handshakes that failed.', () => this.tlsHandshakesFailed);
    counter(
      'latchkey_tls_hellos_replayed_total',
      'Connections reset for a ClientHello that was seen before.',
      () => this.tlsHellosReplayed,
    );
    counter('latchkey_tls_sessions_resumed_total', 'TLS sessions resumed.', () => this.tlsSessionsResumed);
    counter(
      'latchkey_proxy_headers_refused_total',
      'Connections without a sound PROXY header, or from addresses not listed to send one.',
      () => this.proxyHeadersRefused,
    );
    counter('latchkey_parse_refusals_total', 'Requests refused by the HTTP grammar.', () => this.parseRefusals);
    counter('latchkey_retries_total', 'Requests sent to an upstream a second time.', () => this.retries);
    counter('latchkey_issued_passes_total', 'Passes issued for presented credentials.', () => this.passesIssued);
    counter('latchkey_received_bytes_total', 'Bytes received from clients.', () => this.bytesIn);
    counter('latchkey_sent_bytes_total', 'Bytes sent to clients.', () => this.bytesOut);
    const table = (name: string, help: string, label: 'route' | 'upstream', counts: readonly number[]): void => {
      const slots = label === 'route' ? this.#routes : this.#upstreams;
      new Counter({
        name,
        help,
        labelNames: [label],
        registers,
        collect() {
          this.reset();
          for (const [slot, value] of slots.entries()) this.inc({ [label]: value }, counts[slot] ?? 0);
        },
      });
    };
    table('latchkey_upstream_connects_total', 'Connections opened to an upstream.', 'upstream', this.upstreamConnects);
    table('latchkey_upstream_reuses_total', 'Requests sent on a kept connection.', 'upstream', this.upstreamReuses);
    table('latchkey_upstream_failures_total', 'Upstream failures of any kind.', 'upstream', this.upstreamFailures);
    table('latchkey_upstream_ejections_total', 'Servers left alone after failures.', 'upstream', this.ejections);
    table(
      'latchkey_upstream_health_check_failures_total',
      'Health checks that failed.',
      'upstream',
      this.healthCheckFailures,
    );
    table('latchkey_lost_tokens_total', 'Requests that lost the token of their playlist.', 'route', this.lostTokens);
    table('latchkey_tunnels_total', 'WebSockets and other tunnels that were opened.', 'route', this.tunnelsBegun);
    this.tunnels.register(this.registry);
    this.access.register(this.registry);
    this.revocations.register(this.registry);
    this.records.register(this.registry);
    this.spans.register(this.registry);
    new Gauge({
      name: 'latchkey_upstream_active',
      help: 'Requests running on an upstream.',
      labelNames: ['upstream'],
      registers,
      collect() {
        this.reset();
        for (const [slot, upstream] of metrics.#upstreams.entries()) {
          this.set({ upstream }, metrics.upstreamActive[slot] ?? 0);
        }
      },
    });
    new Gauge({
      name: 'latchkey_upstream_healthy_servers',
      help: 'Servers of an upstream that are neither ejected nor unhealthy, as the edge with the fewest sees it.',
      labelNames: ['upstream'],
      registers,
      aggregator: 'min',
      collect() {
        this.reset();
        for (const [slot, upstream] of metrics.#upstreams.entries()) {
          this.set({ upstream }, metrics.upstreamHealthy[slot] ?? 0);
        }
      },
    });
    counter('latchkey_edge_cpu_seconds_total', 'User and system CPU time of the edges.', () => {
      const usage = process.cpuUsage();
      return (usage.user + usage.system) / 1e6;
    });
    gauge('latchkey_edge_resident_memory_bytes', 'Resident memory of the edges.', () => process.memoryUsage.rss());
    gauge('latchkey_edge_heap_used_bytes', 'JavaScript heap of the edges, garbage included.', () => {
      return process.memoryUsage().heapUsed;
    });
    const delay = (name: string, help: string, read: () => number): void => {
      // The monitor records the whole interval of its timer, and NaN before its first one.
      gauge(name, help, () => Math.max(0, (read() || 0) / 1e9 - loopDelayResolutionMs / 1e3), 'max');
    };
    delay('latchkey_event_loop_delay_p99_seconds', 'p99 of timer delays since the last scrape, slowest edge.', () =>
      this.#loopDelay.percentile(99),
    );
    delay('latchkey_event_loop_delay_max_seconds', 'Longest timer delay since the last scrape, slowest edge.', () => {
      const longest = this.#loopDelay.max;
      this.#loopDelay.reset();
      return longest;
    });
  }

  *#durationRows(): Iterable<DurationRow> {
    for (const [slot, counts] of this.#durations.entries()) {
      if (counts !== undefined) {
        yield { route: this.#routes.nameOf(slot - noRoute), counts, sum: this.#durationSums[slot] ?? 0 };
      }
    }
  }
}
