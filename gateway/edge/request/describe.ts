// Turns a request head into facts: plain data that `decide` judges. Judges nothing itself.
// One truth about the path: the canonical form made here is what routes, token scopes and the upstream see.
// Where a credential may stand: the header, the path, the query, the cookies; nowhere else is looked.

import { hasTargetInBody } from '../../core/decision/policy/target-headers.ts';
import { canonicalHost } from '../../core/decision/route/host.ts';
import {
  canonicalPath,
  canonicalPathAllowing,
  encodedSlash,
  pathNeed,
  rawQueryIsClean,
} from '../../core/decision/route/path.ts';
import {
  type ExplicitToken,
  maxExplicitTokens,
  maxPassValues,
  type RequestFacts,
  type TokenForm,
} from '../../core/decision/state/facts.ts';
import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import { withoutBlanks } from '../../core/model/blanks.ts';
import type { NeedyPath } from '../../core/model/path.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { MessageProblem } from '../../http1/problems.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { passagesOf } from '../../telemetry/request-id.ts';
import { type IncomingTrace, parseTraceparent } from '../../telemetry/trace-context.ts';
import { holdsOurCookies, passCookieValues, sessionCookieValue } from './cookies.ts';
import { requestClass } from './field-classes.ts';
import { findParameter, parameterValues } from './query.ts';
import { type TransportFacts, takesSecureCookies } from './transport-security.ts';
import { originBehind } from './trusted-proxies.ts';

/** Why a sound head still cannot be described; each is a 400. */
export type DescribeProblem = MessageProblem | 'authorization-repeated' | 'bad-path-token';

/** The facts, and what the edge needs beside them to forward or to answer. */
export interface Described extends RequestFacts, TransportFacts {
  /** Value of `X-Forwarded-For` for the upstream: as far as trusted proxies vouch for it, the neighbour last. */
  readonly forwardedFor: string;
  /** The token of a path form, or null. */
  readonly pathToken: string | null;
  readonly isBearer: boolean;
  readonly hasOurCookies: boolean;
  /** A field or the body names a second resource, see second-targets.ts. */
  readonly hasSecondTarget: boolean;
  /** A field says another method to the site: the request may not be repeated on the strength of its own method. */
  readonly saysOtherMethod: boolean;
  /** Request id from a trusted proxy, or null. */
  readonly requestId: string | null;
  /** What the client's trace context says; null without a sound one, and where latchkey takes no part in traces. */
  readonly trace: IncomingTrace | null;
  /** The client's `tracestate`, which goes on with its trace; empty for none. */
  readonly traceState: string;
  /** How often the request came through gateways of ours before, as far as its id says. */
  readonly passages: number;
}

const noCookies: readonly string[] = [];
const noTokens: readonly ExplicitToken[] = [];
const bearer = /^bearer(?: +|$)/i;
const basic = /^basic +/i;

/**
 * The last Host of a connection and its canonical form. A connection hardly ever names another host, and comparing two
 * strings costs a tenth of asking a Map (which interns each new string first).
 */
export interface HostMemo {
  hostField: string;
  host: string;
  /** Lines that say where requests for this host come from; empty until the first one is forwarded. */
  forwardedLines: string;
}

/**
 * @param head         freshly parsed; must not be reused before the request was forwarded or answered
 * @param peerAddress  of the connection, IPv4-mapped IPv6 folded
 * @param memo         the connection's; updated
 * @param scheme       of the listener
 */
