// The server on public.sock: pages, forms, `v1` and the JWKS, as visitors reach them through an edge.
// An edge sends requests below the reserved prefix, and requests whose query presents a link. The edge says in X-Forwarded-* where a
// request came from, and this server believes that, because only edges can open the socket. No path of edge.sock or of the administration
// socket is served here.

import cookies from '@fastify/cookie';
import forms from '@fastify/formbody';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ControlContext } from '../control/context/control-context.ts';
import { answerProblems } from '../control/node/problem-answers.ts';
import type { AssertionJwk } from '../wire/reports.ts';
import { serveAssets } from './look/assets.ts';
import { errorPage } from './look/error-page.ts';
import { pages, presentation } from './pages.ts';
import { clearCookie, deviceCookieSeconds, readCookie, setCookie } from './serve/cookies.ts';
import { formTokenHeader, isFormToken, provenanceOf } from './serve/cross-site.ts';
import { type BrowserChange, type Endpoint, refuse } from './serve/endpoint.ts';
import { serveJwks } from './serve/jwks.ts';
import { notePlainHops } from './serve/note-plain-hops.ts';
import { oneATurn } from './serve/one-a-turn.ts';
import { describeApi } from './serve/openapi.ts';
import { type RequestOrigin, readRequestOrigin } from './serve/request-origin.ts';
import { type Caller, sendRefusal, serveEndpoints } from './serve/serve-endpoints.ts';
import { answerPage, sendPage, servePages } from './serve/serve-pages.ts';
import { whoAsks } from './serve/who-asks.ts';
import { endpoints } from './v1/endpoints.ts';
import { me } from './v1/me.ts';

interface PublicServerOptions {
  /** Public keys of the edges, for the JWKS. */
  readonly assertionKeys: () => readonly AssertionJwk[];
}

// 64 KiB: clients send only forms and small JSON documents to this server; an endpoint that takes a picture says so (`maxBodyBytes`)
const bodyLimit = 64 * 1024;

/** Builds the server; the caller makes it listen. It reads the reserved prefix once, so a changed prefix takes effect after a restart. */
export function createPublicServer(context: ControlContext, options: PublicServerOptions): FastifyInstance {
  const prefix = context.config().reservedPrefix;
  const server = Fastify({ logger: false, bodyLimit, exposeHeadRoutes: false, routerOptions: { maxParamLength: 200 } });
  const pageOptions = { context, prefix };

  answerProblems(server, context.logger, (request, reply, status, retryAfterSeconds) => {
    if (!wantsPage(request, `${prefix}v1/`)) return false;
    const origin = readRequestOrigin(request.headers, context.config());
    sendPage(reply, errorPage(status, { retryAfterSeconds: retryAfterSeconds ?? undefined }), {
      ...pageOptions,
      origin,
      actor: null,
    });
    return true;
  });
  server.addHook('onRequest', oneATurn());
  const noteHop = notePlainHops(context);
  server.addHook('onRequest', async (request) => noteHop(request.headers));
  server.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    if (!reply.hasHeader('referrer-policy')) reply.header('referrer-policy', 'same-origin');
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  server.register(cookies);
  server.register(forms);
  // The routes stand in a plugin of their own: Fastify loads it after the two above, so their hooks and parsers serve every route.
  server.register(async (scope) => {
    serveJwks(scope, { prefix, assertionKeys: options.assertionKeys });
    serveAssets(scope, context, prefix);
    const admit = (request: FastifyRequest, reply: FastifyReply, endpoint: Endpoint): Promise<Caller> =>
      admitVisitor(context, request, reply, endpoint);
    serveEndpoints(scope, { context, endpoints, base: `${prefix}v1/`, admit });
    serveEndpoints(scope, { context, endpoints: [me], base: prefix, admit });
    scope.get(`${prefix}v1/openapi.json`, (request, reply) => {
      const refusal = refuseHost(context, request);
      if (refusal !== null) return sendRefusal(reply, refusal);
      const { portal } = context.config();
      const document = describeApi(endpoints, portal?.publicUrl ?? null, prefix, apiVersion);
      return reply
        .header('cache-control', 'public, max-age=60')
        .type('application/json')
        .send(Buffer.from(JSON.stringify(document)));
    });
    servePages(scope, pages, pageOptions);
    if (presentation !== null) {
      // every path that is none of ours: an edge sends such a request here when its query carries a link's token
      const run = presentation;
      scope.route({
        method: ['GET', 'HEAD', 'POST'],
        url: '/*',
        handler: (request, reply) => {
          if (request.url.startsWith(prefix)) return reply.callNotFound();
          const method = request.method === 'POST' ? 'POST' : 'GET';
          return answerPage({ method, path: '', who: 'anyone', place: 'everywhere', run }, request, reply, pageOptions);
        },
      });
    }
  });
  return server;
}

