// Begins TLS handshakes a few in each turn of the event loop. One costs about as much as ten requests, and costs a client who
// replays a recorded ClientHello nothing: thousands that are readable at once would be answered in one turn, while nobody else is
// served and nothing is heard of control. So a whole ClientHello is waited for first, and then for a turn; networks take turns.
// While many wait, handshakes get half of the time and no more: the edge has other work, and so have the others on its machine.

import { FairQueue } from '../../core/model/fair-queue.ts';
import { monotonicMs } from '../../telemetry/clock.ts';

interface HandshakeQueueOptions {
  /** Whether the edge has more to do than it gets done: then one begins in a turn. */
  readonly isOverloaded: () => boolean;
  /** Default: the machine's. */
  readonly nowMs?: () => number;
}

/** A connection whose ClientHello is there. */
interface WaitingHandshake {
  readonly begin: () => void;
  /** There is no place for it. */
  readonly cut: () => void;
}

/** So many in one turn at most, and none after this time; the first always. */
const maxPerTurn = 8;
const turnMs = 1;
/** More than a page's worth of connections from a few visitors at once. */
const crowd = 64;
/** At two thousand handshakes a second, what an edge gets done, the last one waits for half a second. */
const bounds = { max: 1024, maxPerSource: 512 };

export class HandshakeQueue {
  readonly #options: HandshakeQueueOptions;
  readonly #waiting = new FairQueue<WaitingHandshake>(bounds);
  #isScheduled = false;
  /** What the last turn took, and the next one is waited for. */
  #restMs = 0;

  constructor(options: HandshakeQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size;
  }

  push(network: string, handshake: WaitingHandshake): void {
    this.#waiting.push(network, handshake)?.cut();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return;
    this.#isScheduled = true;
    const run = (): void => {
      this.#isScheduled = false;
      this.#restMs = this.#turn();
      this.#schedule();
    };
    if (this.#waiting.size > crowd && this.#restMs > 0) setTimeout(run, this.#restMs);
    // sockets are read before the next immediate runs, so what came meanwhile had its turn
    else setImmediate(run);
  }

  /** @returns how long it took */
  #turn(): number {
    const { isOverloaded, nowMs = monotonicMs } = this.#options;
    const most = isOverloaded() ? 1 : maxPerTurn;
    const startedMs = nowMs();
    for (let begun = 0; begun < most; begun++) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      next.begin();
      if (nowMs() - startedMs >= turnMs) break;
    }
    return nowMs() - startedMs;
  }
}
