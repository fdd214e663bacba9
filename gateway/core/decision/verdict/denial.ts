// A refusal, as `decide` and the rules around it make one. Says what its answer may say, and what only the log may know.

import type { VerifiedToken } from '../../token/common-key-token.ts';
import type { RoutePolicy } from '../state/snapshot.ts';
import type { CookieChanges } from './cookie-changes.ts';
import type { DenyReason } from './reasons.ts';

/**
 * Where a visitor is led from a refusal: signing in may help, they knocked at the portal's door, the folder of this name has a route,
 * or the canonical path has one. `nowhere`: the request is refused and that is all.
 */
type Destination = 'nowhere' | 'sign-in' | 'portal' | 'folder' | 'path';

/** A refusal, and what its answer may say. */
export interface Denial {
  readonly kind: 'deny';
  readonly reason: DenyReason;
  /** null when no route matched. */
  readonly route: RoutePolicy | null;
  /** An explicit credential was presented, so the answer is `invalid_token` and not an invitation. */
  readonly presented: boolean;
  /** What the answer changes of the cookies that came; null for nothing. */
  readonly cookies: CookieChanges | null;
  readonly leadsTo: Destination;
  /** The token that was presented, where nothing but its time was wrong with it; null for every other refusal. */
  readonly ranOut: VerifiedToken | null;
  /** For the log: which check failed. Never a piece of a credential. */
  readonly detail: string;
  /** Seconds after which asking again may help; 0 when it will not. */
  readonly retryAfterSeconds: number;
}

/** Members of a denial that most refusals leave as they are. */
type DenialExtras = Partial<Pick<Denial, 'presented' | 'cookies' | 'leadsTo' | 'ranOut' | 'retryAfterSeconds'>>;

const noExtras: DenialExtras = {};

/**
 * Makes a refusal.
 *
 * @param detail  for the log; never a piece of a credential
 * @param extras  default: nothing was presented, the visitor is led nowhere, no cookie changes, asking again does not help
 */
export function deny(
  reason: DenyReason,
  route: RoutePolicy | null,
  detail: string,
  extras: DenialExtras = noExtras,
): Denial {
  const { presented = false, cookies = null, leadsTo = 'nowhere', ranOut = null, retryAfterSeconds = 0 } = extras;
  return { kind: 'deny', reason, route, presented, cookies, leadsTo, ranOut, detail, retryAfterSeconds };
}
