// What a rate limit counts by, and whether this request is one too many.
// By address before any credential is looked at, so that a flood costs no signatures; by subject and token once they are known.
// An IPv6 host owns a /64, so that is what counts as one address; see core/token/client-network.ts.

import type { Permit } from '../../core/decision/decide.ts';
import type { RateLimit } from '../../core/decision/policy/rate-limit.ts';
import type { RoutePolicy } from '../../core/decision/state/snapshot.ts';
import type { CookieChanges } from '../../core/decision/verdict/cookie-changes.ts';
import { type Denial, deny } from '../../core/decision/verdict/denial.ts';
import { digestOf } from '../../core/model/digest.ts';
import type { TokenClaims } from '../../core/token/claims.ts';
import { clientNetworks } from '../../core/token/client-network.ts';
import type { RateBuckets } from './rate-buckets.ts';

/** @returns the refusal when an address asks too often; null when it may go on, or nothing limits it */
export function limitByAddress(
  buckets: RateBuckets,
  route: RoutePolicy,
  address: string,
  nowMs: number,
): Denial | null {
  const limits = route.rateLimits?.byAddress;
  if (limits === undefined || limits.length === 0) return null;
  const key = networkOf(address);
  const wait = buckets.take(limits, () => key, nowMs);
  return wait === 0 ? null : tooMany(route, 'address', wait, null);
}

/** The same for the subject and the token of a permit. */
export function limitByIdentity(buckets: RateBuckets, permit: Permit, address: string, nowMs: number): Denial | null {
  const limits = permit.route.rateLimits?.byIdentity;
  if (limits === undefined || limits.length === 0) return null;
  const wait = buckets.take(limits, (limit) => keyFor(limit, permit, address), nowMs);
  return wait === 0 ? null : tooMany(permit.route, limits.map(({ by }) => by).join(' or '), wait, permit.cookies);
}

/** What counts as one address: an IPv4 address, or the /64 of an IPv6 one. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  if (address !== lastAddress) {
    const { source } = clientNetworks(address);
    lastNetwork = source === 'unknown' ? address : source;
    lastAddress = address;
  }
  return lastNetwork;
}

// a connection asks again and again from one address
let lastAddress = '';
let lastNetwork = '';

/** The letter in front keeps kinds apart where one stands in for another. A request without a subject or token is counted by address. */
function keyFor(limit: RateLimit, permit: Permit, address: string): string {
  if (limit.by === 'token' && permit.token !== null) return `t${tokenKey(permit.token.claims)}`;
  const subject = permit.claims?.sub;
  return subject === undefined ? `a${networkOf(address)}` : `s${subject}`;
}

/**
 * What tells one token from another: its claims, wherever it stood and whatever remembers it. Its text would not do, since one
 * token can be spelled with another header.
 */
function tokenKey(claims: TokenClaims): string {
  let key = tokenKeys.get(claims);
  if (key === undefined) {
    key = digestOf(JSON.stringify(claims));
    tokenKeys.set(claims, key);
  }
  return key;
}

const tokenKeys = new WeakMap<TokenClaims, string>();

function tooMany(route: RoutePolicy, by: string, retryAfterSeconds: number, cookies: CookieChanges | null): Denial {
  const detail = `more requests than the route's rate_limit by ${by}`;
  return deny('rate-limited', route, detail, { cookies, retryAfterSeconds });
}
