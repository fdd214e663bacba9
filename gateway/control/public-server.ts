// The server on public.sock: what visitors may reach under the reserved prefix, through an edge.
// In this version that is the JWKS. Only public Ed25519 keys are in it, see assertion-keys.ts.

import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from '../telemetry/logger.ts';
import type { ControlClock } from './control-clock.ts';
import type { EdgeRoster } from './edge-roster.ts';
import { answerProblems } from './problem-answers.ts';

export interface PublicServerOptions {
  readonly roster: EdgeRoster;
  readonly clock: ControlClock;
  readonly logger: Logger;
  /** `/.latchkey/` or what the configuration says. */
  readonly reservedPrefix: string;
}

/** Builds the server; the caller makes it listen. */
export function createPublicServer(options: PublicServerOptions): FastifyInstance {
  const server = Fastify({ logger: false, bodyLimit: 64 * 1024 });
  answerProblems(server, options.logger);
  // As bytes: a charset is added to text, and these media types have none.
  server.get(`${options.reservedPrefix}jwks.json`, (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=60')
      .header('x-content-type-options', 'nosniff')
      .type('application/jwk-set+json')
      .send(Buffer.from(JSON.stringify({ keys: options.roster.keys.list(options.clock.monotonicMs()) }))),
  );
  return server;
}
