// The operations listener tells whether the gateway is alive, whether it is ready, and its metrics. It serves nothing else, and nothing secret.
// The Host field is checked, so that a web page in an operator's browser cannot read the answers by a name that resolves to this address.

import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { ListenAddress } from '../../config/compiled/config.ts';
import { titleOf } from '../../http1/problem-json.ts';
import type { StoreHealth } from '../../store/port/store-health.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EdgeRoster } from './edge-roster.ts';
import { answerProblems, sendProblem } from './problem-answers.ts';

interface OperationsServerOptions {
  readonly roster: EdgeRoster;
  readonly logger: Logger;
  readonly address: ListenAddress;
  /** null for a control without a store. */
  readonly storeHealth: StoreHealth | null;
  /** Control's own metrics, added to the edges' sums. */
  readonly registry: Registry;
  /** Asks the edges for their reports; resolves at the deadline with the reports that came. */
  readonly collect: (deadlineMs: number) => Promise<void>;
}

const collectDeadlineMs = 500;
const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/** Builds the server; the caller makes it listen. */
export function createOperationsServer(options: OperationsServerOptions): FastifyInstance {
  const { roster } = options;
  const server = Fastify({ logger: false, bodyLimit: 1024, exposeHeadRoutes: true });
  const names = new Set([
    ...loopbackNames,
    options.address.host.toLowerCase(),
    `[${options.address.host.toLowerCase()}]`,
  ]);
  answerProblems(server, options.logger);

  // Scrapes that come together share one collection, so that a slow edge is not asked repeatedly.
  let running: Promise<void> | null = null;
  const collect = (): Promise<void> => {
    running ??= options.collect(collectDeadlineMs).finally(() => {
      running = null;
    });
    return running;
  };

  server.addHook('onRequest', async (request, reply) => {
    if (!names.has(withoutPort(request.headers.host ?? ''))) return sendProblem(reply, 421, titleOf(421));
    reply.header('cache-control', 'no-store');
    return undefined;
  });

  server.get('/livez', (_request, reply) => reply.send({ status: 'ok' }));

  server.get<{ Querystring: { exclude?: string | string[] } }>('/readyz', (request, reply) => {
    const edges = roster.readiness();
    const store = standingOf(options.storeHealth);
    const edgesReady = edges.every((edge) => edge.connected && edge.ready);
    // A balancer that should go on sending requests that need no store excludes this check, as with Kubernetes' own /readyz.
    const isExcluded = [request.query.exclude].flat().includes('store');
    const ready = edgesReady && (isExcluded || store === null || store.status === 'ok');
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'not ready', edges, ...(store && { store }) });
  });

  server.get('/metrics', async (_request, reply) => {
    await collect();
    const { contentType, text } = await roster.metrics.render(options.registry);
    return reply.type(contentType).send(text);
  });

  return server;
}

/** A single failure is no reason to be taken out of a balancer: the next unit may succeed. */
const unwritableAfterMs = 5000;

function standingOf(health: StoreHealth | null) {
  if (health === null) return null;
  const { cause, failingMs } = health;
  if (cause === null) return { status: 'ok' } as const;
  const status = failingMs < unwritableAfterMs ? 'ok' : 'not writable';
  return { status, cause, failing_seconds: Math.floor(failingMs / 1000) } as const;
}

/** The name in a Host field, without its port. */
function withoutPort(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, '');
}
