// Serves pages and forms: runs the checks that come before every handler, and sets the headers of every answer.
// Order of the checks: is the host ours, did another site send the form, who is signed in, may that account open the page, does the form
// carry the token of its session. A handler runs after all of them.
// Rules: one script, by its hash, and nothing from other sites (Content-Security-Policy), no page in any cache.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ControlContext } from '../../control/context/control-context.ts';
import { defaultTimeZone } from '../../core/model/time-zone.ts';
import { errorPage } from '../look/error-page.ts';
import { type Html, html } from '../look/html.ts';
import { renderLayout } from '../look/layout.ts';
import type { PageContent } from '../look/page-content.ts';
import { pageScriptSource } from '../look/page-script.ts';
import { styleVersion } from '../look/style.ts';
import {
  clearCookie,
  clearPlainCookies,
  deviceCookieSeconds,
  readCookie,
  setCookie,
  setPassCookie,
} from './cookies.ts';
import { formTokenField, isFormToken, makeFormToken, provenanceOf } from './cross-site.ts';
import { isAdmin } from './endpoint.ts';
import { FlowJar } from './flow-cookie.ts';
import { leadsOut, onwardPage } from './onward.ts';
import type { PageAnswer, PageRoute, Visit } from './page-route.ts';
import { type RequestOrigin, readRequestOrigin } from './request-origin.ts';
import { ShareRequests } from './share-cookie.ts';
import { type Person, whoAsks } from './who-asks.ts';

interface ServePagesOptions {
  readonly context: ControlContext;
  readonly prefix: string;
  /** A form that has a page at its own address: whoever has to sign in first comes back to that page. */
  readonly hasPage?: boolean;
}

/** Adds a route to the server for every page and form; a page that answers GET answers HEAD too. */
export function servePages(server: FastifyInstance, routes: readonly PageRoute[], options: ServePagesOptions): void {
  const pages = new Set(routes.filter(({ method }) => method === 'GET').map(({ path }) => path));
  for (const route of routes) {
    const answerOptions = { ...options, hasPage: pages.has(route.path) };
    server.route({
      method: route.method === 'GET' ? ['GET', 'HEAD'] : 'POST',
      url: `${options.prefix}${route.path}`,
      handler: (request, reply) => answerPage(route, request, reply, answerOptions),
    });
  }
}

/** Answers one request for a page or form: the checks of this file first, then the handler. */
export async function answerPage(
  route: PageRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ServePagesOptions,
): Promise<FastifyReply> {
  const { context } = options;
  const origin = readRequestOrigin(request.headers, context.config());
  const nobody = { ...options, origin, actor: null };
  // 1. the host: an unknown host is not served at all, and the portal's pages exist on the portal's host only
  if (!origin.isKnown) return sendPage(reply, errorPage(421), nobody);
  if (route.place === 'portal' && !origin.isPortal) return sendPage(reply, errorPage(404), nobody);
  clearPlainCookies(request, reply, origin);
  // 2. a form of another site is refused before anything is looked up for it
  if (route.method === 'POST' && provenanceOf(request.headers, origin) === 'cross-site') {
    return sendPage(
      reply,
      errorPage(403, { text: 'This form was sent from another site, so it was not taken.' }),
      nobody,
    );
  }
  // 3. who asks, and whether they may
  const actor = await whoAsks(context, request, reply, origin);
  if (route.who !== 'anyone' && actor === null) {
    const back = route.method === 'GET' || options.hasPage === true ? request.url : options.prefix;
    return goOn(request, reply, `${options.prefix}login?return=${encodeURIComponent(back)}`, nobody);
  }
  if (route.who === 'admin' && !isAdmin(actor)) return sendPage(reply, errorPage(403), { ...nobody, actor });
  const visit = visitOf(request, reply, { ...options, origin, actor });
  // 4. the form: its token belongs to the session, and before sign-in to the browser's flow cookie
  if (route.method === 'POST') {
    const field = fieldOf(request.body, formTokenField);
    const binding = bindingOf(visit);
    if (binding === null || !isFormToken(context, binding, field)) {
      // signed in from another tab meanwhile: the sign-in page, asked with GET, knows where to go from here
      if (route.path === 'login' && actor !== null) return goOn(request, reply, visit.target, nobody);
      // signed out from another tab, or by a second press of the button: what the form asks for has happened
      if (route.path === 'logout' && actor === null) return goOn(request, reply, visit.target, nobody);
      return sendAnswer(request, reply, staleForm(visit, route), visit, options);
    }
  }
  const { body, query, params } = request;
  return sendAnswer(request, reply, await route.run(visit, { body, query, params }), visit, options);
}

/** Says why nothing was done, and leads back to the form: the browser's way back has what was typed. */
function staleForm(visit: Visit, { who }: PageRoute): PageAnswer {
  const isSignedInMeanwhile = who === 'anyone' && visit.actor !== null;
  const page = errorPage(403, { title: isSignedInMeanwhile ? 'You are signed in by now' : 'That page was too old' });
  const why = isSignedInMeanwhile
    ? html`<p>It happened in another tab, or you sent this form before. Nothing was done a second time.</p>`
    : html`<p>It was open for a long time, or you signed in or out meanwhile, so nothing was changed. What you typed may still be there when you go back; load that page again before you send it.</p>`;
  const body = html`${why}
<p><a class="button" href="${visit.prefix}">${isSignedInMeanwhile ? 'Go on' : 'Start again'}</a></p>`;
  return { kind: 'page', status: 403, page: { ...page, body, isDeadEnd: false } };
}

