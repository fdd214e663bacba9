// Writes the response head that a client gets. First hop-by-hop fields go, and fields in which an upstream would speak in our name.
// Then the route's policy applies: what it removes goes, what it sets or offers comes, and shared caches keep nothing that a
// credential opened. Addresses of the site in the remaining fields become the visitor's.
// Rules: RFC 9110 §7.6.1, §7.6.3; RFC 9112 §6.3, §7; a pass travels with no-store (RFC 9111 §5.2.2.5).

import { type ResponsePolicy, removesField } from '../../core/decision/policy/response-policy.ts';
import { fieldClass } from '../../http1/field-names.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { ResponseHead } from '../../http1/response-head.ts';
import { setsOurCookie } from '../request/cookies.ts';
import { responseClass } from '../request/field-classes.ts';
import type { AnsweredRequest } from './answered-request.ts';
import { keptPrivate } from './response-policy.ts';
import { namesDomain, VisitorAddresses } from './visitor-addresses.ts';

/** How the body goes to the client. */
export type OutgoingFraming = 'as-is' | 'chunked' | 'close';

/** What the gateway adds or changes. */
interface ResponseAdditions {
  readonly framing: OutgoingFraming;
  readonly requestId: string;
  /** `close`; `keep-alive`, which only 1.0 clients are told; or empty when nothing has to be said. */
  readonly connection: 'close' | 'keep-alive' | '';
  /** Complete lines: a pass, a cleared cookie, `Latchkey-Token`, cross-origin rules. */
  readonly lines: string;
  /** The answer carries a token: the upstream's caching fields go, `private, no-store` comes. */
  readonly carriesToken: boolean;
  /** `/.t/<token>` for a request in path form, else null. */
  readonly pathForm: string | null;
  /** The request whose visitor's addresses replace the site's own; null for an answer whose addresses stay. */
  readonly answered: AnsweredRequest | null;
  /** What the route changes; null for nothing. */
  readonly policy: ResponsePolicy | null;
  /** The client came over TLS; only asked where there is a policy. */
  readonly isOverTls: boolean;
  /** Shared caches may not keep the answer. */
  readonly isPrivate: boolean;
  /** The route has cross-origin rules of its own, in `lines`: those of the upstream go. */
  readonly saysCors: boolean;
  /** The answer comes from our own pages, which alone may set our cookies. */
  readonly keepsOurCookies: boolean;
}

export function writeResponseHead(head: ResponseHead, additions: ResponseAdditions): string {
  const text = head.text;
  const fields = head.fields;
  let out = '';
  // the status line goes along as it is, with the fields behind it, in one slice
  let run = 0;
  if (head.minorVersion === 0 || head.startLineEnd < head.reasonAt) {
    // some servers leave out the blank behind the status code; RFC 9112 §4 demands it
    const reason = text.slice(head.reasonAt, head.startLineEnd);
    out = `HTTP/1.1 ${head.status} ${reason}\r\n`;
    run = -1;
  }
  const policy = additions.policy;
  let addresses: VisitorAddresses | null = null;
  let saysCache = false;
  // bits of those of the policy's offers that this answer does not get
  let withheld = policy === null ? 0 : policy.withheld(additions.pathForm !== null, additions.isOverTls);
  for (let index = 0; index < head.fieldCount; index++) {
    const at = index * fieldStride;
    const found = fields[at] as number;
    let keeps = (found === fieldClass.plain || keepsField(head, index, found, additions)) && !isNominated(head, index);
    // the line that replaces a field that goes; empty for none
    let line = '';
    if (found !== fieldClass.plain) {
      const rule = policy === null ? undefined : policy.fields.get(head.nameOf(index).toLowerCase());
      if (rule === removesField) keeps = false;
      else if (rule !== undefined && keeps) withheld |= rule;
      if (keeps && found >= responseClass.location && found <= responseClass.setCookie && additions.answered !== null) {
        const value = head.valueOf(index);
        if (found !== responseClass.setCookie || namesDomain(value)) {
          addresses ??= new VisitorAddresses(additions.answered, additions.pathForm);
          const visitors = addressesIn(found, value, addresses);
          keeps = visitors === value;
          line = `${head.nameOf(index)}: ${visitors}\r\n`;
        }
      } else if (found === responseClass.cacheControl && keeps && additions.isPrivate) {
        saysCache = true;
        const value = head.valueOf(index);
        const kept = keptPrivate(value);
        keeps = kept === value;
        line = `Cache-Control: ${kept}\r\n`;
      }
    }
    if (keeps) {
      if (run < 0) run = fields[at + 1] as number;
      continue;
    }
    if (run >= 0) {
      out += text.slice(run, fields[at + 1] as number);
      run = -1;
    }
    out += line;
  }
  if (run >= 0) out += text.slice(run, text.length - 2);
  if (head.status < 200 && head.status !== 101) return `${out}\r\n`;
  if (additions.framing === 'chunked') out += 'Transfer-Encoding: chunked\r\n';
  if (additions.connection !== '') out += `Connection: ${additions.connection}\r\n`;
  if (additions.carriesToken) out += 'Cache-Control: private, no-store\r\n';
  else if (additions.isPrivate && !saysCache) out += policy?.privateCacheLine || 'Cache-Control: private\r\n';
  else if (policy !== null) out += policy.cacheLine;
  if (additions.pathForm !== null) out += 'Referrer-Policy: no-referrer\r\n';
  else if (policy !== null) out += policy.referrerLine;
  if (policy !== null) out += policy.lines + policy.offersBut(withheld);
  return `${out}${additions.lines}X-Request-Id: ${additions.requestId}\r\nVia: 1.${head.minorVersion} latchkey\r\n\r\n`;
}

function keepsField(head: ResponseHead, index: number, found: number, additions: ResponseAdditions): boolean {
  switch (found) {
    case fieldClass.contentLength:
      return additions.framing === 'as-is' && head.status !== 204 && head.status >= 200;
    case fieldClass.host:
    case fieldClass.expect:
      return true;
    case responseClass.setCookie:
      return additions.keepsOurCookies || !setsOurCookie(head.valueOf(index));
    case responseClass.location:
    case responseClass.refresh:
    case responseClass.link:
      return true;
    case responseClass.alternative:
      return additions.answered?.permit.route.site == null;
    case responseClass.referrerPolicy:
      return additions.pathForm === null;
    case responseClass.cacheControl:
    case responseClass.expires:
      return !additions.carriesToken;
    case responseClass.targetedCache:
      return !additions.carriesToken && !additions.isPrivate;
    case responseClass.accessControl:
      return !additions.saysCors;
    case responseClass.policy:
      return true;
    default:
      return false;
  }
}

/** A field's value with the visitor's addresses in place of the site's own; the very value when it holds none. */
function addressesIn(found: number, value: string, addresses: VisitorAddresses): string {
  switch (found) {
    case responseClass.refresh:
      return addresses.refresh(value);
    case responseClass.link:
      return addresses.links(value);
    case responseClass.setCookie:
      return addresses.cookie(value);
    default:
      return addresses.reference(value);
  }
}

function isNominated(head: ResponseHead, index: number): boolean {
  return head.connectionNames?.includes(head.nameOf(index).toLowerCase()) ?? false;
}
