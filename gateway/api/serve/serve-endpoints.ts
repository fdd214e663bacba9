// Serves endpoints of `v1` on a Fastify server. The caller's `admit` finds out who asks, differently for visitors and for the operator;
// everything after that is the same for both.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Actor, ControlContext } from '../../control/context/control-context.ts';
import { sendProblem } from '../../control/node/problem-answers.ts';
import { titleOf } from '../../http1/problem-json.ts';
import { type BrowserChange, type Endpoint, type EndpointRequest, type Refusal, refuse } from './endpoint.ts';

/** Who sent a request, or why it is refused before the endpoint runs. */
export type Caller =
  | {
      readonly kind: 'admitted';
      readonly actor: Actor | null;
      readonly request: EndpointRequest;
      /** Sets or clears the cookies of the browser that asked. */
      readonly apply: (change: BrowserChange) => void;
    }
  | Refusal;

interface ServeEndpointsOptions {
  readonly context: ControlContext;
  readonly endpoints: readonly Endpoint[];
  /** Path that every endpoint's path is appended to, such as `/.latchkey/v1/`. */
  readonly base: string;
  readonly admit: (request: FastifyRequest, reply: FastifyReply, endpoint: Endpoint) => Promise<Caller>;
}

/** Adds a route to the server for every endpoint. Order: `admit`, the body's media type, the endpoint's own checks, its handler. */
export function serveEndpoints(server: FastifyInstance, options: ServeEndpointsOptions): void {
  refuseOtherMethods(server, options);
  for (const endpoint of options.endpoints) {
    server.route({
      method: endpoint.method,
      url: `${options.base}${endpoint.path}`,
      ...(endpoint.maxBodyBytes === null ? {} : { bodyLimit: endpoint.maxBodyBytes }),
      handler: async (request, reply) => {
        const admission = await options.admit(request, reply, endpoint);
        if (admission.kind === 'refused') return sendRefusal(reply, admission);
        const { body, query, params } = request;
        if (endpoint.shapes.body !== null && !isJson(request)) {
          return sendRefusal(reply, refuse(415, 'not-json', 'Send the body as application/json.'));
        }
        const found = await endpoint.run(options.context, admission.actor, { body, query, params }, admission.request);
        reply.header('cache-control', 'no-store');
        if (found.kind !== 'refused' && found.browser !== undefined) admission.apply(found.browser);
        switch (found.kind) {
          case 'answer':
            return reply
              .code(found.status)
              .type('application/json')
              .send(Buffer.from(JSON.stringify(found.body)));
          case 'empty':
            return reply.code(204).send();
          case 'refused':
            return sendRefusal(reply, found);
          default:
            return found satisfies never;
        }
      },
    });
  }
}

/**
 * Answers the methods that a path does not have with 405 and `Allow` (RFC 9110 §15.5.6), to everybody: the methods of a path are no secret,
 * the OpenAPI document lists them. It answers before the body is read, so that no media type comes in between.
 */
function refuseOtherMethods(server: FastifyInstance, { endpoints, base }: ServeEndpointsOptions): void {
  for (const [path, same] of Map.groupBy(endpoints, (endpoint) => endpoint.path)) {
    const allowed = same.map(({ method }) => method);
    const allow = allowed.join(', ');
    const others = server.supportedMethods.filter((method) => !allowed.some((one) => one === method));
    const refusal = refuse(405, 'wrong-method', `This path takes ${allowed.join(' and ')}.`);
    server.route({
      method: others,
      url: `${base}${path}`,
      onRequest: async (_request, reply) => sendRefusal(reply.header('allow', allow), refusal),
      handler: async (_request, reply) => sendRefusal(reply.header('allow', allow), refusal),
    });
  }
}

/** Sends a refusal as problem+json (RFC 9457), with `Retry-After` in seconds where it has one. */
export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { status, reason, detail, retryAfterSeconds } = refusal;
  if (retryAfterSeconds !== null) reply.header('retry-after', String(retryAfterSeconds));
  return sendProblem(reply, status, titleOf(status), { detail, reason });
}

/** Whether the body is JSON. No form can send this media type; a script of another site needs a CORS preflight first, which fails here. */
function isJson(request: FastifyRequest): boolean {
  return /^application\/json[ \t]*(?:;|$)/i.test(request.headers['content-type'] ?? '');
}
