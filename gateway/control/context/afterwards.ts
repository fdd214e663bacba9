// Work that no answer waits for: what an answer must not depend on, such as looking up whether an address has an account. The answer is
// given once the request is counted; the work follows in its own time, so neither this answer nor the next one is later for a known
// address: it begins after a random pause, several at once, in an order of its own.
// Bounded: when too many wait, a client is told to come again, whatever it asks about. Kept in memory: a process that is killed
// forgets it, and people ask again; one that ends by itself does it first.

import { StoreAway } from '../../store/port/store.ts';
import type { Logger } from '../../telemetry/logger.ts';

export interface Afterwards {
  /** Whether one more may come; to be asked before anything is done for it. */
  readonly hasRoom: () => boolean;
  /** Takes work that runs soon. While the store is away it is tried again, a few times. */
  readonly run: (work: () => Promise<void>) => void;
  /** Does everything that waits now, and resolves when it is done. */
  readonly settled: () => Promise<void>;
  /** As `settled`; what comes later is refused. */
  readonly close: () => Promise<void>;
}

interface AfterwardsOptions {
  readonly logger: Pick<Logger, 'warn'>;
  /** Random bytes: for pauses and order. */
  readonly random: (bytes: number) => Buffer;
  /** Default 1000. */
  readonly maxWaiting?: number;
  /** Pause before work that waits is done: from the first to twice as long. Default 200. */
  readonly pauseMs?: number;
}

interface Waiting {
  readonly work: () => Promise<void>;
  readonly attempts: number;
}

const maxAttempts = 5;

export function makeAfterwards(options: AfterwardsOptions): Afterwards {
  const { logger, random, maxWaiting = 1000, pauseMs = 200 } = options;
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;

  const plan = (): void => {
    if (timer !== null || isClosed) return;
    timer = setTimeout(() => void turn(), pauseMs * (1 + fraction(random)));
    timer.unref();
  };

  /** One turn after the other: two at once would do the same work twice as late. */
  const turn = (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const due = waiting;
    waiting = [];
    shuffle(due, random);
    running = running.then(async () => {
      for (const each of due) await attempt(each);
      if (waiting.length > 0) plan();
    });
    return running;
  };

  const attempt = async ({ work, attempts }: Waiting): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (error instanceof StoreAway && attempts + 1 < maxAttempts && !isClosed) {
        waiting.push({ work, attempts: attempts + 1 });
        return;
      }
      logger.warn({ problem: error instanceof Error ? error.message : '' }, 'what was asked for was not done');
    }
  };

  return {
    hasRoom: () => !isClosed && waiting.length < maxWaiting,
    run: (work) => {
      waiting.push({ work, attempts: 0 });
      plan();
    },
    settled: turn,
    close: async () => {
      isClosed = true;
      await turn();
    },
  };
}

function fraction(random: (bytes: number) => Buffer): number {
  return random(4).readUInt32BE() / 2 ** 32;
}

function shuffle<T>(list: T[], random: (bytes: number) => Buffer): void {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(fraction(random) * (last + 1));
    const [one, two] = [list[last], list[other]];
    if (one === undefined || two === undefined) continue;
    list[last] = two;
    list[other] = one;
  }
}
