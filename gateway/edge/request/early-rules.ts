// What a route says before any credential is looked at: the limit by address, and the answer to a preflight.
// In this order: a flood of preflights is a flood too. Everything else is for `decide`, no-route answers included.

import { chooseRoute } from '../../core/decision/route/choose-route.ts';
import { OtherEnd } from '../../core/decision/route/route-table.ts';
import type { RoutePolicy, Snapshot } from '../../core/decision/state/snapshot.ts';
import { type Denial, deny } from '../../core/decision/verdict/denial.ts';
import { isPreflight, onlyOrigin } from './cross-origin.ts';
import type { Described } from './describe.ts';
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
