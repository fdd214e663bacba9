// Begins TLS handshakes, a few in each turn of the event loop. A handshake costs the edge about as much as ten requests, and costs a
// client that replays a recorded ClientHello nothing: thousands of them that are readable at once would all be answered in one turn,
// while no request is served and nothing is heard of control. So a connection waits until its ClientHello is whole, and then for its
// turn; client networks take turns. While many wait, handshakes get at most half of the time: the edge has other work to do.

import { FairQueue } from '../../core/model/fair-queue.ts';
import { monotonicMs } from '../../telemetry/clock.ts';

interface HandshakeQueueOptions {
  /** Whether the edge is overloaded: then one handshake begins in a turn. */
  readonly isOverloaded: () => boolean;
  /** Default: the machine's. */
  readonly nowMs?: () => number;
}

/** A connection whose ClientHello is there. */
interface WaitingHandshake {
  readonly begin: () => void;
  /** Called when there is no place for the connection. */
  readonly cut: () => void;
}

/** Handshakes that begin in one turn at most, and the time after which no further one begins in it; the first always begins. */
const maxPerTurn = 8;
const turnMs = 1;
/** More than a page's worth of connections from a few visitors at once. */
const crowd = 64;
/** At two thousand handshakes a second, as many as an edge does, the last of them waits for half a second. */
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

  /** @returns how long the handshakes of this turn took */
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
