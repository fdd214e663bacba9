// What is judged before any credential is looked at: a route's limit by address, preflights, and OPTIONS that may go no further.
// The limit comes first: a flood of preflights is a flood too. Everything else is for `decide`, no-route answers included.

import { chooseRoute } from '../../core/decision/route/choose-route.ts';
import { OtherEnd } from '../../core/decision/route/route-table.ts';
import type { RoutePolicy, Snapshot } from '../../core/decision/state/snapshot.ts';
import { type Denial, deny } from '../../core/decision/verdict/denial.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { isPreflight, onlyOrigin } from './cross-origin.ts';
import type { Described } from './describe.ts';
import { requestClass } from './field-classes.ts';
import type { RateBuckets } from './rate-buckets.ts';
import { limitByAddress } from './rate-limits.ts';

/** A preflight of an allowed origin, answered here. */
export interface Preflight {
  readonly kind: 'preflight';
  readonly route: RoutePolicy;
  /** Complete lines for its answer. */
  readonly lines: string;
}

/** @returns null when the request goes on to `decide` */
export function judgeEarly(
  request: Described,
  snapshot: Snapshot,
  buckets: RateBuckets,
  nowMs: number,
): Denial | Preflight | null {
  if (request.isReserved) return null;
  // chosen again by `decide`, which alone gives permits; only configurations with such rules pay for it
  const route = chooseRoute(snapshot.routes, request.host, request.path, request.pathNeeds);
  if (route === null || typeof route === 'string' || route instanceof OtherEnd) return null;
  const limited = limitByAddress(buckets, route, request.clientAddress, nowMs);
  if (limited !== null || route.cors === null || !isPreflight(request.head)) return limited;
  const lines = route.cors.preflightLines(onlyOrigin(request.head));
  if (lines !== null) return { kind: 'preflight', route, lines };
  return deny('cors-origin', route, "a preflight of an origin that is not on the route's list");
}

/**
 * Whether this OPTIONS may go no further than here: `Max-Forwards` says how many servers may pass it on. TRACE is refused anyway, and on
 * other methods the field says nothing and goes along (RFC 9110 §7.6.2).
 */
export function endsHere(head: RequestHead): boolean {
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fields[index * fieldStride] !== requestClass.maxForwards) continue;
    if (/^0+$/.test(head.valueOf(index))) return true;
  }
  return false;
}

/** What the gateway itself says to OPTIONS: which methods get through it. */
export function optionsAnswer(requestId: string, connection: string): string {
  const connectionLine = connection === '' ? '' : `Connection: ${connection}\r\n`;
  const allow = 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n';
  return `HTTP/1.1 204 No Content\r\n${allow}${connectionLine}X-Request-Id: ${requestId}\r\n\r\n`;
}
