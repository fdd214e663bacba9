// `npm run reloads -- --count N`: N reloads under load, with long downloads and WebSockets running.
// Prints a line every five seconds and the result at the end; exit code 1 when anything was lost.

import { parseArgs } from 'node:util';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { describeReport } from './describe-report.ts';
import { runReloads } from './run-reloads.ts';

const progressMs = 5000;
const { values } = parseArgs({ options: { count: { type: 'string', default: '1000' } } });
const count = Number(values.count);
if (!Number.isInteger(count) || count < 1 || count > 1_000_000) {
  process.stderr.write('usage: npm run reloads -- [--count 1..1000000]\n');
  process.exit(2);
}

let shownMs = monotonicMs();
const report = await runReloads({
  count,
  connections: 4,
  downloads: 4,
  tunnels: 4,
  onProgress: (done, answered) => {
    if (monotonicMs() - shownMs < progressMs) return;
    shownMs = monotonicMs();
    process.stderr.write(`${done} of ${count} reloads, ${answered} requests\n`);
  },
});
process.stdout.write(`${describeReport(report)}\n`);
process.exitCode = report.losses.length === 0 ? 0 : 1;
