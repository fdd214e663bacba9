// The public halves of the edges' assertion keys, for upstreams. Only public Ed25519 keys are in it, see control/node/assertion-keys.ts.
// Served on every host and to everybody: it says nothing that is secret, and changes nothing.

import type { FastifyInstance } from 'fastify';
import type { AssertionJwk } from '../../wire/reports.ts';

interface JwksOptions {
  /** `/.latchkey/` or what the configuration says. */
  readonly prefix: string;
  /** The keys as they are now. */
  readonly assertionKeys: () => readonly AssertionJwk[];
}

export function serveJwks(server: FastifyInstance, { prefix, assertionKeys }: JwksOptions): void {
  // As bytes: a charset is added to text, and these media types have none.
  server.get(`${prefix}jwks.json`, (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=60')
      .header('x-content-type-options', 'nosniff')
      .type('application/jwk-set+json')
      .send(Buffer.from(JSON.stringify({ keys: assertionKeys() }))),
  );
}
