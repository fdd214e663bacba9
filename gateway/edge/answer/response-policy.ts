// What a route says in the head of each of its answers beside what the upstream said: cross-origin lines, `Vary`, and
// whether shared caches may keep it. It makes lines and verdicts; response-writer.ts puts them into the head.
// Rules: RFC 9111 §3.5 and §4.1, Fetch §3.2.

import type { Permit } from '../../core/decision/decide.ts';
import { privateCacheControl } from '../../core/decision/policy/cache-control.ts';
import type { RoutePolicy } from '../../core/decision/state/snapshot.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { onlyOrigin } from '../request/cross-origin.ts';

/** Both places where our credentials stand beside the URL, which is part of every cache's key anyway. */
const varyByCredential = 'Vary: Authorization, Cookie\r\n';

/** Whether an answer is opened by a credential on a route that keeps such answers from shared caches. */
export function isKeptPrivate(permit: Permit): boolean {
  return permit.how !== 'anyone' && !permit.route.sharesCaches;
}

/** Lines that the route adds to a forwarded answer; empty for most routes. */
export function routeLines(permit: Permit, head: RequestHead): string {
  const route = permit.route;
  // what anyone may see is shared, but a cache must not give it to those who would have been let in further
  const vary = route.variesByCredential && permit.how === 'anyone' ? varyByCredential : '';
  return route.cors === null ? vary : vary + route.cors.answerLines(onlyOrigin(head));
}

/** Cross-origin lines of an answer of our own, so that a script can read its status; empty without a route that has rules. */
export function crossOriginLines(route: RoutePolicy | null, head: RequestHead): string {
  return route === null || route.cors === null ? '' : route.cors.answerLines(onlyOrigin(head));
}

let lastValue = '';
let lastPrivate = 'private';

/**
 * `privateCacheControl`, which remembers the last value: a site says the same one nearly always, and comparing costs a
 * twentieth of parsing.
 */
export function keptPrivate(value: string): string {
  if (value !== lastValue) {
    lastPrivate = privateCacheControl(value);
    // a copy: the value is a slice of a head, and would keep all of it alive
    lastValue = Buffer.from(value, 'latin1').toString('latin1');
  }
  return lastPrivate;
}
