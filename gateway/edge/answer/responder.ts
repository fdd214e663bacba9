// Every answer that latchkey gives itself: refusals, errors of the upstream, broken messages.
// No answer says which check failed beyond its public class; the log always does. People get an error page, programs
// problem+json. Rules: RFC 9457, RFC 6750 §3, RFC 7617 §2, RFC 9110 §11.6.1 and §15.

import { asciiQuery } from '../../core/decision/route/path.ts';
import type { RequestFacts } from '../../core/decision/state/facts.ts';
import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import type { Denial } from '../../core/decision/verdict/denial.ts';
import type { DenyReason } from '../../core/decision/verdict/reasons.ts';
import { problemMediaType } from '../../http1/problem-json.ts';
import { statusOf } from '../../http1/problems.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { type DescribeProblem, isNavigation } from '../request/describe.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import type { AnsweredRequest } from './answered-request.ts';
import { asciiMarkup } from './error-place.ts';
import { lostWording } from './lost-wording.ts';
import { errorPage, findWording, problem, type Wording } from './refusal-texts.ts';
import { crossOriginLines } from './response-policy.ts';

/** A complete answer, ready to be written as latin1. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Bytes of its body; 0 in an answer to HEAD. */
  readonly bodyBytes: number;
}

/** Status of the answer to a refusal. @testing */
export function statusOfDenial(reason: DenyReason): number {
  switch (reason) {
    case 'no-route':
      return 404;
    case 'unknown-host':
    case 'misdirected':
      return 421;
    case 'forward-loop':
      return 508;
    case 'ambiguous-path':
    case 'encoded-slash':
    case 'path-not-taken':
    case 'path-merged':
    case 'other-end':
    case 'credential-repeated':
      return 400;
    case 'path-form-method':
    case 'method-refused':
      return 405;
    case 'cors-origin':
    case 'outside-path':
    case 'outside-method':
    case 'outside-host':
    case 'outside-address':
    case 'foreign-origin':
    case 'not-a-member':
    case 'not-allowed-here':
    case 'second-target':
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
      // something is wrong with the credential, or there is none
      return 401;
  }
}

/** Why the body of an allowed request was not taken to its end. */
export type BodyRefusal = 'body-timeout' | 'body-too-slow' | 'body-too-large' | 'bad-chunk';

/** Why a message was refused for its form, or for how it came in. */
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

/**
 * @param routeLines  complete lines: Set-Cookie that clears bad cookies, the route's cross-origin rules
 * @param doors       links of an error page, see `doorsOf`
 */
export function denialAnswer(
  denial: Denial,
  context: AnswerContext,
  routeLines: string,
  close: boolean,
  doors = '',
): Answer {
  const status = statusOfDenial(denial.reason);
  let lines = routeLines;
  if (status === 401) lines += challenge(denial);
  if (status === 405) lines += allowLine(denial);
  if (denial.retryAfterSeconds > 0) lines += `Retry-After: ${denial.retryAfterSeconds}\r\n`;
  return render(status, lines, context, close, wordingOf(status, denial), doors);
}

function wordingOf(status: number, { reason, lost }: Denial): Wording {
  return lost === null ? findWording(status, reason) : lostWording(lost);
}

/** RFC 9110 §10.2.1: a 405 says which methods are taken. */
function allowLine({ reason, route }: Denial): string {
  const methods = reason === 'method-refused' ? route?.methods : null;
  return `Allow: ${methods?.join(', ') ?? 'GET, HEAD'}\r\n`;
}

/** Where a visitor who is signed in and has no access can go: to another account and back here, or to the list of what is open to them. */
export function doorsOf(request: RequestFacts & { readonly head: RequestHead }, snapshot: Snapshot): string {
  const { reservedPrefix, portal } = snapshot;
  const home =
    portal === null ? '' : `<p><a href="${asciiMarkup(portal.url + reservedPrefix)}">See what is open to you</a></p>\n`;
  const other = asciiMarkup(`${reservedPrefix}logout?return=${wayBack(request)}`);
  return `<p><a class="button" href="${other}">Use another account</a></p>\n${home}`;
}

/** The answer for a target that is served at another address. 308: the client sends method and body again (RFC 9110 §15.4.9). */
export function redirectAnswer(location: string, context: AnswerContext, close: boolean): Answer {
  return render(308, `Location: ${location}\r\n`, context, close);
}

/** A longer way back than this is dropped: it would not fit into a request line of ours. */
const maxReturnLength = 4096;

/** Leads a visitor to sign in, and back here afterwards. 303: what comes back is a GET (RFC 9110 §15.4.4). */
export function signInAnswer(
  request: RequestFacts & { readonly head: RequestHead },
  reservedPrefix: string,
  context: AnswerContext,
  lines: string,
  close: boolean,
): Answer {
  const status = request.method === 'GET' || request.method === 'HEAD' ? 302 : 303;
  const location = `${reservedPrefix}login?return=${wayBack(request)}`;
  return render(status, `${lines}Location: ${location}\r\n`, context, close);
}

