// How many questions to control may be on their way at once, in all and for one source. Beyond that no question waits: it is refused
// at once. Counts only; it starts nothing.

interface FlightBounds {
  readonly max: number;
  readonly maxPerSource: number;
}

/** Questions on their way, by source: a client network, or an account. */
export class FlightShares {
  readonly #bounds: FlightBounds;
  readonly #bySource = new Map<string, number>();
  #all = 0;

  constructor(bounds: FlightBounds) {
    this.#bounds = bounds;
  }

  /** Whether one more question may go; when it may, it counts until `leave`. */
  enter(source: string): boolean {
    const own = this.#bySource.get(source) ?? 0;
    if (this.#all >= this.#bounds.max || own >= this.#bounds.maxPerSource) return false;
    this.#all += 1;
    this.#bySource.set(source, own + 1);
    return true;
  }

  leave(source: string): void {
    const own = this.#bySource.get(source) ?? 0;
    if (own === 0) return;
    this.#all -= 1;
    if (own === 1) this.#bySource.delete(source);
    else this.#bySource.set(source, own - 1);
  }
}
