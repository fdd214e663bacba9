// The short form of `npm run kills` on PostgreSQL, which is killed as well: no acknowledged change is lost.

import { expect, test } from 'vitest';
import { postgresMissing } from '../../support/store/postgres.ts';
import { postgresTemplate } from '../../support/store/shared-postgres.ts';
import { describeKills, killsIn, runKills } from './store-kills.ts';

const count = 10;

test('random kill -9 during claims and revocations loses no acknowledged change (postgres)', async (context) => {
  const missing = postgresMissing();
  if (missing !== null) context.skip(missing);
  const template = await postgresTemplate();
  const report = await runKills({ count, engine: 'postgres', seed: 4, nodes: 1, edges: 1, template });
  console.info(describeKills('postgres', report));
  expect(report.violations).toEqual([]);
  expect(killsIn(report)).toBe(count);
  expect(report.acknowledged).toBeGreaterThan(count);
}, 600_000);