export function describe(
  head: RequestHead,
  snapshot: Snapshot,
  peerAddress: string,
  memo: HostMemo,
  scheme: 'http' | 'https',
): Described | DescribeProblem {
  const host = head.host === memo.hostField ? memo.host : lowerHost(head.host, memo);
  if (host === null) return 'bad-host';
  let canonical = canonicalPath(head.rawPath);
  let pathNeeds = 0;
  if (canonical === null) {
    const needy = describeNeedy(head.rawPath, snapshot);
    if (needy === null) return 'bad-target';
    canonical = needy.path;
    pathNeeds = needy.needs & ~pathNeed.encodedSlash;
  }
  const query = head.rawQuery;
  if (query !== '' && !rawQueryIsClean(query)) return 'bad-target';

  let path = canonical;
  let pathToken: string | null = null;
  if (canonical.startsWith(snapshot.tokenPathPrefix)) {
    const tokenEnd = canonical.indexOf('/', snapshot.tokenPathPrefix.length);
    if (tokenEnd < 0) return 'bad-path-token';
    pathToken = canonical.slice(snapshot.tokenPathPrefix.length, tokenEnd);
    path = canonical.slice(tokenEnd);
    // one level only: a second token inside would leave one of them for the upstream to see
    if (path.startsWith(snapshot.tokenPathPrefix)) return 'bad-path-token';
  }

  let explicitToken = pathToken;
  let explicitForm: TokenForm | null = pathToken === null ? null : 'path';
  let explicitCount = pathToken === null ? 0 : 1;
  let moreTokens: ExplicitToken[] | null = null;
  let linkTokens = 0;
  if (query !== '') {
    const found = findParameter(query, snapshot.tokenParameter);
    if (found.count > 0) {
      explicitCount += found.count;
      if (explicitToken !== null || found.count > 1) {
        // the first of them is the first of all where no path held one
        const values = parameterValues(query, snapshot.tokenParameter, maxExplicitTokens);
        const others = explicitToken === null ? values.slice(1) : values;
        moreTokens = others.map((token) => ({ form: 'query', token }));
      }
      explicitToken ??= found.value;
      explicitForm ??= 'query';
    }
    if (snapshot.linkParameter !== null) linkTokens = findParameter(query, snapshot.linkParameter).count;
  }

  const { transport } = snapshot;
  const isFromTrustedProxy = snapshot.trustedProxies?.contains(peerAddress) ?? false;
  const fields = head.fields;
  let authorizations = 0;
  let isBearer = false;
  let basicText: string | null = null;
  let passCookies: string[] | null = null;
  let sessionCookie: string | null = null;
  let hasOurCookies = false;
  let hasSecondTarget = head.method !== 'GET' && hasTargetInBody(head.method);
  let saysOtherMethod = false;
  let requestId: string | null = null;
  let passages = 0;
  let forwardedFor: string | null = null;
  let saidAddress: string | null = null;
  let traceparent: string | null = null;
  let traceState = '';
  for (let index = 0; index < head.fieldCount; index++) {
    const found = fields[index * fieldStride] as number;
    if (found < requestClass.authorization) continue;
    if (found === requestClass.authorization) {
      if (++authorizations > 1) return 'authorization-repeated';
      const value = head.valueOf(index);
      // nearly every client writes `Bearer ` exactly so; the expression is for the others
      const isUsual = value.startsWith('Bearer ') && value.charCodeAt(7) !== 0x20;
      const schemeLength = isUsual ? 7 : (bearer.exec(value)?.[0].length ?? 0);
      if (schemeLength > 0) {
        isBearer = true;
        explicitCount++;
        if (explicitToken === null) {
          explicitToken = value.slice(schemeLength);
          explicitForm = 'bearer';
        } else moreTokens = [...(moreTokens ?? []), { form: 'bearer', token: value.slice(schemeLength) }];
      } else {
        const match = basic.exec(value);
        if (match !== null) basicText = value.slice(match[0].length);
      }
    } else if (found === requestClass.cookie) {
      const value = head.valueOf(index);
      if (holdsOurCookies(value)) {
        hasOurCookies = true;
        passCookies ??= [];
        passCookieValues(value, passCookies, maxPassValues);
        const isSecure = takesSecureCookies({ head, transport, isFromTrustedProxy }, scheme, peerAddress);
        const session = sessionCookieValue(value, isSecure);
        // two session cookies that differ are none, as inside one field
        if (session !== null) sessionCookie = sessionCookie === null || sessionCookie === session ? session : '';
      }
    } else if (found >= requestClass.methodOverride) {
      if (found === requestClass.methodOverride) saysOtherMethod = true;
      else hasSecondTarget = true;
    } else if (found === requestClass.requestId) {
      const value = head.valueOf(index);
      passages = Math.max(passages, passagesOf(value));
      if (isFromTrustedProxy) requestId = cleanRequestId(value);
    } else if (found === requestClass.traceparent) {
      // two fields say nothing
      traceparent = traceparent === null ? head.valueOf(index) : '';
    } else if (found === requestClass.tracestate) {
      traceState += traceState === '' ? head.valueOf(index) : `,${head.valueOf(index)}`;
    } else if (isFromTrustedProxy) {
      if (found === requestClass.clientAddress) {
        // two fields that contradict each other say nothing
        saidAddress = saidAddress === null ? head.valueOf(index) : '';
      } else if (found === requestClass.forwardedFor) {
        const value = head.valueOf(index);
        forwardedFor = forwardedFor === null ? value : `${forwardedFor},${value}`;
      }
    }
  }
  const origin =
    (forwardedFor === null && saidAddress === null) || snapshot.trustedProxies === null
      ? null
      : originBehind(forwardedFor, saidAddress, peerAddress, snapshot.trustedProxies);

  return {
    method: head.method,
    host,
    path,
    pathNeeds,
    clientAddress: origin === null ? peerAddress : origin.client,
    isReserved: path.startsWith(snapshot.reservedPrefix),
    explicitToken,
    explicitForm,
    explicitCount,
    moreTokens: moreTokens ?? noTokens,
    passCookies: passCookies ?? noCookies,
    sessionCookie,
    linkTokens,
    basic: basicText,
    head,
    transport,
    forwardedFor: origin === null ? peerAddress : origin.chain,
    isFromTrustedProxy,
    pathToken,
    isBearer,
    hasOurCookies,
    hasSecondTarget,
    saysOtherMethod,
    // a chain of so many proxies may be one proxy that the request passes again and again: only an id of ours counts the rounds
    requestId: origin?.isEndless === true ? null : requestId,
    passages,
    trace: traceparent === null ? null : parseTraceparent(traceparent),
    traceState,
  };
}

