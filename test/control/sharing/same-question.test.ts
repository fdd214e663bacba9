// One answer for equal questions that are asked at once: for a form that a browser sends many times.

import { expect, test } from 'vitest';
import { answerOnce } from '../../../gateway/control/sharing/same-question.ts';

test('the same question at once is answered once, others and later ones for themselves, and an error is nobody else’s verdict', async () => {
  const [owner, other] = [{}, {}];
  let runs = 0;
  const answer = async () => ++runs;
  const at = (of: object, digest: string, how = answer) => answerOnce(of, digest, how);
  expect(await Promise.all([at(owner, 'a'), at(owner, 'a'), at(owner, 'b'), at(other, 'a')])).toEqual([1, 1, 2, 3]);
  expect(await at(owner, 'a')).toBe(4);
  let fails = true;
  const once = async () => {
    if (!fails) return ++runs;
    fails = false;
    throw new Error('the store is away');
  };
  const outcomes = await Promise.allSettled([at(owner, 'c', once), at(owner, 'c', once), at(owner, 'c', once)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
});
