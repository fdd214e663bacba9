// The short form of `npm run bench:shares`: what people do with shares does not grow slow among 10,000 of them, and cutting a share that a thousand
// hang below is one change that refuses all of them at once.

import { expect, test } from 'vitest';
import { runShares } from '../../../bench/shares/run-shares.ts';

test('among 10,000 shares every step is quick, and a cut refuses a thousand people below it at once', async () => {
  const sizes = { shares: 10_000, accounts: 1100, owners: 100, below: 1000 };
  const { measured, cut } = await runShares({ sizes, runs: 25, callers: [1] });
  expect(cut).toMatchObject({ changes: 1, before: 1000, after: 0 });
  // the bench bounds the time on a machine of its own; tests share theirs, so CPU time is what they can bound
  for (const { name, cpuMs } of measured) expect(cpuMs, name).toBeLessThan(20);
});
