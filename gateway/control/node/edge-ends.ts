// How soon edges in one slot may be ended: each end makes the next end come later, and a minute without an end takes one delay back.
// The cause that made an edge fail will often hit its successor too, and a slot in which processes only start serves no request.

interface EdgeEndsOptions {
  /** How long an edge may be silent in a slot where no edge was ended lately. */
  readonly patienceMs: number;
  readonly maxPatienceMs: number;
}

interface Place {
  ends: number;
  lastMs: number;
}

const firstPauseMs = 1000;
const maxPauseMs = 60_000;
/** After each such time without an end, the count of ends goes down by one. */
const forgiveMs = 60_000;
/** 2 ** 10 times the first delay is beyond both bounds. */
const maxEnds = 10;

/** Ends by slot: an edge's successors have the same slot. */
export class EdgeEnds {
  readonly #options: EdgeEndsOptions;
  readonly #places = new Map<string, Place>();

  constructor(options: EdgeEndsOptions) {
    this.#options = options;
  }

  /** How long an edge in this slot may be silent before it is ended. */
  patienceMs(place: string, now: number): number {
    const { patienceMs, maxPatienceMs } = this.#options;
    return Math.min(maxPatienceMs, patienceMs * 2 ** this.#endsOf(place, now));
  }

  /** Whether an edge may be ended now: the first end is allowed at once, each next end after a pause that doubles from a second to a minute. */
  mayEnd(place: string, now: number): boolean {
    const ends = this.#endsOf(place, now);
    const lastMs = this.#places.get(place)?.lastMs ?? Number.NEGATIVE_INFINITY;
    return ends === 0 || now - lastMs >= Math.min(maxPauseMs, firstPauseMs * 2 ** (ends - 1));
  }

  ended(place: string, now: number): void {
    this.#places.set(place, { ends: Math.min(maxEnds, this.#endsOf(place, now) + 1), lastMs: now });
  }

  #endsOf(place: string, now: number): number {
    const known = this.#places.get(place);
    if (known === undefined) return 0;
    return Math.max(0, known.ends - Math.floor((now - known.lastMs) / forgiveMs));
  }
}
