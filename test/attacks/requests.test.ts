// Every row of the attack suite, over a fresh connection, a used one, and after refusals: what the client got, what the
// upstream saw, and whether innocent requests afterwards got their own answers.

import { expect, test } from 'vitest';
import { judge, shown } from './judge.ts';
import { openLanes, spread } from './lanes.ts';
import type { RequestRow } from './row.ts';
import { requestRows } from './rows/all-requests.ts';
import { type Mode, modes, runRow } from './run-row.ts';

/** What was wrong, per row and way. */
const outcomes = new Map<RequestRow, Map<Mode, readonly string[]>>();

const lanes = await openLanes(new Set(requestRows.map((row) => row.gateway ?? 'plain')));
const runs = requestRows.flatMap((row) => modes.map((mode) => ({ row, mode })));
await spread(
  lanes,
  runs,
  ({ row }) => row.gateway ?? 'plain',
  async ({ row, mode }, lane) => {
    const observed = await runRow(row, lane, mode);
    const problems = judge(row, observed);
    const text =
      problems.length === 0
        ? []
        : [`${mode}: sent ${shown(observed.sent)}`, ...problems.map((problem) => `  ${problem}`)];
    outcomes.set(row, (outcomes.get(row) ?? new Map()).set(mode, text));
  },
);
await Promise.all(lanes.map((lane) => lane.close()));

test.each(requestRows.map((row) => [row.id, row] as const))('%s', (_id, row) => {
  const problems = [...(outcomes.get(row)?.values() ?? [['it did not run']])].flat();
  expect(problems.join('\n'), `${row.what} (${row.reference})`).toBe('');
});
