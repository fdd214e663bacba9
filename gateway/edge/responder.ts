// Every answer that latchkey gives itself: refusals, errors of the upstream, broken messages.
// No answer says which check failed beyond its public class; the log always does. People get a small page, programs
// problem+json. Rules: RFC 9457, RFC 6750 §3, RFC 7617 §2, RFC 9110 §11.6.1 and §15.

import type { Denial } from '../core/decision/decide.ts';
import type { RequestFacts } from '../core/decision/facts.ts';
import type { DenyReason } from '../core/decision/reasons.ts';
import { statusOf } from '../http1/problems.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { type DescribeProblem, isNavigation } from './describe.ts';
import type { Exchange } from './exchange.ts';
import { crossOriginLines } from './response-policy.ts';
import type { UpstreamFailure } from './upstream-failure.ts';

/** A complete answer, ready to be written as latin1. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Wording {
  readonly title: string;
  readonly detail: string;
}

const wordings: ReadonlyMap<number, Wording> = new Map([
  [302, { title: 'Found', detail: 'Please sign in to open this.' }],
  [303, { title: 'See Other', detail: 'Please sign in to open this.' }],
  [308, { title: 'Permanent Redirect', detail: 'This is served over https.' }],
  [400, { title: 'Bad Request', detail: 'The request could not be understood.' }],
  [401, { title: 'Unauthorized', detail: 'A valid credential is needed to open this.' }],
  [403, { title: 'Forbidden', detail: 'The credential is valid, but it does not open this.' }],
  [404, { title: 'Not Found', detail: 'Nothing is served at this address.' }],
  [405, { title: 'Method Not Allowed', detail: 'This method is not served here.' }],
  [408, { title: 'Request Timeout', detail: 'The request did not arrive in time.' }],
  [413, { title: 'Content Too Large', detail: 'The body of the request is longer than this address takes.' }],
  [414, { title: 'URI Too Long', detail: 'The address is longer than 16 KiB.' }],
  [417, { title: 'Expectation Failed', detail: 'The expectation in the request cannot be met.' }],
  [421, { title: 'Misdirected Request', detail: 'This host name is not served here.' }],
  [426, { title: 'Upgrade Required', detail: 'Of WebSocket, version 13 is spoken here.' }],
  [429, { title: 'Too Many Requests', detail: 'Too many requests; please wait before the next one.' }],
  [
    431,
    { title: 'Request Header Fields Too Large', detail: 'The request has more than 100 fields or 32 KiB of them.' },
  ],
  [501, { title: 'Not Implemented', detail: 'This method is not known here.' }],
  [502, { title: 'Bad Gateway', detail: 'The site behind this gateway did not answer properly.' }],
  [503, { title: 'Service Unavailable', detail: 'This cannot be answered right now; please try again shortly.' }],
  [504, { title: 'Gateway Timeout', detail: 'The site behind this gateway did not answer in time.' }],
  [505, { title: 'HTTP Version Not Supported', detail: 'HTTP/1.1 and HTTP/1.0 are spoken here.' }],
]);

/** Refusals that the status alone would describe wrongly, and whose cause is the reader's to change. */
const ownWordings: Readonly<Partial<Record<DenyReason, Wording>>> = {
  'certificate-missing': { title: 'Forbidden', detail: 'A client certificate is needed to open this.' },
  'certificate-refused': { title: 'Forbidden', detail: 'A valid client certificate is needed to open this.' },
  'not-a-member': {
    title: 'Forbidden',
    detail: 'You are signed in, but nobody has shared this with you. Ask its owner, or sign in with another account.',
  },
  'credential-in-clear': { title: 'Forbidden', detail: 'Tokens and passwords are taken over https only.' },
};

/** Status of a refusal. */
export function statusOfDenial(reason: DenyReason): number {
  switch (reason) {
    case 'no-route':
      return 404;
    case 'unknown-host':
    case 'misdirected':
      return 421;
    case 'ambiguous-path':
    case 'encoded-slash':
    case 'credential-repeated':
      return 400;
    case 'path-form-method':
      return 405;
    case 'cors-origin':
    case 'outside-path':
    case 'outside-method':
    case 'outside-host':
    case 'outside-address':
    case 'foreign-origin':
    case 'not-a-member':
    case 'certificate-missing':
    case 'certificate-refused':
    case 'credential-in-clear':
      return 403;
    case 'rate-limited':
    case 'password-busy':
      return 429;
    case 'control-away':
    case 'index-stale':
    case 'overloaded':
      return 503;
    default:
      // anything wrong with a credential, or none at all
      return 401;
  }
}

/** Why the body of an allowed request was not taken to its end. */
export type BodyRefusal = 'body-timeout' | 'body-too-slow' | 'body-too-large' | 'bad-chunk';

/** Why a message got no further than its own form. */
export type MessageRefusal = DescribeProblem | BodyRefusal | 'head-timeout';

function statusOfRefusal(problem: MessageRefusal): number {
  switch (problem) {
    case 'head-timeout':
    case 'body-timeout':
    case 'body-too-slow':
      return 408;
    case 'body-too-large':
      return 413;
    case 'authorization-repeated':
    case 'bad-path-token':
      return 400;
    default:
      return statusOf(problem);
  }
}

