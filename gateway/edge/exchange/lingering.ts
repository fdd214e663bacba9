// The closing connections of an edge: their answer is written and their end said, and what their clients still send is dropped.
// Bounded: beyond the bound those go that have lingered longest, whose clients had the most time to see their answer.

/** What lingers. */
interface Closing {
  /** Ends it now. */
  abandon(): void;
}

// a socket and nothing else each: what is read is dropped as it comes
const maxLingering = 4096;

export class Lingering {
  // in the order in which they began
  readonly #closing = new Set<Closing>();

  get count(): number {
    return this.#closing.size;
  }

  enter(connection: Closing): void {
    this.#closing.add(connection);
    if (this.#closing.size <= maxLingering) return;
    for (const oldest of this.#closing) {
      this.#closing.delete(oldest);
      oldest.abandon();
      return;
    }
  }

  leave(connection: Closing): void {
    this.#closing.delete(connection);
  }
}
