// A refusal, made by `decide` and by the rules around it. It holds what the answer may say, and what only the log may say.

import type { VerifiedToken } from '../../token/common-key-token.ts';
import type { LostAccess } from '../state/access.ts';
import type { RoutePolicy } from '../state/snapshot.ts';
import type { CookieChanges } from './cookie-changes.ts';
import type { DenyReason } from './reasons.ts';

/**
 * Where a refused visitor is redirected: to the sign-in page, to the portal's first page, to the folder of the requested name, or to the
 * canonical path. `nowhere`: the visitor is not redirected.
 */
type Destination = 'nowhere' | 'sign-in' | 'portal' | 'folder' | 'path';

/** A refusal. */
export interface Denial {
  readonly kind: 'deny';
  readonly reason: DenyReason;
  /** null when no route matched. */
  readonly route: RoutePolicy | null;
  /** Whether an explicit credential was presented: then the answer says `invalid_token` and does not just ask for one. */
  readonly presented: boolean;
  /** What the answer changes about the request's cookies; null for nothing. */
  readonly cookies: CookieChanges | null;
  readonly leadsTo: Destination;
  /** The presented token, when it was valid but for its times; null for every other refusal. */
  readonly ranOut: VerifiedToken | null;
  /** The failed check, for the log. Never a part of a credential. */
  readonly detail: string;
  /** What the account had here before; null for every other refusal. The page may say it, and the log does not. */
  readonly lost: LostAccess | null;
  /** Seconds after which another try may succeed; 0 when it will not. */
  readonly retryAfterSeconds: number;
}

/** Members of a denial that most refusals leave as they are. */
type DenialExtras = Partial<
  Pick<Denial, 'presented' | 'cookies' | 'leadsTo' | 'ranOut' | 'lost' | 'retryAfterSeconds'>
>;

const noExtras: DenialExtras = {};

/**
 * Makes a refusal.
 *
 * @param detail  for the log; never a part of a credential
 * @param extras  default: no explicit credential, no redirect, no change of cookies, and no use in another try
 */
export function deny(
  reason: DenyReason,
  route: RoutePolicy | null,
  detail: string,
  extras: DenialExtras = noExtras,
): Denial {
  const { presented = false, cookies = null, leadsTo = 'nowhere', ranOut = null, lost = null } = extras;
  const { retryAfterSeconds = 0 } = extras;
  return { kind: 'deny', reason, route, presented, cookies, leadsTo, ranOut, lost, detail, retryAfterSeconds };
}
