// The lines that latchkey adds to a request's head for its upstream: who asks, whence it came, what the route's own rule says.
// The client's own fields of these names were removed before (request-writer.ts). Lines that are the same for every request of a
// connection are remembered with it.

import type { Permit } from '../../core/decision/decide.ts';
import { type RequestTrace, traceparentOf } from '../../telemetry/trace-context.ts';
import type { Described } from '../request/describe.ts';
import { viaLine, writeForwardedLines, writeTrustedForwardedLines } from '../request/request-writer.ts';
import { trustedScheme } from '../request/transport-security.ts';
import type { Downstream } from './downstream.ts';
import type { RequestContext } from './request-context.ts';
import type { Runtime } from './runtime.ts';

/** Identity, assertion, and what the route's own rule adds. */
export function ownLines(runtime: Runtime, context: RequestContext, permit: Permit): string {
  const { request, snapshot, now } = context;
  const { route, claims, token } = permit;
  let lines = snapshot.saysVia ? viaLine(request.head) : '';
  // a route that removes or sets the field itself has the last word
  if (context.trace !== null && route.request?.removed.has('traceparent') !== true) {
    lines += traceLines(context.trace, request);
  }
  if (claims !== null) {
    lines += token === null ? route.identity(claims) : token.identityLines(route.identity);
    if (route.assertion) lines += runtime.assertions.line(claims, route, snapshot.issuer, now);
  }
  if (route.request !== null) lines += ruleLines(context, permit);
  return lines;
}

/** The trace context. What a vendor added to a trace (`tracestate`) goes on with that trace alone (W3C Trace Context §3.3). */
function traceLines(trace: RequestTrace, request: Described): string {
  const state = request.trace === null || request.traceState === '' ? '' : `tracestate: ${request.traceState}\r\n`;
  return `traceparent: ${traceparentOf(trace)}\r\n${state}`;
}

/** What the route's own rule adds; lines that hang on claims alone came with the identity. */
function ruleLines({ downstream, request, requestId }: RequestContext, permit: Permit): string {
  const { route, claims } = permit;
  const rule = route.request;
  if (rule === null) return '';
  if (!rule.hangsOnRequest) return rule.lines;
  const { scheme } = downstream.connection;
  return (
    rule.lines +
    rule.requestLines({
      host: request.host,
      scheme: request.isFromTrustedProxy ? trustedScheme(request.head, scheme) : scheme,
      clientAddress: request.clientAddress,
      requestId,
      route: route.name,
      claims,
    })
  );
}

/** Where the request came from: the client's address, scheme and host, and its certificate. */
export function forwardedLines({ downstream, request }: RequestContext, { route }: Permit): string {
  return request.isFromTrustedProxy
    ? writeTrustedForwardedLines(request, route, downstream.connection.scheme) + certificateLine(downstream)
    : rememberedForwardedLines(downstream);
}

/** The same for all requests of a connection that name one host. */
function rememberedForwardedLines(downstream: Downstream): string {
  const { hostMemo, peerAddress } = downstream;
  if (hostMemo.forwardedLines === '') {
    hostMemo.forwardedLines =
      writeForwardedLines(peerAddress, downstream.connection.scheme, hostMemo.hostField) + certificateLine(downstream);
  }
  return hostMemo.forwardedLines;
}

/** What the upstream is told of the client's certificate, with its line end; empty without a good one. */
function certificateLine({ connection }: Downstream): string {
  return connection.certificate?.line ?? '';
}
