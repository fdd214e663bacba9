// The rate limits of a route: who is counted, how often and in what bursts. Plain data; the buckets are edge/request/rate-limits.ts.
// One edge gets its share of the rate, so that all edges together hold it.

/** What requests are counted by. `subject` and `token` count by address where there is none. */
type RateLimitSubject = 'address' | 'subject' | 'token';

/** One limit of a route, as the configuration says it. */
export interface RateLimitRule {
  readonly by: RateLimitSubject;
  /** Requests in `perSeconds`, over all edges. */
  readonly count: number;
  readonly perSeconds: number;
  /** Requests that may come at once, over all edges. */
  readonly burst: number;
}

/** One limit, compiled for one edge. */
export interface RateLimit {
  readonly by: RateLimitSubject;
  /** Says which limit it is, for ever: equal before and after a reload that left it alone. */
  readonly id: string;
  /** Milliseconds that one request costs. */
  readonly intervalMs: number;
  /** Requests that may come at once. */
  readonly burst: number;
}

/** The limits of a route by when they are asked. */
export interface RateLimits {
  /** Before any credential is looked at. */
  readonly byAddress: readonly RateLimit[];
  /** Once it is known who asks. */
  readonly byIdentity: readonly RateLimit[];
}

/** @returns null without limits */
export function compileRateLimits(route: string, rules: readonly RateLimitRule[], edges: number): RateLimits | null {
  if (rules.length === 0) return null;
  const limits = rules.map(
    ({ by, count, perSeconds, burst }): RateLimit => ({
      by,
      id: `${route} ${by} ${count}/${perSeconds} ${burst} ${edges}`,
      intervalMs: (perSeconds * 1000 * edges) / count,
      burst: Math.max(1, Math.ceil(burst / edges)),
    }),
  );
  return {
    byAddress: limits.filter(({ by }) => by === 'address'),
    byIdentity: limits.filter(({ by }) => by !== 'address'),
  };
}
