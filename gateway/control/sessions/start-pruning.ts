// Runs the pruning while control runs: at intervals, and again soon while there is more to delete. After a failure it waits for the next turn.

import type { ControlContext } from '../context/control-context.ts';
import { beginWalks, pruneExpired } from './prune-expired.ts';

const everyMs = 10 * 60_000;
const soonMs = 1000;
/** Nothing is deleted in the first minutes after a start. */
const firstMs = 5 * 60_000;

/** @returns a function that ends the pruning; it resolves once no pruning runs any more */
export function startPruning(context: ControlContext): { readonly close: () => Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;
  const walks = beginWalks();
  const plan = (ms: number): void => {
    if (isClosed) return;
    timer = setTimeout(() => {
      running = turn();
    }, ms);
    timer.unref();
  };
  const turn = async (): Promise<void> => {
    let next = everyMs;
    try {
      await context.decisions.forgetOld();
      if ((await pruneExpired(context, walks)).isPartial) next = soonMs;
    } catch (error) {
      context.logger.warn({ problem: error instanceof Error ? error.message : '' }, 'nothing was pruned this time');
    }
    plan(next);
  };
  plan(firstMs);
  return {
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
