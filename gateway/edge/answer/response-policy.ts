// What a route adds to the head of each of its answers: cross-origin lines, `Vary`, and whether shared caches may keep the
// answer. It makes lines and verdicts; response-writer.ts puts them into the head.
// Rules: RFC 9111 §3.5 and §4.1, Fetch §3.2.

import type { Permit } from '../../core/decision/decide.ts';
import { privateCacheControl } from '../../core/decision/policy/cache-control.ts';
import type { RoutePolicy } from '../../core/decision/state/snapshot.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { onlyOrigin } from '../request/cross-origin.ts';

/** The two fields in which our credentials stand. A credential in the URL is part of every cache's key anyway. */
const varyByCredential = 'Vary: Authorization, Cookie\r\n';

/** Whether an answer is opened by a credential on a route that keeps such answers from shared caches. */
export function isKeptPrivate(permit: Permit): boolean {
  return permit.how !== 'anyone' && !permit.route.sharesCaches;
}

/** Lines that the route adds to a forwarded answer; empty for most routes. */
export function routeLines(permit: Permit, head: RequestHead): string {
  const route = permit.route;
  // A shared cache may keep what anyone may see, but must not give it to visitors whose credential shows them more.
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
 * `privateCacheControl`, with a memory of the last value: a site nearly always sends the same value, and comparing costs a
 * twentieth of parsing.
 */
export function keptPrivate(value: string): string {
  if (value !== lastValue) {
    lastPrivate = privateCacheControl(value);
    // a copy: the value is a slice of a head's text, and would keep all of that text alive
    lastValue = Buffer.from(value, 'latin1').toString('latin1');
  }
  return lastPrivate;
}
