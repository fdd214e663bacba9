// The endpoints of `v1` for whoever may open the administration socket (mode 0600) or runs the command line on a stopped gateway.
// Every request is the operator's. No page, no cookie and no path of public.sock is here, and no path of here is there.

import Fastify, { type FastifyInstance } from 'fastify';
import type { ControlContext } from '../control/context/control-context.ts';
import { answerProblems } from '../control/node/problem-answers.ts';
import { operatorBase } from './serve/operator-base.ts';
import { serveEndpoints } from './serve/serve-endpoints.ts';
import { endpoints } from './v1/endpoints.ts';

/** Builds the server; the caller makes it listen, or asks it in its own process by `inject`. */
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
