// Every row of the attack suite, over a fresh connection, a used one, and after refusals: what the client got, what the
// upstream saw, and whether innocent requests afterwards got their own answers. Then the parser panel reads what was
// forwarded. Rows and results as a table: table.ts.

import { afterAll, describe, expect, test } from 'vitest';
import { requestRows } from './all-requests.ts';
import { judge, shown, withoutId } from './judge.ts';
import { openLanes, spread } from './lanes.ts';
import { type PeerName, peerNames } from './panel/peers.ts';
import { type Forwarding, knownDifferences, runPanel } from './panel/run-panel.ts';
import type { RequestRow } from './row.ts';
import { type Mode, modes, runRow } from './run-row.ts';
import { printTable } from './table.ts';

/** The ways of a connection; over TLS, only rows that are refused in the clear too and do not depend on the scheme. */
type Way = Mode | 'tls';

/** Rows with another expectation over TLS. */
const ofScheme = new Set(['target.absolute-https', 'upgrades.origin-scheme']);

/** Complaints per row and way. */
const outcomes = new Map<RequestRow, Map<Way, readonly string[]>>();
/** The messages that went to the upstream over fresh connections, each once, for the panel. */
const forwardings = new Map<string, Forwarding>();

const lanes = await openLanes(new Set(['tls' as const, ...requestRows.map((row) => row.gateway ?? 'plain')]));
// For a row that differs from another by one byte, one kind of earlier refusal is enough.
const modesOf = (row: RequestRow): readonly Way[] => {
  if (row.isFirst === true) return ['fresh', 'refused-elsewhere'];
  if (row.isVariant === true) return ['fresh', 'reused', 'refused-here'];
  const isForAll = row.upstream === 'nothing' && row.after === 'closed' && row.gateway === undefined;
  return isForAll && !ofScheme.has(row.id) ? [...modes, 'tls'] : modes;
};
const runs = requestRows.flatMap((row) => modesOf(row).map((way) => ({ row, way })));
await spread(
  lanes,
  runs,
  ({ row, way }) => (way === 'tls' ? 'tls' : (row.gateway ?? 'plain')),
  async ({ row, way }, lane) => {
    const observed = await runRow(row, lane, way === 'tls' ? 'fresh' : way);
    const problems = judge(row, observed);
    for (const { raw } of way === 'fresh' ? observed.upstream : []) {
      const forwarding = forwardings.get(withoutId(raw)) ?? { rowIds: new Set(), raw };
      forwardings.set(withoutId(raw), forwarding);
      forwarding.rowIds.add(row.id);
    }
    const text =
      problems.length === 0
        ? []
        : [`${way}: sent ${shown(observed.sent)}`, ...problems.map((problem) => `  ${problem}`)];
    outcomes.set(row, (outcomes.get(row) ?? new Map()).set(way, text));
  },
);
await Promise.all(lanes.map((lane) => lane.close()));
const panel = await runPanel([...forwardings.values()]);

/** What a peer read otherwise than it was meant, for one row; null when the peer is missing or nothing was forwarded. */
function panelProblems(peer: PeerName, row: RequestRow): string[] | null {
  const results = panel.get(peer)?.get(row.id);
  if (results === undefined) return null;
  return results.flatMap((result) => {
    if (result.kind === 'same') return [];
    if (knownDifferences.has(`${peer} ${row.id}`)) return [];
    return [`${row.id}: ${JSON.stringify(result)}`];
  });
}

test.each(requestRows.map((row) => [row.id, row] as const))('%s', (_id, row) => {
  const problems = [...(outcomes.get(row)?.values() ?? [['it did not run']])].flat();
  expect(problems.join('\n'), `${row.what} (${row.reference})`).toBe('');
});

test('every row has a unique id, and at least 250 rows are more than one-byte variants', () => {
  expect(new Set(requestRows.map(({ id }) => id)).size).toBe(requestRows.length);
  expect(requestRows.filter(({ isVariant }) => isVariant !== true).length).toBeGreaterThanOrEqual(250);
});

describe('the parser panel', () => {
  test.for(peerNames)('%s reads each forwarded request as the gateway meant it', (peer, { skip }) => {
    if (panel.get(peer) === null) skip(`${peer} is not installed`);
    expect(requestRows.flatMap((row) => panelProblems(peer, row) ?? [])).toEqual([]);
    expect(panel.get(peer)?.size).toBeGreaterThan(200);
  });
});

afterAll(() => {
  printTable(
    'requests',
    requestRows.map((row) => ({
      id: row.id,
      family: row.family,
      isVariant: row.isVariant === true,
      results: [
        ...modesOf(row).map((mode) => [mode, outcomes.get(row)?.get(mode)?.length === 0] as const),
        ...peerNames.map((peer) => [peer, heldBy(panelProblems(peer, row))] as const),
      ],
    })),
  );
});

function heldBy(problems: readonly string[] | null): boolean | null {
  return problems === null ? null : problems.length === 0;
}