function bindingOf(visit: Visit): string | null {
  return visit.actor?.sessionId ?? visit.jar.boundTo;
}

function visitOf(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    context,
    prefix,
    origin,
    actor,
  }: ServePagesOptions & { readonly origin: RequestOrigin; readonly actor: Person | null },
): Visit {
  const jar = new FlowJar(context, request, reply, origin);
  return {
    context,
    origin,
    actor,
    jar,
    shareRequests: new ShareRequests(request, reply, origin),
    prefix,
    target: request.url,
    method: request.method,
    header: (name) => {
      const value = request.headers[name.toLowerCase()];
      return typeof value === 'string' ? value : undefined;
    },
    formToken: () => tokenField(makeFormToken(context, actor?.sessionId ?? jar.bind())),
    page: (page) => ({ kind: 'page', status: page.status ?? 200, page }),
    redirect: (to) => ({ kind: 'redirect', to }),
    errorPage: (status, words) => ({ kind: 'page', status, page: errorPage(status, words) }),
    startSession: (token, maxAgeSeconds) => setCookie(reply, origin, 'session', token, maxAgeSeconds),
    givePass: (pass) => setPassCookie(reply, origin, pass),
    endSession: () => {
      clearCookie(reply, origin, 'session');
      jar.clear();
    },
    timeZone: actor?.timeZone ?? defaultTimeZone,
    deviceCookie: readCookie(request, origin, 'device'),
    rememberDevice: (value) => setCookie(reply, origin, 'device', value, deviceCookieSeconds),
  };
}

function tokenField(token: string): Html {
  return html`<input type="hidden" name="${formTokenField}" value="${token}">`;
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}

function sendAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: PageAnswer,
  visit: Visit,
  options: ServePagesOptions,
): FastifyReply {
  switch (answer.kind) {
    case 'page': {
      const { origin, actor, formToken } = visit;
      return sendPage(reply, { ...answer.page, status: answer.status }, { ...options, origin, actor, formToken });
    }
    case 'redirect':
      return goOn(request, reply, answer.to, { ...options, origin: visit.origin, actor: null });
    case 'file':
      if (answer.filename !== null) {
        reply.header('content-disposition', `attachment; filename="${answer.filename.replace(/[^\w.-]/g, '_')}"`);
      }
      return reply
        .header('cache-control', 'no-store')
        .header('content-security-policy', "default-src 'none'; sandbox")
        .type(answer.type)
        .send(Buffer.from(answer.bytes));
    default:
      return answer satisfies never;
  }
}

interface PageFrame {
  readonly context: ControlContext;
  readonly prefix: string;
  readonly origin: RequestOrigin;
  readonly actor: Person | null;
  readonly formToken?: () => Html;
}

/** Redirects the browser (303). The address that it leaves may hold a secret, so it must send no referrer. */
function goOn(request: FastifyRequest, reply: FastifyReply, to: string, frame: PageFrame): FastifyReply {
  // only a browser, which asks for HTML, applies `form-action` to redirects (see onward.ts); a program just follows the redirect
  const isShown = request.method === 'POST' && (request.headers.accept ?? '').includes('text/html');
  if (isShown && leadsOut(to, frame.prefix)) return sendPage(reply, onwardPage(to), frame);
  return reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(to, 303);
}

/** Sends a page in the portal's frame; also for errors, where it is not known who is signed in. */
export function sendPage(reply: FastifyReply, page: PageContent, frame: PageFrame): FastifyReply {
  const { context, prefix, origin, formToken } = frame;
  const { portal } = context.config();
  const actor = frame.actor;
  const name = portal?.name ?? 'latchkey';
  const text = renderLayout({
    page: page.isDeadEnd === true ? withWayOn(page, frame, name) : page,
    name,
    hasLogo: portal !== null && portal.logoFile !== null,
    prefix,
    actor,
    formToken: formToken ?? (() => tokenField(makeFormToken(context, actor?.sessionId ?? ''))),
    styleVersion,
    isPortal: origin.isPortal,
    timeZone: actor?.timeZone ?? defaultTimeZone,
  });
  if (page.retryAfterSeconds !== undefined) reply.header('retry-after', String(page.retryAfterSeconds));
  return reply
    .code(page.status ?? 200)
    .header('cache-control', 'no-store')
    .header('content-security-policy', contentPolicy)
    .header('referrer-policy', page.referrer ?? 'same-origin')
    .header('cross-origin-opener-policy', 'same-origin')
    .header('x-frame-options', 'DENY')
    .type('text/html; charset=utf-8')
    .send(text);
}

/** A page that has nothing to click gets a button to the portal's first page, or where there is no portal to the host's. */
function withWayOn(page: PageContent, { context, prefix, origin }: PageFrame, name: string): PageContent {
  const { portal } = context.config();
  const home = origin.isPortal ? prefix : portal === null ? '/' : `${portal.publicUrl}${prefix}`;
  return { ...page, body: html`${page.body}<p><a class="button plain" href="${home}">Go to ${name}</a></p>` };
}

const contentPolicy = `default-src 'none'; script-src ${pageScriptSource}; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
