// Decides again for what is open after something was revoked: running answers and tunnels that hang on it are ended.
// Nothing is kept per request for it: the edge knows its connections, and a permit knows its token. What did not hang on
// what was revoked costs one look, so ten thousand open answers cost a few milliseconds, in slices.
// Rules: tokens.md "On each batch of revocations an edge decides again for its open permits".

import { decide } from '../core/decision/decide.ts';
import { monotonicMs } from '../telemetry/clock.ts';
import type { Downstream } from './downstream.ts';
import type { Exchange } from './exchange.ts';
import { hangsOnRevoked } from './reconsider.ts';
import type { Runtime } from './runtime.ts';
import type { Tunnel } from './tunnel.ts';

// Others get their turn after this many, about a millisecond.
const sliceSize = 2048;

/**
 * Ends every open answer and tunnel whose permit does not hold any more, the first ones before this returns.
 *
 * @param done  called once all that was open at the call has been looked at
 */
export function endRevokedPermits(runtime: Runtime, done: () => void): void {
  lookFrom(runtime, [...runtime.tunnels.all(), ...runtime.connections], 0, done);
}

function lookFrom(runtime: Runtime, open: readonly (Tunnel | Downstream)[], first: number, done: () => void): void {
  const end = Math.min(first + sliceSize, open.length);
  runtime.live.nowMs = monotonicMs();
  for (let at = first; at < end; at++) {
    const each = open[at];
    const exchange = each?.exchange;
    if (each === undefined || exchange == null || !hangsOnRevoked(exchange.permit, runtime.live)) continue;
    if ('reconsider' in each) each.reconsider();
    else if (!isAllowedStill(runtime, exchange)) exchange.revoke();
  }
  if (end < open.length) setImmediate(() => lookFrom(runtime, open, end, done));
  else done();
}

/** Something else in the request may let it pass still: another cookie, another rule of the route. */
function isAllowedStill(runtime: Runtime, exchange: Exchange): boolean {
  const decision = decide(exchange.request, runtime.snapshot, runtime.live, runtime.ticker.epochSeconds, null);
  return decision.kind === 'allow' && decision.route.name === exchange.permit.route.name;
}
