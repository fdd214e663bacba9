// Shapes of what the demo's web site saw of one request, for its page and its JSON answer.
// web-upstream.ts fills them, headers-page.ts renders them.

import type { JWTPayload } from 'jose';

/** The result of verifying `X-Latchkey-Assertion`. */
export type AssertionCheck =
  | { readonly kind: 'absent' }
  | { readonly kind: 'verified'; readonly claims: JWTPayload }
  | { readonly kind: 'refused'; readonly problem: string };

/** A request as the site saw it; the JSON answer has this shape. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** `X-Forwarded-User`; null when the gateway named nobody. */
  readonly user: string | null;
  readonly assertion: AssertionCheck;
  /** All headers in order, with names as they arrived. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}
