// Tells a ClientHello that was seen before by its random: a client makes a new one for each connection, 28 or 32 octets that nobody
// else can know (RFC 5246 §7.4.1.2, RFC 8446 §4.1.2). A client that sends a random again replays a recording and cannot finish the
// handshake, as RFC 8446 §8.2 argues for early data. So a replay costs no handshake. Bounded: the older half is forgotten in one piece.

/** At 5,000 ClientHellos a second those of the last three seconds at least; about 3 MB when all are there. */
const maxPerHalf = 16_384;

export class RecentHellos {
  readonly #maxPerHalf: number;
  #newer = new Set<string>();
  #older = new Set<string>();

  /** @param max  randoms in each of two halves */
  constructor(max = maxPerHalf) {
    this.#maxPerHalf = max;
  }

  has(random: string): boolean {
    return this.#newer.has(random) || this.#older.has(random);
  }

  /** Notes a random. @returns whether it was noted already */
  isRepeated(random: string): boolean {
    if (this.#newer.has(random)) return true;
    const isRepeated = this.#older.has(random);
    if (this.#newer.size >= this.#maxPerHalf) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    // a random that goes on being replayed is not forgotten
    this.#newer.add(random);
    return isRepeated;
  }
}
