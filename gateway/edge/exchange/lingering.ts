// The closing connections of an edge: their answer and their FIN are written, and what their clients still send is dropped.
// Their number is bounded: beyond it the connection goes that has lingered longest, whose client had most time to see its answer.

/** A connection that lingers. */
interface Closing {
  /** Ends the connection now. */
  abandon(): void;
}

// each costs a socket and nothing else: what is read is dropped as it comes
const maxLingering = 4096;

/** One per edge. */
export class Lingering {
  // in the order in which they began to linger
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
