// Serves the JWKS: the public halves of the edges' assertion keys, by which upstreams verify assertions. It holds only public Ed25519 keys,
// see control/node/assertion-keys.ts, so it is served on every host and to everybody.

import type { FastifyInstance } from 'fastify';
import type { AssertionJwk } from '../../wire/reports.ts';

interface JwksOptions {
  /** The reserved prefix: `/.latchkey/` or what the configuration says. */
  readonly prefix: string;
  /** Returns the keys as they are at the moment of the call. */
  readonly assertionKeys: () => readonly AssertionJwk[];
}

/** Adds `GET <prefix>jwks.json` to the server (RFC 7517). Caches may keep it for a minute. */
export function serveJwks(server: FastifyInstance, { prefix, assertionKeys }: JwksOptions): void {
  // sent as bytes, because Fastify adds a charset to text, and this media type has no such parameter
  server.get(`${prefix}jwks.json`, (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=60')
      .header('x-content-type-options', 'nosniff')
      .type('application/jwk-set+json')
      .send(Buffer.from(JSON.stringify({ keys: assertionKeys() }))),
  );
}
