// The short form of `npm run kills` on SQLite: random kills lose no acknowledged change. Together with the kills of
// store-kills-postgres.test.ts there are twenty; they are in two files, so that two cores share them.

import { expect, test } from 'vitest';
import { describeKills, killsIn, runKills } from './store-kills.ts';

const count = 10;

test('random kill -9 during claims and revocations loses no acknowledged change (sqlite)', async () => {
  const report = await runKills({ count, engine: 'sqlite', seed: 4, nodes: 1, edges: 1 });
  console.info(describeKills('sqlite', report));
  expect(report.violations).toEqual([]);
  expect(killsIn(report)).toBe(count);
  expect(report.acknowledged).toBeGreaterThan(count);
}, 600_000);
