// Starts one edge: listeners, runtime, reloads, and the way out. The composition of the data plane.
// It opens no database and no file but its logs; everything else comes from control.

import type { LookupFunction } from 'node:net';
import type { FeedMessage } from '../config/edge-feed.ts';
import { openAccessLog, openDecisionLog, TokenDigest } from '../telemetry/access-log.ts';
import type { EdgeMetrics } from '../telemetry/edge-metrics.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Runtime } from './exchange/runtime.ts';
import { Listeners } from './listen/listeners.ts';
import type { ControlClient } from './live/control-client.ts';
import { keysOf } from './live/live-keys.ts';
import { LogFollower } from './live/log-follower.ts';
import { DecisionRecords } from './report/decision-records.ts';

type SnapshotMessage = Extract<FeedMessage, { kind: 'snapshot' }>;

interface EdgeOptions {
  /** Name of this edge in logs. */
  readonly edgeId: string;
  readonly client: ControlClient;
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
  /** Takes a new configuration; what runs keeps the old one. */
  applySnapshot(message: SnapshotMessage): void;
  /** Takes a new secret for TLS session tickets, base64url. */
  renewTickets(secret: string): void;
  /** Stops listening, finishes what runs, and resolves once nothing runs or the time is over. */
  drain(deadlineMs: number): Promise<void>;
  reopenLogs(): void;
}

const indexWaitMs = 5000;

/** @throws ListenError when a listener cannot listen; Error when control does not take the key, or certificates cannot be used */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { client, logger, metrics, snapshot } = options;
  const digest = new TokenDigest();
  const { access, decisions } = snapshot.config.logs;
  const accessLog = openAccessLog({ target: access, logger, digest });
  const decisionLog = openDecisionLog({ target: decisions, logger, digest });
  const runtime = new Runtime({
    config: snapshot.config,
    keys: keysOf(snapshot.keys),
    seq: snapshot.seq,
    publicSocket: snapshot.publicSocket,
    metrics,
    logger,
    accessLog,
    decisionLog,
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
    runtime,
    confirm: (position) => client.confirmApplied(position),
    isEnding: (position) => client.reportEnding(position),
    resync: () => client.resync(),
  });
  // before anything listens: whoever is let in was asked about what is revoked now
  const known = Promise.withResolvers<void>();
  client.followLog((message) => {
    log.take(message);
    if (runtime.live.position !== null) known.resolve();
  });
  // before its first use the public half is with control, so an upstream never meets an unknown key
  // while it starts as well: it says of a place in the log that it acts on it, and after a reload keys come with the snapshot
  const { onSnapshot } = client;
  client.onSnapshot = (next) => {
    onSnapshot?.(next);
    runtime.apply(next.config, keysOf(next.keys), next.upstreamTls, next.seq);
  };
  await client.registerAssertionKey(runtime.assertions.jwk);
  if (!(await comesWithin(known.promise, options.indexWaitMs ?? indexWaitMs))) {
    logger.warn('what is revoked is not known yet: until it is, what could be revoked is answered 503');
  }
  runtime.ticker.start();
  runtime.membership.start(options.seenEveryMs);
  const listeners = new Listeners(runtime, logger);
  const listening = await listeners.start(snapshot, options.listenFds ?? []);
  // in the same turn the caller goes on with what came meanwhile
  client.onSnapshot = onSnapshot;
  return {
    listening,
    applySnapshot: (message) => {
      records.mode = message.config.explain;
      runtime.apply(message.config, keysOf(message.keys), message.upstreamTls, message.seq);
      listeners.apply(message.config, message.tls, message.ticketSecret);
    },
    renewTickets: (secret) => listeners.renewTickets(secret),
    drain: async (deadlineMs) => {
      await drain(runtime, listeners, deadlineMs, [accessLog, decisionLog]);
      await records.stop();
    },
    reopenLogs: () => {
      accessLog?.reopen();
      decisionLog?.reopen();
    },
  };
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
