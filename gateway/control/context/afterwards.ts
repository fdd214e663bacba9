// Work that no answer waits for, because the answer must not depend on it, such as looking up whether an address has an account. The answer is
// given once the request is counted; the work follows later, so neither this answer nor the next one is slower for a known
// address: the work begins after a random pause, several pieces at once, in random order.
// The work is bounded: when too many pieces wait, a client is told to come again, whatever it asks about. The work is kept in memory: a process that is killed
// forgets the work, and people ask again; a process that ends in order does the work first.

import { StoreAway } from '../../store/port/store.ts';
import type { Logger } from '../../telemetry/logger.ts';

export interface Afterwards {
  /** Whether one more piece of work is taken; to be asked before anything is done for the request. */
  readonly hasRoom: () => boolean;
  /** Takes a piece of work, which runs soon. While the store is away the work is tried again, a few times. */
  readonly run: (work: () => Promise<void>) => void;
  /** Does all work that waits now, and resolves when it is done. */
  readonly settled: () => Promise<void>;
  /** As `settled`; work that comes later is refused. */
  readonly close: () => Promise<void>;
}

interface AfterwardsOptions {
  readonly logger: Pick<Logger, 'warn'>;
  /** Random bytes, for pauses and order. */
  readonly random: (bytes: number) => Buffer;
  /** Default 1000. */
  readonly maxWaiting?: number;
  /** Shortest pause before waiting work is done; the longest is twice as long. Default 200. */
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
