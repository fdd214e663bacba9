// The origin that a visitor uses: scheme and authority of the address in the browser, as far as the gateway can know them.
// From a trusted proxy it is what that proxy says; else it is what the listener speaks, and the Host. Where the configuration says
// https, the scheme is that, whatever the last hop was.

import { canonicalHost } from '../../core/decision/route/host.ts';
import { portOf } from '../../core/decision/route/web-address.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import type { Described } from './describe.ts';
import { requestClass } from './field-classes.ts';
import { publicScheme } from './transport-security.ts';

interface VisitorOrigin {
  readonly scheme: 'http' | 'https';
  /** Host, and a port where the visitor's address says one; empty for a request without a Host. */
  readonly authority: string;
}

/** @param scheme  of the listener */
export function visitorOrigin(request: Described, scheme: 'http' | 'https'): VisitorOrigin {
  const { head } = request;
  const spoken = publicScheme(request, scheme);
  if (!request.isFromTrustedProxy) return { scheme: spoken, authority: head.host };
  const said = lastOfClass(head, requestClass.forwardedHost);
  // some proxies send a list of hosts; a list names no host, and must not reach an answer
  const authority = said !== null && canonicalHost(said) !== null ? said : head.host;
  if (authority === '' || portOf(authority) !== null) return { scheme: spoken, authority };
  const port = forwardedPort(head);
  return { scheme: spoken, authority: port === null ? authority : `${authority}:${port}` };
}

/** The value of the last field of this class: earlier ones may be what the client sent to the proxy. */
export function lastOfClass(head: RequestHead, wanted: number): string | null {
  for (let index = head.fieldCount - 1; index >= 0; index--) {
    if (head.fields[index * fieldStride] === wanted) return head.valueOf(index);
  }
  return null;
}

/** A port beside the usual ones. Those are left out: of proxies that end TLS, some say the port behind it. */
function forwardedPort(head: RequestHead): string | null {
  for (let index = head.fieldCount - 1; index >= 0; index--) {
    if (head.fields[index * fieldStride] !== requestClass.foreign) continue;
    if (head.nameOf(index).toLowerCase() !== 'x-forwarded-port') continue;
    const value = head.valueOf(index);
    const isPort = /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535;
    return isPort && value !== '80' && value !== '443' ? value : null;
  }
  return null;
}
