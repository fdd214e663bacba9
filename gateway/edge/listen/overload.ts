// Knows when the edge is overloaded, and which requests are refused first.
// The measure is how late the event loop runs, because that is what every visitor feels. The first to be refused are requests that
// show no credential or that control would have to be asked about; requests with a valid token go on until it is four times as bad.

import type { Decision } from '../../core/decision/decide.ts';
import type { RoutePolicy } from '../../core/decision/state/snapshot.ts';
import { type Denial, deny } from '../../core/decision/verdict/denial.ts';

/** 0: none. 1: work without a verified token is refused. 2: all new work is. */
type OverloadLevel = 0 | 1 | 2;

// One late tick is a collection of garbage or a reload; two in a row are load.
const ticksToEnd = 4;
const secondLevel = 4;
// `Retry-After`: long enough for the queue to shrink, short enough for a visitor to wait
const retryAfterSeconds = 2;

/** The state of one edge. */
export class Overload {
  level: OverloadLevel = 0;
  #previous: OverloadLevel = 0;
  #better = 0;

  /**
   * Takes one measurement; four a second are expected.
   *
   * @param delayMs  how late the event loop ran
   * @param limitMs  the longest delay that is no overload
   * @returns whether the level changed
   */
  note(delayMs: number, limitMs: number): boolean {
    const seen = delayMs >= limitMs * secondLevel ? 2 : delayMs >= limitMs ? 1 : 0;
    const previous = this.#previous;
    const before = this.level;
    this.#previous = seen;
    if (seen > before && previous > before) {
      // the lower of the two delays, so that a single late tick changes nothing
      this.level = seen === 2 ? previous : seen;
      this.#better = 0;
    } else if (seen < before) {
      this.#better++;
      if (this.#better >= ticksToEnd) {
        this.level = seen;
        this.#better = 0;
      }
    } else this.#better = 0;
    return this.level !== before;
  }

  /** @returns the refusal of a request that cannot be served now; null when it goes on */
  refuse(decision: Decision): Denial | null {
    switch (decision.kind) {
      case 'deny':
        // a refusal costs as much as the answer that says so
        return null;
      case 'lookup':
        return overloaded(decision.route, 'control would have to be asked');
      case 'allow':
        // our own pages are small, and sites need the keys that stand there
        if (decision.route.index < 0) return null;
        if (decision.how === 'anyone') return overloaded(decision.route, 'the request shows no credential');
        return this.level === 2 ? overloaded(decision.route, 'the event loop is far too late') : null;
      default:
        return decision satisfies never;
    }
  }
}

function overloaded(route: RoutePolicy, detail: string): Denial {
  return deny('overloaded', route, detail, { retryAfterSeconds });
}
