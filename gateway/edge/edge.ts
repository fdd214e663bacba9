// Starts one edge: listeners, runtime, reloads, and the way out. The composition of the data plane.
// It opens no database and no file but its logs; everything else comes from control.

import { createServer, type LookupFunction, type Server, type Socket } from 'node:net';
import type { FeedMessage } from '../config/edge-feed.ts';
import type { KeyRecord } from '../core/model/key.ts';
import { openAccessLog, openDecisionLog, TokenDigest } from '../telemetry/access-log.ts';
import type { EdgeMetrics } from '../telemetry/edge-metrics.ts';
import type { Logger } from '../telemetry/logger.ts';
import { admissionSlack } from './admission.ts';
import type { ControlClient } from './control-client.ts';
import { Downstream } from './downstream.ts';
import { Runtime } from './runtime.ts';

type SnapshotMessage = Extract<FeedMessage, { kind: 'snapshot' }>;

export interface EdgeOptions {
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
  /** See `RuntimeOptions.loopDelayMs`. */
  readonly loopDelayMs?: (lateMs: number) => number;
}

/** A running edge. */
export interface Edge {
  readonly listening: readonly { readonly host: string; readonly port: number }[];
  /** Takes a new configuration; what runs keeps the old one. */
  applySnapshot(message: SnapshotMessage): void;
  /** Stops listening, finishes what runs, and resolves once nothing runs or the time is over. */
  drain(deadlineMs: number): Promise<void>;
  reopenLogs(): void;
}

/** A listener could not listen; `code` is the system's, `at` the place in the configuration. */
export class ListenError extends Error {
  readonly code: string;
  readonly at: string;

  constructor(at: string, address: string, cause: NodeJS.ErrnoException) {
    super(`${at}: cannot listen on ${address}: ${cause.code ?? cause.message}`, { cause });
    this.code = cause.code ?? 'UNKNOWN';
    this.at = at;
  }
}

// Waiting for a kernel queue deeper than the default 511 costs nothing and saves bursts.
const backlog = 4096;

/** @throws ListenError when a listener cannot listen */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { client, logger, metrics, snapshot } = options;
  const digest = new TokenDigest();
  const { access, decisions } = snapshot.config.logs;
  const accessLog = openAccessLog({ target: access, logger, digest });
  const decisionLog = openDecisionLog({ target: decisions, logger, digest });
  const runtime = new Runtime({
    config: snapshot.config,
    keys: keysOf(snapshot),
    seq: snapshot.seq,
    publicSocket: snapshot.publicSocket,
    metrics,
    logger,
    accessLog,
    decisionLog,
    askPassword: (question) => client.askPassword(question),
    upstreamTls: snapshot.upstreamTls,
    lookup: options.lookup ?? null,
    ...(options.loopDelayMs === undefined ? {} : { loopDelayMs: options.loopDelayMs }),
  });
  // before its first use the public half is with control, so an upstream never meets an unknown key
  await client.registerAssertionKey(runtime.assertions.jwk);
  runtime.ticker.start();
  const servers: Server[] = [];
  const listening: { host: string; port: number }[] = [];
  for (const [position, { at, host, port }] of snapshot.config.listeners.entries()) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
      new Downstream(socket, runtime);
    });
    // what has not become a connection of the runtime yet counts here alone
    const { maxConnections } = snapshot.config.limits;
    server.maxConnections = maxConnections + 2 * admissionSlack(maxConnections);
    server.on('drop', () => {
      metrics.connectionsDropped++;
    });
    await listen(server, at, host, port, options.listenFds?.[position]);
    const bound = server.address();
    servers.push(server);
    if (bound !== null && typeof bound === 'object') listening.push({ host: bound.address, port: bound.port });
  }
  return {
    listening,
    applySnapshot: (message) => runtime.apply(message.config, keysOf(message), message.upstreamTls, message.seq),
    drain: (deadlineMs) => drain(runtime, servers, deadlineMs, [accessLog, decisionLog]),
    reopenLogs: () => {
      accessLog?.reopen();
      decisionLog?.reopen();
    },
  };
}

function listen(server: Server, at: string, host: string, port: number, fd: number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(new ListenError(at, `${host}:${port}`, error));
    server.once('error', onError);
    const onListening = () => {
      server.off('error', onError);
      resolve();
    };
    if (fd === undefined) server.listen({ host, port, backlog }, onListening);
    else server.listen({ fd }, backlog, onListening);
  });
}

async function drain(
  runtime: Runtime,
  servers: readonly Server[],
  deadlineMs: number,
  logs: readonly ({ close(): Promise<void> | void } | null)[],
): Promise<void> {
  runtime.isDraining = true;
  const closed = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  for (const connection of [...runtime.connections]) connection.drain();
  runtime.endTunnelsWhenAlone();
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([closed, overdue]);
  clearTimeout(timer);
  for (const connection of [...runtime.connections]) connection.abandon();
  runtime.closeUpstreams();
  runtime.ticker.stop();
  for (const log of logs) await log?.close();
}

function keysOf(message: SnapshotMessage): KeyRecord[] {
  return message.keys.map((key) => ({ ...key, secret: Buffer.from(key.secret, 'base64url') }));
}
