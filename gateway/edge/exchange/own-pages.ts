// Shares of the connections to control's pages, of which an edge has a bounded number.
// A request to them may wait there, for its turn to have a password hashed or for edges to confirm a change, and its answer may be
// read slowly; each holds a connection meanwhile. Of one client network half of the connections may be in use, so the other half
// is there for everybody else, and control lets few of all wait for a password.
// A body that comes in drips holds a connection for as long as it likes: some dozens from anywhere would keep everybody from
// signing in. So slow bodies make room: of each client network there are a few at a time, of all of them a fifth of the
// connections, and the oldest goes. A form that comes whole waits for none of them.

import type { RoutePolicy } from '../../core/decision/state/snapshot.ts';
import { type Denial, deny } from '../../core/decision/verdict/denial.ts';
import { networkOf } from '../request/rate-limits.ts';
import { maxOwnConnections } from '../upstream/groups.ts';
import type { Exchange } from './exchange.ts';

// more than the 64 who may open one link together from behind one address
const maxPerNetwork = maxOwnConnections / 2;
const retryAfterSeconds = 1;
const maxBodiesPerNetwork = 8;
const maxBodies = maxOwnConnections / 5;

/** One per edge. */
export class OwnPages {
  /** Those that are over are dropped at the next look; connections bound their number. */
  readonly #running = new Set<Exchange>();
  /** Those whose body is on its way, in the order in which they began; those that are whole by now are dropped at the next look. */
  readonly #coming = new Set<Exchange>();

  /** @returns the refusal of a request whose network has its share; null when it goes on */
  refuse(clientAddress: string, route: RoutePolicy): Denial | null {
    const network = networkOf(clientAddress);
    let own = 0;
    for (const each of this.#running) {
      if (each.isOver) this.#running.delete(each);
      else if (networkOf(each.request.clientAddress) === network) own += 1;
    }
    if (own < maxPerNetwork) return null;
    const detail = `${maxPerNetwork} requests of one network wait for latchkey's own pages`;
    return deny('rate-limited', route, detail, { retryAfterSeconds });
  }

  /** Takes a request in that goes on, before any of its body came. */
  enter(exchange: Exchange): void {
    this.#running.add(exchange);
    if (exchange.request.head.hasBody) this.#enterBody(exchange);
  }

  #enterBody(exchange: Exchange): void {
    const network = networkOf(exchange.request.clientAddress);
    let ofNetwork = 0;
    let oldestOfNetwork: Exchange | null = null;
    for (const each of this.#coming) {
      if (each.isOver || each.isRequestSent) this.#coming.delete(each);
      else if (networkOf(each.request.clientAddress) === network) {
        ofNetwork += 1;
        oldestOfNetwork ??= each;
      }
    }
    const [oldest = null] = this.#coming;
    const goes = ofNetwork >= maxBodiesPerNetwork ? oldestOfNetwork : this.#coming.size >= maxBodies ? oldest : null;
    if (goes !== null) {
      this.#coming.delete(goes);
      goes.downstream.bodyIsTooSlow();
    }
    this.#coming.add(exchange);
  }
}
