// Requests that come at once begin one after the other, and whatever else is due comes in between.

import { expect, test } from 'vitest';
import { oneATurn } from '../../../gateway/api/serve/one-a-turn.ts';

/** Work that yields to nobody. */
function work(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    // the point is to keep the thread
  }
}

test('between two that came at once timers run that came due meanwhile', async () => {
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
