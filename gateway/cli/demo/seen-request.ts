// What the demo's web site saw of one request, as its page and its JSON answer show it.
// Shapes only: web-upstream.ts fills them, headers-page.ts renders them.

import type { JWTPayload } from 'jose';

/** What came of verifying `X-Latchkey-Assertion`. */
export type AssertionCheck =
  | { readonly kind: 'absent' }
  | { readonly kind: 'verified'; readonly claims: JWTPayload }
  | { readonly kind: 'refused'; readonly problem: string };

/** A request as the site saw it; the JSON answer is this. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** `X-Forwarded-User`; null when the gateway named nobody. */
  readonly user: string | null;
  readonly assertion: AssertionCheck;
  /** Name as it arrived and value, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}
