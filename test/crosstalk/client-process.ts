// All 64 identities as a process of its own: visits until its share of the requests is sent, and tells its counts each second.

import { emptyTally, type Tally } from './tally.ts';
import { runVisits, type VisitOptions } from './visits.ts';

/** The first message to it. */
export interface ClientOrder extends Omit<VisitOptions, 'tally' | 'isOver'> {
  readonly requests: number;
}

/** What it says. */
export interface ClientMessage {
  readonly kind: 'tally';
  readonly tally: Tally;
  readonly isOver: boolean;
}

const tally = emptyTally();
let mustStop = false;

process.once('message', (order: ClientOrder) => {
  // the second one says stop
  process.on('message', () => {
    mustStop = true;
  });
  void run(order);
});
process.on('disconnect', () => process.exit(0));

async function run(order: ClientOrder): Promise<void> {
  const timer = setInterval(() => say(false), 1000);
  await runVisits({ ...order, tally, isOver: () => mustStop || tally.requests >= order.requests });
  clearInterval(timer);
  say(true);
}

function say(isOver: boolean): void {
  const message: ClientMessage = { kind: 'tally', tally, isOver };
  process.send?.(message);
}
