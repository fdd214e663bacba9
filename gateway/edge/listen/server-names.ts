// Finds what belongs to a host name: an exact name before a wildcard, the nearest wildcard before a farther one.
// Two rules of how far a wildcard reaches: one label for certificates, every depth for hosts as routes know them.
// Rules: RFC 9525 §6.3 (certificates), conventions of route hosts (core/decision/route/route-table.ts).

/** How far `*.example.org` reaches: `one-label` is `a.example.org` alone, `any-depth` is `b.a.example.org` too. */
type WildcardReach = 'one-label' | 'any-depth';

/** Values by lower-case host name or `*.example.org`. */
export class ServerNames<T> {
  readonly #exact = new Map<string, T>();
  /** By `.example.org`. */
  readonly #wildcards = new Map<string, T>();
  readonly #reach: WildcardReach;

  constructor(reach: WildcardReach) {
    this.#reach = reach;
  }

  /** The first value for a name stays: an earlier certificate is preferred. */
  add(pattern: string, value: T): void {
    const names = pattern.startsWith('*.') ? this.#wildcards : this.#exact;
    const name = pattern.startsWith('*.') ? pattern.slice(1) : pattern;
    if (!names.has(name)) names.set(name, value);
  }

  /** @param host  from `canonicalHost` */
  find(host: string): T | null {
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    if (this.#wildcards.size === 0) return null;
    // a dot at the beginning would be an empty label, which no wildcard stands for
    for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
      const found = this.#wildcards.get(host.slice(dot));
      if (found !== undefined) return found;
      if (this.#reach === 'one-label') return null;
    }
    return null;
  }
}
