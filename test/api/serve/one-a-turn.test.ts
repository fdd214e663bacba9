// Requests that come at the same moment begin one after the other, and timers that are due run in between.

import { expect, test } from 'vitest';
import { oneATurn } from '../../../gateway/api/serve/one-a-turn.ts';

/** Work that keeps the thread without a pause. */
function work(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    // The loop only keeps the thread busy.
  }
}

test('timers that came due run between two requests that came at the same moment', async () => {
  const turn = oneATurn();
  const order: string[] = [];
  await Promise.all(
    ['first', 'second', 'third'].map(async (name) => {
      await turn();
      order.push(name);
      setTimeout(() => order.push(`a timer of the ${name}`), 1);
      work(3);
    }),
  );
  await turn();
  expect(order).toEqual([
    'first',
    'a timer of the first',
    'second',
    'a timer of the second',
    'third',
    'a timer of the third',
  ]);
});
