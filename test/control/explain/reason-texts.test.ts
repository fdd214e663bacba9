// The texts that operators read for the reasons of decisions.

import { expect, test } from 'vitest';
import { reasonText } from '../../../gateway/control/explain/reason-texts.ts';
import { allowKinds, denyReasons } from '../../../gateway/core/decision/verdict/reasons.ts';

test.each([...allowKinds, ...denyReasons])('%s is explained in words, with the word itself behind them', (reason) => {
  const text = reasonText(reason);
  expect(text.endsWith(` (${reason})`)).toBe(true);
  expect(text.length).toBeGreaterThan(reason.length + 3);
});

test('a text that is no known reason is shown as it is', () => {
  expect(reasonText('already')).toBe('already');
  expect(reasonText('toString')).toBe('toString');
});
