// A whole run: starts the backend, finds the fixed rate, measures all proxies in rounds, and makes the rows. Writes only below its
// temporary folder. Rounds alternate (A B C A B C …), so that drift of a shared machine hits all proxies alike.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backend, startBackend, startNode } from './backend/backend.ts';
import { runComparisons } from './comparisons/run-comparisons.ts';
import { epochSeconds, isoDate } from './measure/clock.ts';
import { detectCores } from './measure/cores.ts';
import { type Figures, mergeRounds, type Row, spreadOf } from './measure/figures.ts';
import { chooseGenerator } from './measure/load.ts';
import { stopAll } from './measure/processes.ts';
import { type Turns, takeTurns } from './measure/turns.ts';
import { type Scope, type Setting, visit } from './measure/visit.ts';
import type { BenchOptions } from './options.ts';
import type { Peer } from './peers/peer.ts';
import { type BenchResult, describeMachine, type MissingPeer } from './report/result.ts';
import type { BodySize } from './workload/bodies.ts';
import { makeWorkload, renderRequests } from './workload/requests.ts';
import { writeTokens } from './workload/token-file.ts';

/** Number of distinct tokens, and of prepared requests for each form and size; larger bodies need fewer requests. */
const tokenCount = 1000;
const requestCounts = { '1k': 20_000, '64k': 4000, '1m': 2000 } as const;
const connections = 32;
/** Longer than any run, shorter than what the gateway accepts by default (24 h). */
const tokenLifeSeconds = 12 * 3600;

interface Candidate {
  readonly peer: Peer;
  readonly version: string;
}

interface Collected {
  readonly figures: Figures[];
  problem: string | null;
}