/** Whether the client shows pages to a person: decides between a page and an answer for a program. */
export function isNavigation(head: RequestHead): boolean {
  let accepts = false;
  let isScript = false;
  for (let index = 0; index < head.fieldCount; index++) {
    const found = head.fields[index * fieldStride];
    if (found === requestClass.fetchMode) return head.valueOf(index) === 'navigate';
    if (found === requestClass.requestedWith) isScript = true;
    if (found === requestClass.accept && head.valueOf(index).includes('text/html')) accepts = true;
  }
  return accepts && !isScript;
}

/** Whether the client asked for the token itself (`Prefer: token`, RFC 7240 §2). */
export function prefersToken(head: RequestHead): boolean {
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fields[index * fieldStride] !== requestClass.prefer) continue;
    for (const preference of head.valueOf(index).split(',')) {
      if (withoutBlanks(preference).toLowerCase() === 'token') return true;
    }
  }
  return false;
}

/** The canonical form of a path that only some routes take. No prefix of ours may hide behind what is special about it. */
function describeNeedy(rawPath: string, snapshot: Snapshot): NeedyPath | null {
  if (snapshot.takesPaths === 0) return null;
  const needy = canonicalPathAllowing(rawPath, snapshot.takesPaths);
  if (needy === null) return null;
  const { path } = needy;
  const decoded = path.replaceAll(encodedSlash, '/');
  // our own pages are asked for by their names and in no other way
  if (decoded.startsWith(snapshot.reservedPrefix)) return null;
  if (!decoded.startsWith(snapshot.tokenPathPrefix)) return needy;
  // in the path form the rest may have one: neither the prefix, nor the token, nor what would be a prefix behind it
  const tokenEnd = path.indexOf('/', snapshot.tokenPathPrefix.length);
  const hasPlainToken = tokenEnd > 0 && decoded.startsWith(path.slice(0, tokenEnd + 1));
  return hasPlainToken && isPlainOfOurs(path.slice(tokenEnd), snapshot) ? needy : null;
}

/** Whether what stands behind a path token names no prefix of ours in another way. */
function isPlainOfOurs(path: string, { reservedPrefix, tokenPathPrefix }: Snapshot): boolean {
  const decoded = path.replaceAll(encodedSlash, '/');
  return !decoded.startsWith(reservedPrefix) && !decoded.startsWith(tokenPathPrefix);
}

function lowerHost(field: string, memo: HostMemo): string | null {
  const host = field === '' ? '' : canonicalHost(field);
  if (host !== null) {
    // copies, so that the memo holds no request head alive
    memo.hostField = copyText(field);
    memo.host = copyText(host);
    memo.forwardedLines = '';
  }
  return host;
}

function copyText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function cleanRequestId(value: string): string | null {
  return /^[A-Za-z0-9._:+/=-]{1,128}$/.test(value) ? value : null;
}
