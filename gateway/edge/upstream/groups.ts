// All upstreams of an edge. A reload keeps every server whose settings did not change, with its connections, its health
// and its ejection; the others finish what runs and are gone. All of them share one budget of retries.

import type { UpstreamConfig } from '../../config/compiled/upstream-config.ts';
import { digestOf } from '../../core/model/digest.ts';
import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import type { FeedUpstreamTls } from '../../wire/feed.ts';
import { UpstreamGroup } from './group.ts';
import { type UpstreamContext, UpstreamServerPool } from './pool.ts';
import { inUseRank } from './server-health.ts';
import { type TargetTls, targetTls } from './upstream-target.ts';

/** Name of latchkey's own pages among the upstreams. */
export const ownUpstreamName = 'latchkey';

/** Connections to public.sock from one edge; own-pages.ts shares them out among client networks. */
export const maxOwnConnections = 160;

// Of all requests so many may be tried again, so that retries never double the load of a sick upstream; and a few always may.
const retryShare = 0.1;
const freeRetries = 10;

/** How many requests may be tried again. One per edge. */
class RetryBudget {
  readonly #counted: { readonly requests: number };
  readonly #metrics: EdgeMetrics;
  #spent = 0;

  /** @param counted  knows how many requests there were */
  constructor(counted: { readonly requests: number }, metrics: EdgeMetrics) {
    this.#counted = counted;
    this.#metrics = metrics;
  }

  get allowsOne(): boolean {
    return this.#spent < freeRetries + this.#counted.requests * retryShare;
  }

  /** A request is tried again. @param isFree  nothing of it was sent, or no server was to blame: it takes nothing of the budget */
  count(isFree: boolean): void {
    this.#metrics.retries++;
    if (!isFree) this.#spent++;
  }
}

/** The upstreams in use, each in its slot of the metrics. One per edge. */
export class UpstreamGroups {
  readonly retryBudget: RetryBudget;
  readonly #context: UpstreamContext;
  readonly #publicSocket: string;
  #groups: (UpstreamGroup | undefined)[] = [];
  #pools = new Map<string, UpstreamServerPool>();

  constructor(context: UpstreamContext, publicSocket: string) {
    this.#context = context;
    this.retryBudget = new RetryBudget(context.reports, context.metrics);
    this.#publicSocket = publicSocket;
  }

  /**
   * Takes the upstreams of a configuration, in one turn.
   *
   * @param slots  places in the metrics: of each upstream in its order, and behind them of latchkey's own pages
   */
  replace(upstreams: readonly UpstreamConfig[], materials: readonly FeedUpstreamTls[], slots: readonly number[]): void {
    const before = this.#pools;
    const pools = new Map<string, UpstreamServerPool>();
    const groups: (UpstreamGroup | undefined)[] = [];
    [...upstreams, ownUpstream(this.#publicSocket)].forEach((upstream, position) => {
      const slot = slots[position] ?? position;
      const material = materials.find(({ name }) => name === upstream.name) ?? noMaterial;
      let tls: TargetTls | null = null;
      const { servers, balance, ...settings } = upstream;
      const members = servers.map((server) => {
        const { weight, ...place } = server;
        let key = fingerprint([settings, place, server.isTls ? material : null]);
        // a server that is named twice counts as two
        while (pools.has(key)) key += '+';
        let pool = before.get(key);
        before.delete(key);
        if (pool === undefined) {
          if (server.isTls && upstream.tls !== null) tls ??= targetTls(upstream.tls, material);
          pool = new UpstreamServerPool(this.#context, server, settings, tls, slot);
        }
        pools.set(key, pool);
        return { server: pool, weight };
      });
      groups[slot] = new UpstreamGroup(upstream.name, members, balance);
    });
    this.#groups = groups;
    this.#pools = pools;
    for (const pool of before.values()) pool.close();
  }

  /** The upstream in a slot. A reload may have given the slot to another upstream: then the name does not fit, and a group without servers comes back. */
  find(slot: number, name: string): UpstreamGroup {
    const group = this.#groups[slot];
    if (group !== undefined && group.name === name) return group;
    // a reload took the upstream away while a request waited for control: a group without servers answers 503
    return new UpstreamGroup(name, [], { kind: 'least-connections' });
  }

  /** Sets the gauges. */
  measure(): void {
    const { upstreamActive, upstreamHealthy } = this.#context.metrics;
    this.#groups.forEach((group, slot) => {
      let inUse = 0;
      let healthy = 0;
      for (const server of group?.servers ?? []) {
        inUse += server.inUse;
        if (server.health.rank === inUseRank) healthy++;
      }
      upstreamActive[slot] = inUse;
      upstreamHealthy[slot] = healthy;
    });
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
  }
}

const noMaterial: FeedUpstreamTls = { name: '', ca: null, certificate: null, key: null };

/** Everything that a server's connections depend on. A digest, so that no private key lies about as text. */
function fingerprint(parts: readonly unknown[]): string {
  return digestOf(JSON.stringify(parts));
}

function ownUpstream(socket: string): UpstreamConfig {
  return {
    name: ownUpstreamName,
    servers: [{ address: { kind: 'unix', path: socket }, isTls: false, authority: 'public.sock', weight: 1 }],
    maxConnections: maxOwnConnections,
    maxIdleConnections: 8,
    keepAliveMs: null,
    pipelining: 1,
    balance: { kind: 'least-connections' },
    ejection: null,
    healthCheck: null,
    tls: null,
  };
}