/**
 * The address on the same host that a request is sent on to: one slash more, or the canonical path. Canonical paths begin with
 * one slash, so the address names no other host. A token in the path stays in front, or the visitor would arrive without it.
 */
export function ownLocation(request: MovedRequest, snapshot: Pick<Snapshot, 'tokenPathPrefix'>, end: '' | '/'): string {
  const prefix = request.pathToken === null ? '' : `${snapshot.tokenPathPrefix}${request.pathToken}`;
  return `${prefix}${request.path}${end}${asciiQuery(request.head.rawQuery)}`;
}

type MovedRequest = RequestFacts & { readonly head: RequestHead; readonly pathToken: string | null };

function wayBack({ path, head }: RequestFacts & { readonly head: RequestHead }): string {
  const whole = encodeURIComponent(path + asciiQuery(head.rawQuery));
  return whole.length <= maxReturnLength ? whole : encodeURIComponent('/');
}

/**
 * Leads a visitor who typed the portal's name to its first page, and whoever asks for an icon or robots.txt to latchkey's own. 302: a route
 * may be configured there later.
 *
 * @param location  a path below the reserved prefix
 */
export function portalAnswer(location: string, context: AnswerContext, close: boolean): Answer {
  return render(302, `Location: ${location}\r\n`, context, close);
}

/** What an answer depends on besides its reason. */
export interface AnswerContext {
  readonly requestId: string;
  readonly isHead: boolean;
  readonly isPage: boolean;
  /** The request's HTTP/1.x; a 1.0 client is told when the connection stays open. */
  readonly minorVersion: number;
  /** The snapshot of the request, whose place an error page names. */
  readonly place: Pick<Snapshot, 'portal' | 'reservedPrefix'>;
}

/** The answer to a message that is no sound request. Always the last on its connection. */
export function messageAnswer(
  problem: MessageRefusal,
  requestId: string,
  head: RequestHead | null,
  place: AnswerContext['place'],
): Answer {
  const code = statusOfRefusal(problem);
  const lines =
    code === 405 ? 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n' : code === 426 ? versionLines : '';
  const isHead = head?.method === 'HEAD';
  const context = { requestId, isHead, isPage: head !== null && isNavigation(head), minorVersion: 1, place };
  return render(code, lines, context, true);
}

// RFC 6455 §4.4; RFC 9110 §15.5.22
const versionLines = 'Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';

/** The answer in place of an upstream's. */
export function upstreamAnswer(
  answered: AnsweredRequest,
  failure: UpstreamFailure | 'too-busy',
  close: boolean,
  place: AnswerContext['place'],
): Answer {
  const status =
    failure === 'too-busy'
      ? 503
      : failure === 'connect-timeout' || failure === 'first-byte-timeout' || failure === 'idle-timeout'
        ? 504
        : 502;
  const head = answered.request.head;
  const retry = failure === 'too-busy' ? 'Retry-After: 1\r\n' : '';
  const lines = crossOriginLines(answered.permit.route, head) + retry;
  const context = {
    requestId: answered.requestId,
    isHead: head.method === 'HEAD',
    isPage: isNavigation(head),
    minorVersion: head.minorVersion,
    place,
  };
  return render(status, lines, context, close);
}

function challenge(denial: Denial): string {
  const route = denial.route;
  if (route === null) return '';
  let lines = '';
  if (route.accept.includes('password')) lines += `WWW-Authenticate: Basic realm="${route.name}", charset="UTF-8"\r\n`;
  if (route.verifiers.includes('token')) {
    const isTokenError = denial.presented && !denial.reason.startsWith('password-');
    const error = isTokenError ? ', error="invalid_token"' : '';
    lines += `WWW-Authenticate: Bearer realm="${route.name}"${error}\r\n`;
  }
  return lines;
}

function render(
  status: number,
  lines: string,
  context: AnswerContext,
  close: boolean,
  wording: Wording = findWording(status, null),
  doors = '',
): Answer {
  const type = context.isPage ? 'text/html; charset=utf-8' : problemMediaType;
  const body = context.isPage
    ? errorPage(status, wording, context.place, context.requestId, doors)
    : problem(status, wording, context.requestId);
  const connection = close ? 'Connection: close\r\n' : context.minorVersion === 0 ? 'Connection: keep-alive\r\n' : '';
  const pagePolicy = context.isPage
    ? "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'\r\n"
    : '';
  // the body is ASCII, so its length in characters is its length in bytes
  const text =
    `HTTP/1.1 ${status} ${wording.title}\r\n${lines}${connection}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n` +
    // the page's address may hold a token, in path form or in the query
    `Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n${pagePolicy}` +
    `X-Request-Id: ${context.requestId}\r\n\r\n` +
    (context.isHead ? '' : body);
  return { status, text, bodyBytes: context.isHead ? 0 : body.length };
}
