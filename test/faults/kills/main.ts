// `npm run kills -- --count N`: N kills of a gateway's processes while people claim links and owners revoke
// them, on SQLite and on PostgreSQL with two nodes. Prints its progress every five seconds; exit code 1 when anything was lost.

import { parseArgs } from 'node:util';
import { monotonicMs } from '../../../gateway/telemetry/clock.ts';
import { postgresMissing } from '../../support/store/postgres.ts';
import { describeKills, type KillReport, killsIn, runKills } from './store-kills.ts';

const progressMs = 5000;
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100' },
    store: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const engines = (['sqlite', 'postgres'] as const).filter(
  (engine) => values.store === undefined || values.store === engine,
);
if (!(Number.isInteger(count) && count >= 1 && count <= 1_000_000 && Number.isInteger(seed)) || engines.length === 0) {
  process.stderr.write('usage: npm run kills -- [--count 1..1000000] [--store sqlite|postgres] [--seed N]\n');
  process.exit(2);
}

// a terminal sends it to the gateways as well; what was started is ended all the same
let isInterrupted = false;
process.once('SIGINT', () => {
  isInterrupted = true;
});

for (const engine of engines) {
  const missing = engine === 'postgres' ? postgresMissing() : null;
  if (missing !== null) {
    process.stdout.write(`${engine}: skipped, ${missing}\n`);
    continue;
  }
  const startedMs = monotonicMs();
  let shownMs = startedMs;
  let last = '';
  const describe = (report: KillReport): string => {
    const seconds = (monotonicMs() - startedMs) / 1000 / Math.max(1, killsIn(report));
    return `${describeKills(engine, report)}; ${seconds.toFixed(1)} s a kill`;
  };
  const report = await runKills({
    // both stores together are what was asked for
    count: Math.ceil(count / engines.length),
    engine,
    seed,
    isOver: () => isInterrupted,
    onProgress: (soFar) => {
      last = describe(soFar);
      if (monotonicMs() - shownMs < progressMs) return;
      shownMs = monotonicMs();
      process.stderr.write(`${last}\n`);
    },
  }).catch((error: unknown) => {
    if (!isInterrupted) throw error;
    return null;
  });
  if (report === null || isInterrupted) {
    process.stdout.write(`interrupted; ${last} (seed ${seed})\n`);
    process.exit(130);
  }
  for (const violation of report.violations) process.stdout.write(`${violation}\n`);
  process.stdout.write(`${describe(report)} (seed ${seed})\n`);
  if (report.violations.length > 0) process.exitCode = 1;
}