/** @param routeLines  complete lines of the route's: Set-Cookie that clears what was wrong, cross-origin rules */
export function denialAnswer(denial: Denial, exchange: AnswerContext, routeLines: string, close: boolean): Answer {
  const status = statusOfDenial(denial.reason);
  let lines = routeLines;
  if (status === 401) lines += challenge(denial);
  if (status === 405) lines += 'Allow: GET, HEAD\r\n';
  if (denial.retryAfterSeconds > 0) lines += `Retry-After: ${denial.retryAfterSeconds}\r\n`;
  return { status, text: render(status, lines, exchange, close, ownWordings[denial.reason]) };
}

/** Answer of a listener that serves nothing itself. 308: method and body are to come along (RFC 9110 §15.4.9). */
export function redirectAnswer(location: string, context: AnswerContext, close: boolean): Answer {
  return { status: 308, text: render(308, `Location: ${location}\r\n`, context, close) };
}

/** A longer way back than this is not kept: it would not fit where it has to go. */
const maxReturnLength = 4096;

/** Leads a visitor to sign in, and back here afterwards. 303: what comes back is a GET (RFC 9110 §15.4.4). */
export function signInAnswer(
  request: RequestFacts & { readonly head: RequestHead },
  reservedPrefix: string,
  context: AnswerContext,
  lines: string,
  close: boolean,
): Answer {
  const { method, path, head } = request;
  const status = method === 'GET' || method === 'HEAD' ? 302 : 303;
  const whole = encodeURIComponent(path + head.rawQuery);
  const back = whole.length <= maxReturnLength ? whole : encodeURIComponent('/');
  return {
    status,
    text: render(status, `${lines}Location: ${reservedPrefix}login?return=${back}\r\n`, context, close),
  };
}

/** What an answer depends on beside its reason. */
export interface AnswerContext {
  readonly requestId: string;
  readonly isHead: boolean;
  readonly isPage: boolean;
  /** Of the request; a 1.0 client is told when the connection stays. */
  readonly minorVersion: number;
}

/** Answer to a message that is no sound request. Always the last on its connection. */
export function messageAnswer(problem: MessageRefusal, requestId: string, head: RequestHead | null): Answer {
  const code = statusOfRefusal(problem);
  const lines =
    code === 405 ? 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n' : code === 426 ? versionLines : '';
  const isHead = head?.method === 'HEAD';
  const context = { requestId, isHead, isPage: head !== null && isNavigation(head), minorVersion: 1 };
  return { status: code, text: render(code, lines, context, true) };
}

// RFC 6455 §4.4; RFC 9110 §15.5.22
const versionLines = 'Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';

/** Answer in place of an upstream's. */
export function upstreamAnswer(exchange: Exchange, failure: UpstreamFailure | 'too-busy', close: boolean): Answer {
  const status =
    failure === 'too-busy'
      ? 503
      : failure === 'connect-timeout' || failure === 'first-byte-timeout' || failure === 'idle-timeout'
        ? 504
        : 502;
  const head = exchange.request.head;
  const retry = failure === 'too-busy' ? 'Retry-After: 1\r\n' : '';
  const lines = crossOriginLines(exchange.permit.route, head) + retry;
  const context = {
    requestId: exchange.requestId,
    isHead: exchange.method === 'HEAD',
    isPage: isNavigation(head),
    minorVersion: head.minorVersion,
  };
  return { status, text: render(status, lines, context, close) };
}

function challenge(denial: Denial): string {
  const route = denial.route;
  if (route === null) return '';
  let lines = '';
  if (route.takesPassword) lines += `WWW-Authenticate: Basic realm="${route.name}", charset="UTF-8"\r\n`;
  if (route.takesToken || route.takesPass) {
    const isTokenError = denial.presented && !denial.reason.startsWith('password-');
    const error = isTokenError ? ', error="invalid_token"' : '';
    lines += `WWW-Authenticate: Bearer realm="${route.name}"${error}\r\n`;
  }
  return lines;
}

function render(status: number, lines: string, context: AnswerContext, close: boolean, own?: Wording): string {
  const wording = own ?? wordings.get(status) ?? { title: 'Error', detail: 'The request was not answered.' };
  const type = context.isPage ? 'text/html; charset=utf-8' : 'application/problem+json';
  const body = context.isPage ? page(status, wording, context.requestId) : problem(status, wording, context.requestId);
  const connection = close ? 'Connection: close\r\n' : context.minorVersion === 0 ? 'Connection: keep-alive\r\n' : '';
  const pagePolicy = context.isPage
    ? "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
    : '';
  // the body is ASCII, so its length in characters is its length in bytes
  return (
    `HTTP/1.1 ${status} ${wording.title}\r\n${lines}${connection}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n` +
    // the address may hold a token, in path form or in the query
    `Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n${pagePolicy}` +
    `X-Request-Id: ${context.requestId}\r\n\r\n` +
    (context.isHead ? '' : body)
  );
}

function problem(status: number, wording: Wording, requestId: string): string {
  return `{"type":"about:blank","title":"${wording.title}","status":${status},"detail":"${wording.detail}","request_id":"${requestId}"}\n`;
}

function page(status: number, wording: Wording, requestId: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${wording.title}</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 1rem/1.5 system-ui, sans-serif;
  background: light-dark(#f6f6f4, #17181a); color: light-dark(#1c1d1f, #e7e7e4); }
main { max-width: 26rem; padding: 2rem; }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; }
p { margin: 0 0 1rem; }
small { color: light-dark(#62646a, #9a9ca3); }
</style>
</head>
<body>
<main>
<h1>${wording.title}</h1>
<p>${wording.detail}</p>
<small>${status} &middot; ${requestId}</small>
</main>
</body>
</html>
`;
}
