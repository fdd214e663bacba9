// Serves the endpoints of `v1` to the operator: over the administration socket (mode 0600), or in the process of a command when the gateway
// does not run. Every request counts as the operator's. This server has no pages and no cookies. Its paths begin with `/v1/`, where the
// public server has no endpoint.

import Fastify, { type FastifyInstance } from 'fastify';
import type { ControlContext } from '../control/context/control-context.ts';
import { answerProblems } from '../control/node/problem-answers.ts';
import { operatorBase } from './serve/operator-base.ts';
import { serveEndpoints } from './serve/serve-endpoints.ts';
import { endpoints } from './v1/endpoints.ts';

/** Builds the server; the caller makes it listen, or sends requests to it in its own process with `inject`. */
export function createOperatorServer(context: ControlContext): FastifyInstance {
  const server = Fastify({ logger: false, bodyLimit: 1024 * 1024, exposeHeadRoutes: false });
  answerProblems(server, context.logger, () => false, 'operator');
  serveEndpoints(server, {
    context,
    endpoints,
    base: operatorBase,
    admit: async (request) => ({
      kind: 'admitted',
      actor: { kind: 'operator' },
      request: { clientAddress: '', userAgent: 'command line', requestId: String(request.id), deviceCookie: null },
      apply: () => {},
    }),
  });
  return server;
}
