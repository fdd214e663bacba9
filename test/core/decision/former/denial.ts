// A refusal, as `decide` and the rules around it make one. Says what its answer may say, and what only the log may know.

import type { CookieChanges } from './cookie-changes.ts';
import type { DenyReason } from './reasons.ts';
import type { RoutePolicy } from './snapshot.ts';

/** A refusal, and what its answer may say. */
export interface Denial {
  readonly kind: 'deny';
  readonly reason: DenyReason;
  /** null when no route matched. */
  readonly route: RoutePolicy | null;
  /** An explicit credential was presented, so the answer is `invalid_token` and not an invitation. */
  readonly presented: boolean;
  readonly cookies: CookieChanges | null;
  /**
   * Where a visitor goes from here: signing in may help, they knocked at the portal's door, or it is the folder of this name or
   * the canonical path that has a route. Null: nowhere, it is refused.
   */
  readonly leadsTo: 'sign-in' | 'portal' | 'folder' | 'path' | null;
  /** For the log: which check failed. Never a piece of a credential. */
  readonly detail: string;
  /** Seconds after which asking again may help; 0 when it will not. */
  readonly retryAfterSeconds: number;
}

/** An explicit credential was presented. */
export const presented = 1;
export const maySignIn = 2;
export const mayEnter = 3;
export const mayEnterFolder = 4;
export const mayGoOn = 5;
const ways = [null, null, 'sign-in', 'portal', 'folder', 'path'] as const;

/** @param flags  `presented`, one of the ways, or 0 */
export function deny(
  reason: DenyReason,
  route: RoutePolicy | null,
  detail: string,
  flags = 0,
  cookies: CookieChanges | null = null,
  retryAfterSeconds = 0,
): Denial {
  return {
    kind: 'deny',
    reason,
    route,
    presented: flags === presented,
    cookies,
    leadsTo: ways[flags] ?? null,
    detail,
    retryAfterSeconds,
  };
}
