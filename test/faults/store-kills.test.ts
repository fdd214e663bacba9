// The short form of `npm run kills`: twenty kills at random, on both stores, lose nothing that was acknowledged.

import { expect, test } from 'vitest';
import { postgresMissing } from '../support/postgres.ts';
import { postgresTemplate } from '../support/shared-postgres.ts';
import { describeKills, killsIn, runKills } from './store-kills.ts';

const count = 10;

test.for(['sqlite', 'postgres'] as const)(
  'kill -9 at random during claims and revocations loses nothing that was acknowledged (%s)',
  { timeout: 180_000 },
  async (engine, context) => {
    const missing = engine === 'postgres' ? postgresMissing() : null;
    if (missing !== null) context.skip(missing);
    const template = engine === 'postgres' ? { template: await postgresTemplate() } : {};
    const report = await runKills({ count, engine, seed: 4, nodes: 1, edges: 1, ...template });
    console.info(describeKills(engine, report));
    expect(report.violations).toEqual([]);
    expect(killsIn(report)).toBe(count);
    expect(report.acknowledged).toBeGreaterThan(count);
  },
);
