// `npm run bench:shares`: how long giving, asking for, accepting, listing and ending shares of keys takes in a store with 1,000,000 of them, and
// cutting a share with 10,000 below it. Prints p50 and p99 of one caller and of eight at once. Exit code 1 when a p99 of one caller is not
// under 20 ms, or when the cut left anybody in.

import { parseArgs } from 'node:util';
import { quantile, runShares } from './run-shares.ts';

const boundMs = 20;
const { values } = parseArgs({ options: { shares: { type: 'string', default: '1000000' } } });
const shares = Number(values.shares);
if (!Number.isInteger(shares) || shares < 1000 || shares > 10_000_000) {
  process.stderr.write('usage: npm run bench:shares [-- --shares 1000..10000000]\n');
  process.exit(2);
}
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const ms = (times: readonly number[], part: number): string => quantile(times, part).toFixed(2).padStart(9);

const { measured, cut } = await runShares({
  sizes: { shares, accounts: Math.max(shares / 10, 10_001), owners: 1000, below: 10_000 },
  runs: 1000,
  callers: [1, 8],
  onFilled: (filledMs) => {
    print(`filled with ${shares} shares in ${(filledMs / 1000).toFixed(1)} s`);
    print('what                    callers   p50 ms   p99 ms   max ms   CPU ms');
  },
  onMeasured: ({ name, callers, times, cpuMs }) => {
    const all = `${ms(times, 0.5)}${ms(times, 0.99)}${ms(times, 1)}${cpuMs.toFixed(2).padStart(9)}`;
    print(`${name.padEnd(24)}${String(callers).padStart(7)}${all}`);
  },
});
print(
  `a share with ${cut.before} below it: cut in ${cut.ms.toFixed(2)} ms by ${cut.changes} change, ${cut.after} of them got in after`,
);
const isFast = measured.every(({ callers, times }) => callers > 1 || quantile(times, 0.99) < boundMs);
process.exitCode = isFast && cut.after === 0 && cut.before === 10_000 ? 0 : 1;
