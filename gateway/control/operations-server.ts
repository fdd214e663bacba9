// The operations listener: is it alive, is it ready, what does it count. Nothing else, and nothing secret.
// The Host field is checked, so that a web page in an operator's browser cannot read it by a name that resolves here.

import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { ListenAddress } from '../config/config.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EdgeRoster } from './edge-roster.ts';
import { answerProblems, sendProblem } from './problem-answers.ts';

export interface OperationsServerOptions {
  readonly roster: EdgeRoster;
  readonly logger: Logger;
  readonly address: ListenAddress;
  /** Control's own metrics, added to the edges' sums. */
  readonly registry: Registry;
  /** Has the edges report; resolves at the deadline with whatever came. */
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

  // Scrapes that come together share one collection, so that a slow edge is not asked again and again.
  let running: Promise<void> | null = null;
  const collect = (): Promise<void> => {
    running ??= options.collect(collectDeadlineMs).finally(() => {
      running = null;
    });
    return running;
  };

  server.addHook('onRequest', async (request, reply) => {
    if (!names.has(hostName(request.headers.host ?? ''))) return sendProblem(reply, 421, 'Misdirected Request');
    reply.header('cache-control', 'no-store');
    return undefined;
  });

  server.get('/livez', (_request, reply) => reply.send({ status: 'ok' }));

  server.get('/readyz', (_request, reply) => {
    const edges = roster.readiness();
    const ready = edges.every((edge) => edge.connected && edge.ready);
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'not ready', edges });
  });

  server.get('/metrics', async (_request, reply) => {
    await collect();
    const { contentType, text } = await roster.metrics.render(options.registry);
    return reply.type(contentType).send(text);
  });

  return server;
}

/** The name in a Host field, without its port. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, '');
}
