// Cross-origin rules of a route: the origins whose scripts may read its answers, and the answer to a preflight.
// Origins are compared whole, or by scheme and suffix: no regular expressions, no case folding, and `null` matches no rule.
// Rules: Fetch §3.2 (CORS protocol), RFC 6454 §6.2 and §7 (Origin).

/** The rule of a route, as the configuration says it. */
export interface CorsRule {
  /** `https://app.example.org`, `https://*.example.org` (every name below), or `*`. Canonical. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly expose: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
}

interface WildcardOrigin {
  /** `https://` */
  readonly scheme: string;
  /** `.example.org`, or `.example.org:8443`. */
  readonly suffix: string;
}

const varyLine = 'Vary: Origin\r\n';

/** The part of a name that stands for the star of a wildcard: labels with single dots between them. */
const labels = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

/** The longest origin that is compared; no real host name makes a longer one. */
const maxOriginLength = 300;

/** A compiled rule. Made by `compileCors`. */
export class CorsPolicy {
  readonly #exact: ReadonlySet<string>;
  readonly #wildcards: readonly WildcardOrigin[];
  readonly #takesAny: boolean;
  /** The lines behind Access-Control-Allow-Origin in an answer. */
  readonly #answerLines: string;
  readonly #preflightLines: string;

  /** @internal use `compileCors` */
  constructor(rule: CorsRule) {
    this.#takesAny = rule.origins.includes('*');
    this.#exact = new Set(rule.origins.filter((origin) => !origin.includes('*')));
    this.#wildcards = rule.origins
      .filter((origin) => origin.includes('://*.'))
      .map((origin) => {
        const star = origin.indexOf('*');
        return { scheme: origin.slice(0, star), suffix: origin.slice(star + 1) };
      });
    const credentials = rule.credentials ? 'Access-Control-Allow-Credentials: true\r\n' : '';
    const line = (name: string, list: readonly string[]) =>
      list.length === 0 ? '' : `${name}: ${list.join(', ')}\r\n`;
    this.#answerLines = `${credentials}${line('Access-Control-Expose-Headers', rule.expose)}`;
    this.#preflightLines =
      `${credentials}${line('Access-Control-Allow-Methods', rule.methods)}${line('Access-Control-Allow-Headers', rule.headers)}` +
      `Access-Control-Max-Age: ${rule.maxAgeSeconds}\r\n`;
  }

  /**
   * Lines for any answer of the route.
   *
   * @param origin  value of the request's only `Origin`; null without one
   */
  answerLines(origin: string | null): string {
    const allowed = this.#allow(origin);
    // `Vary` is also sent where no origin was allowed: a cache must not give that answer to an origin that is
    return allowed === null ? varyLine : `${varyLine}Access-Control-Allow-Origin: ${allowed}\r\n${this.#answerLines}`;
  }

  /** Lines for the answer to a preflight; null for an origin that is not allowed. */
  preflightLines(origin: string | null): string | null {
    const allowed = this.#allow(origin);
    return allowed === null ? null : `${varyLine}Access-Control-Allow-Origin: ${allowed}\r\n${this.#preflightLines}`;
  }

  #allow(origin: string | null): string | null {
    if (origin === null || origin === 'null' || origin === '' || origin.length > maxOriginLength) return null;
    if (this.#exact.has(origin)) return origin;
    for (const { scheme, suffix } of this.#wildcards) {
      if (origin.length <= scheme.length + suffix.length) continue;
      if (!origin.startsWith(scheme) || !origin.endsWith(suffix)) continue;
      if (labels.test(origin.slice(scheme.length, origin.length - suffix.length))) return origin;
    }
    return this.#takesAny ? '*' : null;
  }
}

/** @returns null without a rule */
export function compileCors(rule: CorsRule | null): CorsPolicy | null {
  return rule === null ? null : new CorsPolicy(rule);
}
