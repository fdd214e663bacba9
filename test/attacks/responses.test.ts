// Every row about a hostile upstream, over fresh and used connections and after refusals: what the client got, whether
// the connection to the upstream was destroyed, and whether innocent requests got their own answers.

import { afterAll, expect, test } from 'vitest';
import { shown } from './judge.ts';
import { openLanes, spread } from './lanes.ts';
import type { ResponseRow } from './response-row.ts';
import { responseBodyRows } from './rows/response-bodies.ts';
import { responseHeadRows } from './rows/response-heads.ts';
import { runResponse } from './run-response.ts';
import { type Mode, modes } from './run-row.ts';
import { printTable } from './table.ts';

const rows: readonly ResponseRow[] = [...responseHeadRows, ...responseBodyRows];
const outcomes = new Map<ResponseRow, Map<Mode, readonly string[]>>();

const lanes = await openLanes(new Set(['plain'] as const));
const runs = rows.flatMap((row) => modes.map((mode) => ({ row, mode })));
await spread(
  lanes,
  runs,
  () => 'plain',
  async ({ row, mode }, lane) => {
    const problems = await runResponse(row, lane, mode);
    const text =
      problems.length === 0
        ? []
        : [`${mode}: the upstream said ${shown(row.bytes)}`, ...problems.map((problem) => `  ${problem}`)];
    outcomes.set(row, (outcomes.get(row) ?? new Map()).set(mode, text));
  },
);
await Promise.all(lanes.map((lane) => lane.close()));

test.each(rows.map((row) => [row.id, row] as const))('%s', (_id, row) => {
  const problems = [...(outcomes.get(row)?.values() ?? [['it did not run']])].flat();
  expect(problems.join('\n'), `${row.what} (${row.reference})`).toBe('');
});

test('every row has an id of its own', () => {
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
});

afterAll(() => {
  printTable(
    'responses',
    rows.map((row) => ({
      id: row.id,
      family: row.family,
      isVariant: false,
      results: modes.map((mode) => [mode, outcomes.get(row)?.get(mode)?.length === 0] as const),
    })),
  );
});
