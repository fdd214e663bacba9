// Decides again for a tunnel that is open: after a reload, and whenever what an edge knows has changed.
// The facts are those of its request; configuration, keys and time are today's. It changes nothing.
// Rules: gateway/RULES.md "One graph of revocation"; a password is not asked for twice, its pass has an end.

import { decide, type Permit } from '../../core/decision/decide.ts';
import type { LiveIndex } from '../../core/decision/state/snapshot.ts';
import type { Upgrade } from '../../http1/upgrade.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { Exchange } from './exchange.ts';
import { isWelcome } from './judge-upgrade.ts';
import type { Runtime } from './runtime.ts';

export function isStillAllowed(runtime: Runtime, exchange: Exchange, upgrade: Upgrade): boolean {
  const { request, permit, downstream } = exchange;
  runtime.live.nowMs = monotonicMs();
  const decision = decide(request, runtime.snapshot, runtime.live, runtime.ticker.epochSeconds, null);
  // while nothing is known to be revoked an open tunnel needs no fresh index, as a running answer needs none
  if (decision.kind === 'deny') return decision.reason === 'index-stale' && !hangsOnRevoked(permit, runtime.live);
  const route = decision.route;
  // another route is another permission, even where it would allow as much
  if (route.name !== permit.route.name || !(route.upgrade?.protocols.includes(upgrade.protocol) ?? false)) return false;
  // nobody is asked twice for one tunnel: a password's permit has an end, and so have a session's and a member's, which end
  // with a revocation as well
  if (decision.kind === 'lookup') {
    if (hangsOnRevoked(permit, runtime.live)) return false;
    if (decision.question === 'password') return permit.how === 'password';
    // a session beside a password is asked about first
    return permit.how === 'member' || permit.how === 'session' || (permit.how === 'password' && request.basic !== null);
  }
  return route.upgrade !== null && isWelcome(request, decision, route.upgrade, downstream.arrival);
}

/** Whether what let it in was revoked, whatever else may let it in. False where a route says that nothing is revoked. */
export function hangsOnRevoked(permit: Permit, live: LiveIndex): boolean {
  if (!permit.route.isRevocable) return false;
  if (permit.token !== null) return live.isRevoked(permit.token);
  // a member came in by control's answer, and hangs on what the pass made from it does
  const { n, v } = permit.claims ?? {};
  return v !== undefined && live.hasRevoked(n ?? [], { epoch: v[0], seq: v[1] });
}
