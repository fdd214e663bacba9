// Which scheme visitors use, and what that means for cookies. The configuration decides where it says https: the last hop may be
// plain HTTP from something that ends TLS in front, which may have been forgotten in `trusted_proxies`. Only where it says http,
// or nothing, what the listener speaks and what a trusted proxy says are asked.

import { isSecureCookie, type PublicTransport } from '../../core/decision/policy/public-transport.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { requestClass } from './field-classes.ts';

/** What a request says about how it came. */
export interface TransportFacts {
  readonly head: RequestHead;
  readonly transport: PublicTransport;
  readonly isFromTrustedProxy: boolean;
}

/** The scheme of the visitor's address bar. @param scheme  of the listener */
export function publicScheme(request: TransportFacts, scheme: 'http' | 'https'): 'http' | 'https' {
  if (request.transport.isHttps) return 'https';
  return request.isFromTrustedProxy ? trustedScheme(request.head, scheme) : scheme;
}

/** Whether our cookies in this request and its answer are Secure, by name and attribute. */
export function takesSecureCookies(request: TransportFacts, scheme: 'http' | 'https', peerAddress: string): boolean {
  const { transport, head } = request;
  const isOverTls = publicScheme(request, scheme) === 'https' || (transport.isUnsaid && anybodySaysHttps(head));
  return isSecureCookie(transport, isOverTls, peerAddress);
}

/** `https` when a trusted proxy says so, else what the listener speaks. The last one counts: earlier ones may be the client's. */
export function trustedScheme(head: RequestHead, scheme: 'http' | 'https'): 'http' | 'https' {
  for (let index = head.fieldCount - 1; index >= 0; index--) {
    if (head.fields[index * fieldStride] !== requestClass.forwardedProto) continue;
    const said = head.valueOf(index);
    return said === 'https' || said === 'http' ? said : scheme;
  }
  return scheme;
}

/** A proxy that the configuration does not name is believed where its word makes a cookie Secure, and in nothing else. */
function anybodySaysHttps(head: RequestHead): boolean {
  for (let index = 0; index < head.fieldCount; index++) {
    const isProto = head.fields[index * fieldStride] === requestClass.forwardedProto;
    if (isProto && head.valueOf(index).toLowerCase() === 'https') return true;
  }
  return false;
}