/** Runs the bench. Ends every process that it started, also on an error. @param show  called with one line for each step */
export async function runBench(
  peers: readonly Peer[],
  options: BenchOptions,
  show: (text: string) => void,
): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const plan = detectCores();
  const generator = options.plainTools ? 'autocannon' : chooseGenerator();
  let backend: Backend | null = null;
  try {
    backend = options.plainTools ? await startNode(plan) : await startBackend(folder, plan);
    const expires = epochSeconds() + tokenLifeSeconds;
    const workload = makeWorkload(randomBytes(24).toString('hex'), expires, tokenCount);
    const base: Setting = {
      folder,
      plan,
      workload,
      backendPort: backend.port,
      generator,
      connections,
      seconds: options.seconds,
      warmSeconds: Math.min(6, options.warmWindows * options.seconds),
      rate: options.rate,
      accessLogs: false,
      requestsFile: (form, size) => {
        const file = join(folder, `${form}-${size}.requests`);
        if (!existsSync(file)) writeFileSync(file, renderRequests(workload, form, size, requestCounts[size]));
        return file;
      },
      tokensFile: (count) => {
        const file = join(folder, `${count}.tokens`);
        if (!existsSync(file)) writeTokens(file, workload, count);
        return file;
      },
    };
    const { here, missing } = sift(peers, options.only);
    const rate = options.rate ?? (await findRate(peers, base, show));
    const setting = { ...base, rate };
    const rows = await measureRounds(here, setting, options.rounds, options.turns, (peer) => peer.measures, show);
    const withLogs = here.filter(({ peer }) => peer.logs && peer.measures === 'all');
    const logSetting = { ...setting, rate: null, accessLogs: true };
    const rowsWithLogs = options.logs
      ? await measureRounds(withLogs, logSetting, 1, options.turns, () => 'requests', show)
      : [];
    const comparisons = options.comparisons ? await runComparisons(setting, Math.max(1, options.turns), show) : [];
    return {
      date: isoDate(),
      machine: describeMachine(),
      setting: {
        rounds: options.rounds,
        turns: options.turns,
        seconds: options.seconds,
        connections,
        rate,
        generator,
        backend: backend.title,
        cores: plan,
        requests: requestCounts['1k'],
        tokens: tokenCount,
      },
      rows,
      rowsWithLogs,
      comparisons,
      missing,
    };
  } finally {
    await backend?.stop();
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

function sift(peers: readonly Peer[], only: readonly string[] | null) {
  const here: Candidate[] = [];
  const missing: MissingPeer[] = [];
  for (const peer of peers) {
    if (only !== null && !only.includes(peer.name)) continue;
    const found = peer.find();
    if (found.kind === 'installed') here.push({ peer, version: found.version });
    else missing.push({ name: peer.name, title: peer.title, hint: found.hint });
  }
  return { here, missing };
}

/** The rate for latency: half of what nginx reaches, or without nginx half of what http-proxy reaches; null when neither was measured. */
async function findRate(
  peers: readonly Peer[],
  setting: Setting,
  show: (text: string) => void,
): Promise<number | null> {
  for (const name of ['nginx', 'http-proxy']) {
    const peer = peers.find((candidate) => candidate.name === name);
    if (peer === undefined || peer.find().kind === 'missing') continue;
    const short = { ...setting, seconds: Math.min(2, setting.seconds) };
    const seen = await visit(peer, short, 'requests', (step) => show(`fixed rate: ${peer.title} ${step}`));
    if (seen.kind === 'measured' && seen.figures.requestsPerSecond !== null) {
      // rounded down to whole hundreds, since the rate is a setting and no result
      return Math.max(100, Math.floor(seen.figures.requestsPerSecond / 200) * 100);
    }
  }
  return null;
}

function sizesIn(scope: Scope): readonly BodySize[] {
  if (scope === 'bodies') return ['1m'];
  return scope === 'requests' ? ['1k'] : ['1k', '1m'];
}

async function measureRounds(
  candidates: readonly Candidate[],
  setting: Setting,
  rounds: number,
  turns: number,
  scopeOf: (peer: Peer) => Scope,
  show: (text: string) => void,
): Promise<Row[]> {
  const collected = new Map<Peer, Collected>(candidates.map(({ peer }) => [peer, { figures: [], problem: null }]));
  const total = rounds * candidates.length;
  let count = 0;
  for (let round = 1; round <= rounds; round += 1) {
    for (const { peer } of candidates) {
      count += 1;
      const entry = collected.get(peer);
      // one wrong answer makes the row invalid, so later rounds would only cost time
      if (entry === undefined || entry.problem !== null) continue;
      const head = `${count}/${total} round ${round}${setting.accessLogs ? ', logs on' : ''}: ${peer.title}`;
      const seen = await visit(peer, setting, scopeOf(peer), (step) => show(`${head} ${step}`));
      if (seen.kind === 'measured') entry.figures.push(seen.figures);
      else entry.problem = seen.problem;
    }
  }
  const inTurn = candidates.map(({ peer }) => peer).filter((peer) => collected.get(peer)?.problem === null);
  const head = setting.accessLogs ? 'logs on, side by side' : 'side by side';
  const turned =
    turns === 0
      ? new Map<Peer, Turns>()
      : await takeTurns(
          inTurn,
          setting,
          turns,
          (step) => show(`${head}: ${step}`),
          (peer) => sizesIn(scopeOf(peer)),
        );
  for (const [peer, { figures, problem }] of turned) {
    const entry = collected.get(peer);
    if (entry === undefined) continue;
    entry.problem ??= problem;
    // the turns measure these figures better, so those of the visits are dropped
    const visits = entry.figures.map((seen) => ({
      ...seen,
      cpuPerRequestUs: null,
      requestsPerSecond: null,
      busyShare: null,
      cpuPerMiBUs: null,
    }));
    entry.figures.splice(0, entry.figures.length, ...visits, ...figures);
  }
  return candidates.map(({ peer, version }) => {
    const entry = collected.get(peer) ?? { figures: [], problem: 'not measured' };
    // a row with a problem keeps no figures, so that none can be printed by mistake
    const figures = entry.problem === null ? entry.figures : [];
    return {
      name: peer.name,
      title: peer.title,
      version,
      checks: peer.checks,
      problem: entry.problem,
      median: mergeRounds(figures),
      spread: spreadOf(figures),
      rounds: figures,
    };
  });
}
