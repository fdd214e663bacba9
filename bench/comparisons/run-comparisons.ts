// Compares the gateway with itself: the cost of many routes, many tokens and a second edge, the memory of an idle connection, and the
// effect of slow clients on others. Both sides of a pair are loaded in turns, like all proxies; quotients are taken turn by turn.

import { median } from '../measure/statistics.ts';
import { takeTurns } from '../measure/turns.ts';
import type { Setting } from '../measure/visit.ts';
import { latchkeyVariant } from '../peers/latchkey.ts';
import type { Peer, RunningPeer } from '../peers/peer.ts';
import type { Comparison } from '../report/result.ts';
import { divide } from '../report/table.ts';
import { readEdges } from './edges.ts';
import { measureIdle } from './idle-connections.ts';
import { measureSlowClients } from './slow-clients.ts';

/** Two variants of the gateway that differ in one thing. `limit`: the most that `more` may cost, divided by `less`. */
interface Pair {
  readonly name: string;
  readonly title: string;
  readonly limit: number | null;
  readonly more: Peer;
  readonly less: Peer;
}

const routes = (count: number): Peer =>
  latchkeyVariant(`routes-${count}`, `${count} routes`, (file) => ({
    ...file,
    routes: [
      ...file.routes,
      // half of the routes have hosts of their own, the others stand beside the route that is requested
      ...Array.from({ length: count - 1 }, (_, at) => ({
        name: `route-${at}`,
        ...(at % 2 === 0 ? { host: `site-${at}.example.org` } : {}),
        path: `/site/${at}/`,
        upstream: 'media',
        accept: ['token'],
      })),
    ],
  }));

const tokens = (count: number, assertion: boolean): Peer => ({
  ...latchkeyVariant(`tokens-${count}`, `${count} tokens`, (file) => ({
    ...file,
    routes: file.routes.map((route) => ({ ...route, assertion })),
  })),
  tokens: count,
});

const edges = (count: number): Peer =>
  latchkeyVariant(`edges-${count}`, `${count} edges`, (file) => ({ ...file, edges: count }));

const many = 1_000_000;
const few = 1000;

const pairs: readonly Pair[] = [
  { name: 'routes', title: 'CPU, 10,000 routes against 10', limit: 1.05, more: routes(10_000), less: routes(10) },
  {
    name: 'tokens',
    title: 'CPU, 1,000,000 tokens in rotation against 1,000',
    limit: 1.4,
    more: tokens(many, false),
    less: tokens(few, false),
  },
  {
    name: 'tokens-assertion',
    // the edge has to sign an assertion for each token, and keeps it with the token
    title: 'the same with a signed assertion',
    limit: null,
    more: tokens(many, true),
    less: tokens(few, true),
  },
  { name: 'edges', title: 'CPU, two edges against one', limit: 1.1, more: edges(2), less: edges(1) },
];

/** Runs all comparisons, one after the other. @param show  called with one line for each step */
export async function runComparisons(
  setting: Setting,
  turns: number,
  show: (text: string) => void,
): Promise<Comparison[]> {
  const results: Comparison[] = [];
  for (const pair of pairs) {
    let imbalance: number | null = null;
    const result = await comparePair(pair, setting, turns, show, (peer, running) => {
      if (pair.name === 'edges' && peer === pair.more) imbalance = readEdges(running.process.pid);
    });
    results.push(result);
    if (pair.name !== 'edges') continue;
    results.push({
      name: 'edges-imbalance',
      title: 'imbalance between the two edges',
      value: imbalance,
      unit: 'share',
      limit: 0.2,
      note: 'difference of their CPU time by their mean, over all turns',
    });
  }
  show('idle connections');
  results.push(await measureIdle(setting));
  results.push(await measureSlowClients(setting, show));
  return results;
}

async function comparePair(
  pair: Pair,
  setting: Setting,
  turns: number,
  show: (text: string) => void,
  after: (peer: Peer, running: RunningPeer) => void,
): Promise<Comparison> {
  const common = { name: pair.name, title: pair.title, unit: 'ratio', limit: pair.limit } as const;
  if (pair.more.tokens !== undefined && setting.generator !== 'wrk') {
    return { ...common, value: null, note: 'needs wrk, which is not installed' };
  }
  const taken = await takeTurns(
    [pair.more, pair.less],
    setting,
    turns,
    (step) => show(`${pair.title}: ${step}`),
    () => ['1k'],
    after,
  );
  const more = taken.get(pair.more);
  const less = taken.get(pair.less);
  const problem = more?.problem ?? less?.problem ?? null;
  if (more === undefined || less === undefined || problem !== null) {
    return { ...common, value: null, note: `not counted: ${problem ?? 'not measured'}` };
  }
  const quotients = more.figures
    .map((seen, at) => divide(seen.cpuPerRequestUs, less.figures[at]?.cpuPerRequestUs ?? null))
    .filter((quotient) => quotient !== null);
  const per = (figures: typeof more.figures) =>
    median(figures.map((seen) => seen.cpuPerRequestUs).filter((value) => value !== null))?.toFixed(1) ?? '-';
  return {
    ...common,
    value: median(quotients),
    note: `CPU µs/req ${per(more.figures)} against ${per(less.figures)}, ${turns} turns`,
  };
}
