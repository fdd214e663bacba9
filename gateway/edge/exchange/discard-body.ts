// Bodies on their way to latchkey's own pages. Control takes a bounded number of connections from an edge, and a body that comes
// in drips holds one for as long as it likes: some dozens from anywhere would keep everybody from signing in. So slow ones make
// room: of each client network there are a few at a time, of all of them a quarter of what control takes, and the oldest goes.
// A form that comes whole waits for none of them; whoever only asks for a page finds the others free.

import { networkOf } from '../request/rate-limits.ts';
import { maxOwnConnections } from '../upstream/groups.ts';
import type { Exchange } from './exchange.ts';

const maxPerClient = 8;
/** A fifth of the connections to control's pages. */
const maxAtOnce = maxOwnConnections / 5;

/** One per edge. */
export class OwnBodies {
  /** In the order in which they began; those that are whole by now are dropped at the next look. */
  readonly #coming = new Set<Exchange>();

  /** Takes one more, whose body has not come yet. */
  enter(exchange: Exchange): void {
    const client = networkOf(exchange.request.clientAddress);
    let ofClient = 0;
    let oldestOfClient: Exchange | null = null;
    for (const each of this.#coming) {
      if (each.isOver || each.isRequestSent) this.#coming.delete(each);
      else if (networkOf(each.request.clientAddress) === client) {
        ofClient += 1;
        oldestOfClient ??= each;
      }
    }
    const [oldest = null] = this.#coming;
    const goes = ofClient >= maxPerClient ? oldestOfClient : this.#coming.size >= maxAtOnce ? oldest : null;
    if (goes !== null) {
      this.#coming.delete(goes);
      goes.downstream.bodyIsTooSlow();
    }
    this.#coming.add(exchange);
  }
}
