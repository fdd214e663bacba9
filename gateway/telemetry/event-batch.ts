// Which batch of socket events the event loop is working on: everything one poll of the kernel found ready.
// Answers only "the same batch or a later one"; it is no clock. An answer cannot be in the batch that sent its question.
// Source: perf_hooks' uvMetricsInfo. libuv counts a loop before it polls, and a batch's events once all were handled, so
// a second poll within one loop (which libuv does when 1,024 events were ready) is another batch too.

import { performance } from 'node:perf_hooks';

const { nodeTiming } = performance;

/** @returns a number that never goes down, and that differs between any two batches; about 40 ns a call */
export function eventBatch(): number {
  const { loopCount, events } = nodeTiming.uvMetricsInfo;
  return loopCount + events;
}
