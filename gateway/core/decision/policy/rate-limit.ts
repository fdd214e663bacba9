// The rate limits of a route: by what requests are counted, how many, and in what bursts. Plain data; edge/request/rate-limits.ts has
// the buckets. Each edge gets its share of the rate, so that all edges together keep the limit.

/** What requests are counted by. `subject` and `token` count a request without subject or token by its address. */
type RateLimitSubject = 'address' | 'subject' | 'token';

/** One limit of a route, as the configuration says it. */
export interface RateLimitRule {
  readonly by: RateLimitSubject;
  /** The most requests in `perSeconds`, over all edges. */
  readonly count: number;
  readonly perSeconds: number;
  /** The most requests at once, over all edges. */
  readonly burst: number;
}

/** One limit, compiled for one edge. */
export interface RateLimit {
  readonly by: RateLimitSubject;
  /** Identifies the limit: the text stays the same over reloads that do not change the limit. */
  readonly id: string;
  /** How many milliseconds one request costs. */
  readonly intervalMs: number;
  /** The most requests at once. */
  readonly burst: number;
}

/** The limits of a route, by the time at which they are checked. */
export interface RateLimits {
  /** Limits that are checked before any credential is looked at. */
  readonly byAddress: readonly RateLimit[];
  /** Limits that are checked once the user is known. */
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
