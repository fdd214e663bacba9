// A bounded queue that no single source can fill: each source has its own line, and the lines take turns.
// Pure: the queue holds entries and starts no work. An entry that finds no place is returned to the caller, which answers it.

interface FairQueueOptions {
  /** The most entries in all lines together. */
  readonly max: number;
  /** The most entries of one source. */
  readonly maxPerSource: number;
}

/** Lines of entries, one for each source; a source is a client network, for example. */
export class FairQueue<T> {
  readonly #options: FairQueueOptions;
  /** The lines by source, in the order of their turns. No line is empty. */
  readonly #lines = new Map<string, T[]>();
  #size = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** How many entries, of this and of other sources, one more entry of this source would wait behind. */
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
    // lines of equal length keep their entries: otherwise two sources would push each other out for ever
    return this.#size < max || (this.#longest()?.line.length ?? 0) > length + 1;
  }

  /**
   * Adds an entry at the end of its source's line. In a full queue the source with the most entries loses its newest one.
   *
   * @returns the entry that lost or found no place, which may be the new one; null when every entry has a place
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

  /** Takes out the entry whose turn it is; undefined for an empty queue. */
  shift(): T | undefined {
    for (const [source, line] of this.#lines) {
      const entry = line.shift();
      this.#lines.delete(source);
      // the source goes behind all others: its next entry waits until each of them had a turn
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
      // `set` for a key that the map has keeps the place of the key, so the source keeps its turn
      if (kept.length > 0) this.#lines.set(source, kept);
      else this.#lines.delete(source);
    }
    this.#size -= removed.length;
    return removed;
  }

  /** @returns the smallest value that `of` gives for an entry; infinite for an empty queue */
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
