// The short form of `npm run kills` on SQLite: kills at random lose nothing that was acknowledged. With those of
// store-kills-postgres.test.ts they are twenty; two files, so that two cores share them.

import { expect, test } from 'vitest';
import { describeKills, killsIn, runKills } from './store-kills.ts';

const count = 10;

test('kill -9 at random during claims and revocations loses nothing that was acknowledged (sqlite)', async () => {
  const report = await runKills({ count, engine: 'sqlite', seed: 4, nodes: 1, edges: 1 });
  console.info(describeKills('sqlite', report));
  expect(report.violations).toEqual([]);
  expect(killsIn(report)).toBe(count);
  expect(report.acknowledged).toBeGreaterThan(count);
}, 600_000);
