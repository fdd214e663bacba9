// Writes the request head that an upstream gets. Strip before add: what the client may not say is gone before ours comes.
// Unchanged lines are copied as runs of the original text; no object and no copy per field.
// Rules: RFC 9110 §7.6.1 (hop-by-hop), RFC 9112 §3.2.1 (origin form). `Via` (RFC 9110 §7.6.3) goes along on request only: a
// site that sees it takes us for a proxy that cannot take compressed answers (nginx: `gzip_proxied off`, the default).

import type { Permit } from '../../core/decision/decide.ts';
import { foldName } from '../../core/decision/policy/identity.ts';
import type { RequestPolicy } from '../../core/decision/policy/request-policy.ts';
import { asciiQuery } from '../../core/decision/route/path.ts';
import type { RoutePolicy } from '../../core/decision/state/snapshot.ts';
import { withoutBlanks } from '../../core/model/blanks.ts';
import { fieldClass } from '../../http1/field-names.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { withoutOurCookies } from './cookies.ts';
import type { Described } from './describe.ts';
import { requestClass } from './field-classes.ts';
import { withoutParameter } from './query.ts';
import { trustedScheme } from './transport-security.ts';
import { lastOfClass } from './visitor-origin.ts';

const slash = 0x2f;

const copy = 0;
const drop = 1;
const rewriteCookie = 2;
const tidy = 3;
const countDown = 4;
const writeHost = 5;

const maxRanges = 5;

// 15 digits: what no parser's integer overflows at
const rangeSpec = /^(\d{0,15})-(\d{0,15})$/;

/**
 * @param ownLines  what the gateway says beside where the request came from: `Via` where it is asked for, and who asks
 * @param forwardedLines  from `writeForwardedLines` or `writeTrustedForwardedLines`
 */
export function writeRequestHead(
  permit: Permit,
  request: Described,
  tokenParameter: string,
  requestId: string,
  forwardedLines: string,
  ownLines: string,
): string {
  const head = request.head;
  const route = permit.route;
  // 1. the request line: the canonical path that was decided on, and the query without the token that decided
  const sent = permit.place === 'query' ? withoutParameter(head.rawQuery, tokenParameter) : head.rawQuery;
  // our own pages are served by Node, which takes no raw letters there
  const query = route.isOwnPages ? asciiQuery(sent) : sent;
  const text = head.text;
  const isVerbatim =
    head.minorVersion === 1 &&
    request.path === head.rawPath &&
    query === head.rawQuery &&
    text.charCodeAt(head.method.length + 1) === slash;
  // as sent, it goes along with the fields behind it in one slice
  let out = isVerbatim ? '' : `${head.method} ${request.path}${query} HTTP/1.1\r\n`;
  let run = isVerbatim ? 0 : -1;

  // 2. the client's fields, without hop-by-hop ones, without what Connection named, without anything that is ours to say
  const fields = head.fields;
  let saysHost = false;
  for (let index = 0; index < head.fieldCount; index++) {
    const at = index * fieldStride;
    const found = fields[at] as number;
    let action = copy;
    if (found !== fieldClass.plain) {
      action = actionFor(found, request, permit);
      if (route.request !== null) action = actionByRule(route.request, head, index, found, action, request);
      if (found === fieldClass.host) saysHost = true;
      if (action === copy && found <= fieldClass.contentLength && !isTidy(head, index)) action = tidy;
    }
    if (action !== drop && head.connectionNames !== null && isNominated(head, index, found)) action = drop;
    if (action === copy) {
      if (run < 0) run = fields[at + 1] as number;
      continue;
    }
    if (run >= 0) {
      out += text.slice(run, fields[at + 1] as number);
      run = -1;
    }
    if (action === rewriteCookie) {
      const kept = withoutOurCookies(head.valueOf(index), route.isOwnPages);
      if (kept !== '') out += `${head.nameOf(index)}: ${kept}\r\n`;
    } else if (action === writeHost) out += `Host: ${head.host}\r\n`;
    else if (action === countDown) out += forwardsLine(head.valueOf(index));
    else if (action === tidy) out += `${head.nameOf(index)}: ${head.valueOf(index)}\r\n`;
  }
  if (run >= 0) out += text.slice(run, text.length - 2);
  if (head.host === '') out += `Host: ${route.upstreamName}\r\n`;
  else if (!saysHost) out += `Host: ${head.host}\r\n`;
  if (head.isChunked) out += 'Transfer-Encoding: chunked\r\n';

  // 3. what only the gateway may say
  return `${out}${forwardedLines}X-Request-Id: ${requestId}\r\n${ownLines}\r\n`;
}

/** The `Via` of a request, for where the configuration asks for one. */
export function viaLine(head: RequestHead): string {
  return `Via: 1.${head.minorVersion} latchkey\r\n`;
}

/** Where a request came from, as lines. The same for all requests of a connection that name one host. */
export function writeForwardedLines(forwardedFor: string, scheme: string, host: string): string {
  return `X-Forwarded-For: ${forwardedFor}\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Host: ${host}\r\n`;
}

/**
 * The same for a request that a trusted proxy passed on: what it vouches for is kept. Our own pages are told the host that was
 * decided on: sessions are of one host, and many proxies pass X-Forwarded-Host on as their client sent it.
 */
export function writeTrustedForwardedLines(request: Described, route: RoutePolicy, scheme: 'http' | 'https'): string {
  const head = request.head;
  const said = route.isOwnPages ? null : lastOfClass(head, requestClass.forwardedHost);
  const host = said ?? head.host;
  return writeForwardedLines(request.forwardedFor, trustedScheme(head, scheme), host);
}