/** Version in the OpenAPI document; goes up when an endpoint changes its meaning. */
const apiVersion = '1';

/**
 * Decides whether a visitor's request reaches an endpoint. `v1` takes the portal's session cookie and no other credential, on the portal's
 * host only. A request that changes something must come from the portal's own pages: the browser's Sec-Fetch-Site or Origin says so, or the
 * request carries the form token of its session in a header.
 */
async function admitVisitor(
  context: ControlContext,
  request: FastifyRequest,
  reply: FastifyReply,
  endpoint: Endpoint,
): Promise<Caller> {
  const refusal = refuseHost(context, request);
  if (refusal !== null) return refusal;
  const origin = readRequestOrigin(request.headers, context.config());
  const provenance = endpoint.method === 'GET' ? 'same-origin' : provenanceOf(request.headers, origin);
  if (provenance === 'cross-site') return refuse(403, 'cross-site', 'This was sent from another site.');
  const actor = await whoAsks(context, request, reply, origin);
  if (provenance === 'unknown') {
    const binding = actor?.sessionId ?? '';
    if (binding === '' || !isFormToken(context, binding, request.headers[formTokenHeader])) {
      return refuse(403, 'cross-site', `Send an Origin field, or the ${formTokenHeader} that "me" gives.`);
    }
  }
  const { clientAddress, userAgent, requestId } = origin;
  const deviceCookie = readCookie(request, origin, 'device');
  return {
    kind: 'admitted',
    actor,
    request: { clientAddress, userAgent, requestId, deviceCookie },
    apply: (change) => applyToBrowser(reply, origin, change),
  };
}

/** Sets and clears cookies after a sign-in or sign-out. The flow cookie is cleared too, since forms before sign-in are bound to it. */
function applyToBrowser(reply: FastifyReply, origin: RequestOrigin, change: BrowserChange): void {
  clearCookie(reply, origin, 'flow');
  if (change.kind === 'signed-out') {
    clearCookie(reply, origin, 'session');
    return;
  }
  const { sessionToken, maxAgeSeconds, deviceCookie } = change.session;
  setCookie(reply, origin, 'session', sessionToken, maxAgeSeconds);
  if (deviceCookie !== null) setCookie(reply, origin, 'device', deviceCookie, deviceCookieSeconds);
}

/** @returns 421 on a host that latchkey does not serve, 404 on a host that is not the portal's, else null */
function refuseHost(context: ControlContext, request: FastifyRequest): (Caller & { kind: 'refused' }) | null {
  const origin = readRequestOrigin(request.headers, context.config());
  if (!origin.isKnown) return refuse(421, 'unknown-host', 'This host is not served here.');
  return origin.isPortal ? null : refuse(404, 'not-here', 'This is served on the portal’s host only.');
}

/** Whether an error is answered with a page: a browser asks for something to show, and not below `v1`. */
function wantsPage(request: FastifyRequest, apiBase: string): boolean {
  const accepts =
    request.headers['sec-fetch-mode'] === 'navigate' || (request.headers.accept ?? '').includes('text/html');
  return accepts && !request.url.startsWith(apiBase);
}
