// Starts one edge: listeners, runtime, reloads, and the way out. The composition of the data plane.
// It opens no database and no file but its logs; everything else comes from control.

import type { LookupFunction } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { isOneStream, openAccessLog, openDecisionLog, TokenDigest } from '../telemetry/access-log.ts';
import type { EdgeMetrics } from '../telemetry/edge-metrics.ts';
import type { Logger } from '../telemetry/logger.ts';
import { openSpanExport } from '../telemetry/span-export.ts';
import type { SnapshotMessage } from '../wire/feed.ts';
import { endRevokedPermits } from './exchange/decide-again.ts';
import { Runtime } from './exchange/runtime.ts';
import { Listeners } from './listen/listeners.ts';
import type { ControlClient, FeedObserver } from './live/control-client.ts';
import { keysOf } from './live/live-keys.ts';
import { LogFollower } from './live/log-follower.ts';
import { DecisionRecords } from './report/decision-records.ts';

interface EdgeOptions {
  /** Name of this edge in logs. */
  readonly edgeId: string;
  /** Connected. The edge becomes the observer of its feed. */
  readonly client: ControlClient;
  /** The first message of the feed. */
  readonly snapshot: SnapshotMessage;
  readonly metrics: EdgeMetrics;
  readonly logger: Logger;
  /** Resolves the names of upstreams. Default: the system's resolver. */
  readonly lookup?: LookupFunction;
  /** Bound sockets to listen on, by the position of the listener. Default: the edge binds the addresses itself. */
  readonly listenFds?: readonly number[];
  /** Between reports of who was seen. Default: a minute. */
  readonly seenEveryMs?: number;
  /** How long what is revoked is waited for before anything listens. Default 5 s: routes without revocation go on without. */
  readonly indexWaitMs?: number;
  /** See `RuntimeOptions.loopDelayMs`. */
  readonly loopDelayMs?: (lateMs: number) => number;
}

/** A running edge. */
export interface Edge {
  readonly listening: readonly { readonly host: string; readonly port: number }[];
  /** What the edge does with the feed: takes a snapshot, keys, changes of the log, the secret of TLS session tickets. */
  readonly feed: FeedObserver;
  /**
   * Stops listening, finishes what runs, and resolves once nothing runs or the time is over.
   *
   * @param deadlineMs  default: `limits.drain` of the present configuration
   */
  drain(deadlineMs?: number): Promise<void>;
  reopenLogs(): void;
}

const indexWaitMs = 5000;

/** @throws ListenError when a listener cannot listen; Error when control does not take the key, or certificates cannot be used */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { client, logger, metrics, snapshot } = options;
  const digest = new TokenDigest();
  const { access, decisions, format, refusals } = snapshot.config.logs;
  // one stream tells each refusal once: its access line says the reason too
  const saysDetails = refusals === 'once' && isOneStream(access, decisions);
  const accessLog = openAccessLog({ target: access, logger, digest, format, saysDetails });
  const decisionLog = saysDetails ? null : openDecisionLog({ target: decisions, logger, digest });
  const { otlp } = snapshot.config.telemetry;
  const spans = otlp === null ? null : await openSpanExport({ otlp, logger, metrics: metrics.spans });
  const runtime = new Runtime({
    config: snapshot.config,
    keys: keysOf(snapshot.keys),
    seq: snapshot.seq,
    publicSocket: snapshot.publicSocket,
    metrics,
    logger,
    accessLog,
    decisionLog,
    spans,
    control: client.questions,
    upstreamTls: snapshot.upstreamTls,
    lookup: options.lookup ?? null,
    ...(options.loopDelayMs === undefined ? {} : { loopDelayMs: options.loopDelayMs }),
  });
  const records = new DecisionRecords(snapshot.config.explain, {
    edgeId: options.edgeId,
    live: runtime.live,
    epochSeconds: () => runtime.ticker.epochSeconds,
    send: (lines) => client.questions.reportDecisions(lines),
    metrics: metrics.records,
  });
  runtime.reports.records = records;
  const log = new LogFollower({
    live: runtime.live,
    snapshot: () => runtime.snapshot,
    endRevoked: (done, going) => endRevokedPermits(runtime, done, going),
    touched: (changes) => runtime.connections.tunnels.touched(changes),
    confirm: (position) => client.confirmApplied(position),
    isEnding: (position) => client.reportEnding(position),
    resync: () => client.resync(),
  });
  const listeners = new Listeners(runtime, logger);
  const known = Promise.withResolvers<void>();
  let state = snapshot;
  const feed: FeedObserver = {
    snapshot: (next) => {
      const before = state;
      state = next;
      if (!isSameState(before, next)) {
        records.mode = next.config.explain;
        runtime.apply(next.config, keysOf(next.keys), next.upstreamTls, next.seq);
        listeners.apply(next.config, next.tls, next.ticketSecret);
        return;
      }
      // a control that came back sends what this edge has already, and to apply it would drop warm upstream connections; but a control
      // that was started anew has another secret, and other edges may have it already
      if (before.ticketSecret !== next.ticketSecret) listeners.renewTickets(next.ticketSecret);
    },
    keys: (keys) => {
      state = { ...state, keys };
      runtime.replaceRing(keysOf(keys));
    },
    log: (message) => {
      log.take(message);
      if (runtime.live.position !== null) known.resolve();
    },
    tickets: (ticketSecret) => {
      state = { ...state, ticketSecret };
      listeners.renewTickets(ticketSecret);
    },
  };
  // before anything listens: the first request that is let in was checked against what is revoked now
  client.observe(feed);
  // before its first use the public half is with control, so an upstream never meets an unknown key
  await client.registerAssertionKey(runtime.assertions.jwk);
  if (!(await comesWithin(known.promise, options.indexWaitMs ?? indexWaitMs))) {
    logger.warn('what is revoked is not known yet: until it is, what could be revoked is answered 503');
  }
  runtime.ticker.start();
  runtime.membership.start(options.seenEveryMs);
  const listening = await listeners.start(state, options.listenFds ?? []);
  return {
    listening,
    feed,
    drain: async (deadlineMs = state.config.limits.drainMs) => {
      await drain(runtime, listeners, deadlineMs, [accessLog, decisionLog, spans]);
      await records.stop();
    },
    reopenLogs: () => {
      accessLog?.reopen();
      decisionLog?.reopen();
    },
  };
}

/**
 * Everything in a snapshot but its number, the secret of the tickets, and what is revoked, which comes by `FeedObserver.log`; so that
 * nothing new is ever left out.
 */
function isSameState(left: SnapshotMessage, right: SnapshotMessage): boolean {
  const { seq, ticketSecret, index } = left;
  return isDeepStrictEqual(left, { ...right, seq, ticketSecret, index });
}

async function comesWithin(event: Promise<void>, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), deadlineMs);
  });
  const came = await Promise.race([event.then(() => true), overdue]);
  clearTimeout(timer);
  return came;
}

async function drain(
  runtime: Runtime,
  listeners: Listeners,
  deadlineMs: number,
  logs: readonly ({ close(): Promise<void> | void } | null)[],
): Promise<void> {
  const closed = listeners.close();
  runtime.drain();
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([closed, overdue]);
  clearTimeout(timer);
  runtime.close();
  await runtime.membership.stop();
  for (const log of logs) await log?.close();
}
