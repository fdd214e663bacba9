// Host patterns: a host name, or `*.example.org` for the names below `example.org`. Only this file says what a wildcard matches.
// Callers bring canonical patterns and hosts (core/decision/route/host.ts); this file parses and checks neither.
// Rules: RFC 9525 §6.3 for certificates, where a wildcard stands for one label; everywhere else it stands for any number of labels.

/** Whether a pattern is a wildcard (`*.example.org`). */
export function isWildcardHost(pattern: string): boolean {
  return pattern.startsWith('*.');
}

/** Whether a pattern matches a host. `*.example.org` matches every name below `example.org`, and not `example.org` itself. */
export function matchesHost(pattern: string, host: string): boolean {
  return pattern === host || (isWildcardHost(pattern) && isBelow(host, pattern.slice(1)));
}

/** Whether some host matches both of two patterns. */
export function hostPatternsMeet(one: string, other: string): boolean {
  return matchesHost(one, other) || matchesHost(other, one);
}

/** A set of patterns, compiled for many look-ups. Made by `compileHostPatterns`. */
export interface HostPatterns {
  readonly exact: readonly string[];
  /** `.example.org` for `*.example.org`. */
  readonly suffixes: readonly string[];
}

export function compileHostPatterns(patterns: readonly string[]): HostPatterns {
  return {
    exact: patterns.filter((pattern) => !isWildcardHost(pattern)),
    suffixes: patterns.filter(isWildcardHost).map((pattern) => pattern.slice(1)),
  };
}

/** Whether one of the patterns matches the host. */
export function anyMatchesHost(patterns: HostPatterns, host: string): boolean {
  if (patterns.exact.includes(host)) return true;
  for (const suffix of patterns.suffixes) if (isBelow(host, suffix)) return true;
  return false;
}

/** @param suffix  begins with a dot; a host that equals the suffix does not match, since its first label would be empty */
function isBelow(host: string, suffix: string): boolean {
  return host.length > suffix.length && host.endsWith(suffix);
}

/** How far `*.example.org` reaches: `one-label` is `a.example.org` alone, `any-depth` is `b.a.example.org` too. */
type WildcardReach = 'one-label' | 'any-depth';

/** Values by host pattern: an exact name is found before a wildcard, and a longer wildcard before a shorter one. */
export class HostTable<T> {
  readonly #exact = new Map<string, T>();
  /** By `.example.org`, with the leading dot. */
  readonly #wildcards = new Map<string, T>();
  readonly #reach: WildcardReach;

  constructor(reach: WildcardReach) {
    this.#reach = reach;
  }

  /** Adds a value for a pattern that has none yet. @returns the pattern's value afterwards, which is the older one if there was one */
  add(pattern: string, value: T): T {
    const isWildcard = isWildcardHost(pattern);
    const names = isWildcard ? this.#wildcards : this.#exact;
    const name = isWildcard ? pattern.slice(1) : pattern;
    const known = names.get(name);
    if (known !== undefined) return known;
    names.set(name, value);
    return value;
  }

  /** The value of the nearest pattern that matches; null for none. */
  find(host: string): T | null {
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    if (this.#wildcards.size === 0) return null;
    // from the left, so that the longest suffix is tried first; a dot at the beginning would follow an empty label and matches nothing
    for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
      const found = this.#wildcards.get(host.slice(dot));
      if (found !== undefined) return found;
      if (this.#reach === 'one-label') return null;
    }
    return null;
  }

  values(): readonly T[] {
    return [...this.#exact.values(), ...this.#wildcards.values()];
  }

  /** Every pattern, wildcards as `*.example.org`. */
  patterns(): { readonly exact: readonly string[]; readonly wildcards: readonly string[] } {
    return { exact: [...this.#exact.keys()], wildcards: [...this.#wildcards.keys()].map((suffix) => `*${suffix}`) };
  }
}
