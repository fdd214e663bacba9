// Shares of the connections to control's pages. A request to them may wait there, for its turn to have a password hashed or for
// edges to confirm a change, and its answer may be read slowly; each holds a connection meanwhile. Of one client network half of
// the connections may be in use, so the other half is there for everybody else, and control lets few of all wait for a password.

import type { RoutePolicy } from '../../core/decision/state/snapshot.ts';
import { type Denial, deny } from '../../core/decision/verdict/denial.ts';
import { networkOf } from '../request/rate-limits.ts';
import { maxOwnConnections } from '../upstream/groups.ts';
import type { Exchange } from './exchange.ts';

// more than the 64 who may open one link together from behind one address
const maxPerNetwork = maxOwnConnections / 2;
const retryAfterSeconds = 1;

/** One per edge. */
export class OwnPages {
  /** Those that are over are dropped at the next look; connections bound their number. */
  readonly #running = new Set<Exchange>();

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
    return deny('rate-limited', route, detail, 0, null, retryAfterSeconds);
  }

  enter(exchange: Exchange): void {
    this.#running.add(exchange);
  }
}
