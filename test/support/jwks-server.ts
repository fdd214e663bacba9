// The public server of a control without a store: visitors reach the assertion keys, and nothing else.

import Fastify, { type FastifyInstance } from 'fastify';
import { serveJwks } from '../../gateway/api/serve/jwks.ts';
import { answerProblems } from '../../gateway/control/node/problem-answers.ts';
import type { Logger } from '../../gateway/telemetry/logger.ts';

export function createJwksServer(logger: Logger, options: Parameters<typeof serveJwks>[1]): FastifyInstance {
  const server = Fastify({ logger: false, bodyLimit: 64 * 1024, exposeHeadRoutes: false });
  answerProblems(server, logger);
  serveJwks(server, options);
  return server;
}
