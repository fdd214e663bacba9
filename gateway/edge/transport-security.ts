// Whether a request came over TLS, by our listener's word or a trusted proxy's; and what that means for cookies.
// Rules: tokens.md, cookies: on plain HTTP, which is loopback only, names lose `__Host-` and the attribute Secure.

import { fieldStride } from '../http1/message-head.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { requestClass } from './field-classes.ts';

/** `https` when a trusted proxy says so, else what the listener speaks. The last one counts: earlier ones may be the client's. */
export function trustedScheme(head: RequestHead, scheme: string): string {
  for (let index = head.fieldCount - 1; index >= 0; index--) {
    if (head.fields[index * fieldStride] !== requestClass.forwardedProto) continue;
    const said = head.valueOf(index);
    return said === 'https' || said === 'http' ? said : scheme;
  }
  return scheme;
}

/** Cookies are Secure but on plain HTTP over loopback, where a browser would drop a Secure one. */
export function takesSecureCookies(isOverTls: boolean, peerAddress: string): boolean {
  return isOverTls || !(peerAddress === '::1' || peerAddress.startsWith('127.'));
}
