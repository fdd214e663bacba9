// How details say spans of time.

import { expect, test } from 'vitest';
import { span } from '../../../../gateway/core/decision/verdict/refusal-detail.ts';

test.each([
  [0, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [3661, '1 h 1 min 1 s'],
  [86_400, '24 h'],
  [86_700, '24 h 5 min'],
  [172_800, '2 d'],
  [30 * 86_400, '30 d'],
  [-5, '0 s'],
  [1.4, '1 s'],
])('%d seconds are %s', (seconds, said) => {
  expect(span(seconds)).toBe(said);
});