function actionFor(found: number, request: Described, permit: Permit): number {
  switch (found) {
    case fieldClass.host:
      return request.head.isHostOfTarget ? writeHost : copy;
    case fieldClass.contentLength:
    case requestClass.accept:
    case requestClass.fetchMode:
    case requestClass.requestedWith:
    case requestClass.prefer:
    case requestClass.userAgent:
    case requestClass.referer:
    // another route's rule
    case requestClass.policy:
      return copy;
    case requestClass.authorization:
      return keepsAuthorization(request, permit) ? copy : drop;
    case requestClass.methodOverride:
      return keepsOverride(request, permit) ? copy : drop;
    case requestClass.maxForwards:
      return request.method === 'OPTIONS' ? countDown : copy;
    case requestClass.range:
      return isAbusiveRange(allRanges(request.head)) ? drop : copy;
    case requestClass.clientAddress:
      return request.isFromTrustedProxy ? copy : drop;
    case requestClass.cookie:
      return request.hasOurCookies ? rewriteCookie : copy;
    default:
      return drop;
  }
}

/**
 * Whether a field may go on that makes the request one of another method to the site: only where nothing was decided by the
 * method, neither by the route, nor by where the token stood, nor by what let the request pass.
 */
function keepsOverride({ explicitForm }: Described, { route, token, claims }: Permit): boolean {
  if (explicitForm === 'path' || route.methods !== null) return false;
  return (token === null || token.scope.methods === null) && claims?.methods === undefined;
}

/** What the route's own rule makes of a field. Host and framing are in no rule. */
function actionByRule(
  rule: RequestPolicy,
  head: RequestHead,
  field: number,
  found: number,
  action: number,
  request: Described,
): number {
  const name = foldName(head.nameOf(field));
  if (rule.removed.has(name)) return drop;
  return found === requestClass.foreign && request.isFromTrustedProxy && rule.kept.has(name) ? copy : action;
}

/**
 * What decided goes no further, unless the route says so. A token that did not decide is the site's own. A password may be meant for us
 * wherever we take one: it goes on only where the route says so, and then beside a cookie that opened, when the site is the one to
 * check it; beside a token it would look as if the gateway had.
 */
function keepsAuthorization({ basic }: Described, { place, route }: Permit): boolean {
  if (place === 'bearer') return route.forwardsAuthorization;
  if (basic === null || !route.accept.includes('password')) return true;
  return route.forwardsAuthorization && (place === 'basic' || place === 'pass-cookie' || place === 'session-cookie');
}

/** For Host and Content-Length: one blank in front of the value and none behind. nginx refuses tabs there, so may others. */
function isTidy(head: RequestHead, field: number): boolean {
  const at = field * fieldStride;
  const valueStart = head.fields[at + 2] as number;
  const { text } = head;
  return (
    text.charCodeAt(valueStart - 1) === 0x20 &&
    text.charCodeAt(valueStart - 2) === 0x3a &&
    text.charCodeAt(head.fields[at + 3] as number) === 0x0d
  );
}

/** Whether `Connection` named this field. Framing and Host are not the client's to take away (RFC 9110 §7.6.1). */
function isNominated(head: RequestHead, field: number, found: number): boolean {
  if (found === fieldClass.host || found === fieldClass.contentLength) return false;
  return head.connectionNames?.includes(head.nameOf(field).toLowerCase()) ?? false;
}

/** One value nearly always; several are judged as the list that an upstream may make of them (RFC 9110 §5.3). */
function allRanges(head: RequestHead): string {
  let all = '';
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fields[index * fieldStride] !== requestClass.range) continue;
    all += all === '' ? head.valueOf(index) : `,${head.valueOf(index)}`;
  }
  return all;
}

/**
 * Whether a Range is left out: more than five ranges, overlapping ones, or none that RFC 9110 §14.1.2 knows. They cost a server far
 * more than they cost the sender (Apache CVE-2011-3192), and a server may ignore a Range (§14.2), so the meaning stays.
 *
 * @param value  the field's value; several fields joined by commas, which no single range survives
 */
function isAbusiveRange(value: string): boolean {
  // other units are none that a server knows; it ignores them itself
  if (!/^bytes=/i.test(value)) return false;
  const specs = value.slice('bytes='.length).split(',', maxRanges + 1);
  if (specs.length > maxRanges) return true;
  const spans: { readonly first: number; readonly last: number }[] = [];
  let suffixes = 0;
  for (const spec of specs) {
    const [, from = '', to = ''] = rangeSpec.exec(withoutBlanks(spec)) ?? [];
    if (from === '' && to === '') return true;
    if (from === '') {
      suffixes++;
      continue;
    }
    const first = Number(from);
    const last = to === '' ? Number.POSITIVE_INFINITY : Number(to);
    if (last < first || spans.some((span) => first <= span.last && span.first <= last)) return true;
    spans.push({ first, last });
  }
  // a suffix meets every other suffix, and every range that goes on to the end
  return suffixes > 1 || (suffixes === 1 && spans.some((span) => span.last === Number.POSITIVE_INFINITY));
}

/** `Max-Forwards` for the next server, one less (RFC 9110 §7.6.2); nothing when the value is no number. */
function forwardsLine(value: string): string {
  return /^\d{1,15}$/.test(value) ? `Max-Forwards: ${Number(value) - 1}\r\n` : '';
}
