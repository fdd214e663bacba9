// Every row about a hostile upstream, over fresh and used connections and after refusals: what the client got, whether
// the connection to the upstream was destroyed, and whether innocent requests got their own answers.

import { afterAll, expect, test } from 'vitest';
import { shown } from './judge.ts';
import { openLanes, spread } from './lanes.ts';
import type { ResponseRow } from './response-row.ts';
import { responseBodyRows } from './rows/response-bodies.ts';
import { responseHeadRows } from './rows/response-heads.ts';
import { runResponse } from './run-response.ts';
import { modes } from './run-row.ts';
import { printTable } from './table.ts';

const rows: readonly ResponseRow[] = [...responseHeadRows, ...responseBodyRows];
/** The ways of a client's connection, and the same over an upstream that requests are pipelined to. */
const ways = [...modes, 'pipelined'] as const;
type Way = (typeof ways)[number];
const outcomes = new Map<ResponseRow, Map<Way, readonly string[]>>();

const lanes = await openLanes(new Set(['plain', 'pipelined'] as const));
const runs = rows.flatMap((row) => ways.map((way) => ({ row, way })));
await spread(
  lanes,
  runs,
  ({ way }) => (way === 'pipelined' ? 'pipelined' : 'plain'),
  async ({ row, way }, lane) => {
    const problems = await runResponse(row, lane, way === 'pipelined' ? 'reused' : way);
    const text =
      problems.length === 0
        ? []
        : [`${way}: the upstream said ${shown(row.bytes)}`, ...problems.map((problem) => `  ${problem}`)];
    outcomes.set(row, (outcomes.get(row) ?? new Map()).set(way, text));
  },
);
await Promise.all(lanes.map((lane) => lane.close()));

test.each(rows.map((row) => [row.id, row] as const))('%s', (_id, row) => {
  const problems = [...(outcomes.get(row)?.values() ?? [['it did not run']])].flat();
  expect(problems.join('\n'), `${row.what} (${row.reference})`).toBe('');
});

test('every row has a unique id', () => {
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
});

afterAll(() => {
  printTable(
    'responses',
    rows.map((row) => ({
      id: row.id,
      family: row.family,
      isVariant: false,
      results: ways.map((way) => [way, outcomes.get(row)?.get(way)?.length === 0] as const),
    })),
  );
});
