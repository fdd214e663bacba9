// A bounded waiting line that no one source can fill: each source has a line of its own, and lines take turns.
// Pure: it holds what it is given and starts nothing. An entry that is turned away is handed back to the caller, which answers.

interface FairQueueOptions {
  /** Entries in all lines together. */
  readonly max: number;
  /** Entries of one source. */
  readonly maxPerSource: number;
}

/** Lines of entries by source, such as a client network. */
export class FairQueue<T> {
  readonly #options: FairQueueOptions;
  /** In the order of their turns; a line is never empty. */
  readonly #lines = new Map<string, T[]>();
  #size = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** Entries of other sources and of this one that one more entry of this source would wait behind. */
  ahead(source: string): number {
    const own = this.#lines.get(source)?.length ?? 0;
    let ahead = own;
    for (const [other, line] of this.#lines) if (other !== source) ahead += Math.min(line.length, own + 1);
    return ahead;
  }

  /** Whether one more entry of this source would be taken in now. */
  hasRoom(source: string): boolean {
    const { max, maxPerSource } = this.#options;
    const length = this.#lines.get(source)?.length ?? 0;
    if (length >= maxPerSource) return false;
    // equal lines stay as they are, or two sources would push each other out for ever
    return this.#size < max || (this.#longest()?.line.length ?? 0) > length + 1;
  }

  /**
   * Adds an entry at the end of its source's line. Where all places are taken, the source that has most gives up its newest.
   *
   * @returns the entry that has no place, which may be the new one; null when all have
   */
  push(source: string, entry: T): T | null {
    if (!this.hasRoom(source)) return entry;
    const own = this.#lines.get(source);
    let displaced: T | null = null;
    if (this.#size >= this.#options.max) {
      displaced = this.#longest()?.line.pop() ?? null;
      this.#size -= 1;
    }
    if (own === undefined) this.#lines.set(source, [entry]);
    else own.push(entry);
    this.#size += 1;
    return displaced;
  }

  /** Takes the entry whose turn it is; undefined when nobody waits. */
  shift(): T | undefined {
    for (const [source, line] of this.#lines) {
      const entry = line.shift();
      this.#lines.delete(source);
      // behind all others: its next entry has to wait for theirs
      if (line.length > 0) this.#lines.set(source, line);
      this.#size -= 1;
      return entry;
    }
    return undefined;
  }

  /** Takes out every entry for which `test` holds. */
  removeWhere(test: (entry: T) => boolean): T[] {
    const removed: T[] = [];
    for (const [source, line] of this.#lines) {
      const kept = line.filter((entry) => {
        const goes = test(entry);
        if (goes) removed.push(entry);
        return !goes;
      });
      if (kept.length === line.length) continue;
      // a set of a key that is there keeps its turn
      if (kept.length > 0) this.#lines.set(source, kept);
      else this.#lines.delete(source);
    }
    this.#size -= removed.length;
    return removed;
  }

  /** @returns the earliest of the values that `of` gives; infinite when nobody waits */
  least(of: (entry: T) => number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const line of this.#lines.values()) for (const entry of line) least = Math.min(least, of(entry));
    return least;
  }

  #longest(): { readonly line: T[] } | null {
    let longest: T[] | null = null;
    for (const line of this.#lines.values()) if (longest === null || line.length > longest.length) longest = line;
    return longest === null ? null : { line: longest };
  }
}
