// Decides again for what is open after something was revoked: running answers and tunnels that hang on it are ended.
// Nothing is kept per request for it: the edge knows its connections, and a permit knows its token. What did not hang on
// what was revoked costs one look, so ten thousand open answers cost a few milliseconds, in slices.
// Rules: gateway/RULES.md "One graph of revocation": on each batch an edge decides again for everything open.

import { decide } from '../../core/decision/decide.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { Downstream } from './downstream.ts';
import type { Exchange } from './exchange.ts';
import { hangsOnRevoked } from './reconsider.ts';
import type { Runtime } from './runtime.ts';
import type { Tunnel } from './tunnel.ts';

// Others get their turn after this long: to end an answer costs a tenth of a millisecond, to look at one a hundredth of that.
const sliceMs = 5;
const looksPerClock = 64;
// How often somebody is told that it goes on; well below the time that an edge has.
const tellEveryMs = 80;

/**
 * Ends every open answer and tunnel whose permit does not hold any more, the first ones before this returns.
 *
 * @param done   called once all that was open at the call has been looked at
 * @param going  called now and then while it takes longer
 */
export function endRevokedPermits(runtime: Runtime, done: () => void, going: () => void): void {
  const open: readonly (Tunnel | Downstream)[] = [...runtime.tunnels.all(), ...runtime.connections];
  let at = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  const slice = (): void => {
    const startedMs = monotonicMs();
    runtime.live.nowMs = startedMs;
    // what is revoked is refused from here on, and whoever waits is told so before it takes long
    if (at > 0 && startedMs - toldMs > tellEveryMs) {
      toldMs = startedMs;
      going();
    }
    while (at < open.length) {
      lookAt(runtime, open[at]);
      at += 1;
      if (at % looksPerClock === 0 && monotonicMs() - startedMs > sliceMs) {
        setImmediate(slice);
        return;
      }
    }
    done();
  };
  slice();
}

function lookAt(runtime: Runtime, each: Tunnel | Downstream | undefined): void {
  const exchange = each?.exchange;
  if (each === undefined || exchange == null || !hangsOnRevoked(exchange.permit, runtime.live)) return;
  if ('reconsider' in each) each.reconsider();
  else if (!isAllowedStill(runtime, exchange)) exchange.revoke();
}

/** Something else in the request may let it pass still: another cookie, another rule of the route. */
function isAllowedStill(runtime: Runtime, exchange: Exchange): boolean {
  const decision = decide(exchange.request, runtime.snapshot, runtime.live, runtime.ticker.epochSeconds, null);
  return decision.kind === 'allow' && decision.route.name === exchange.permit.route.name;
}
