// One visit: starts a proxy, checks its answers, measures its windows, and ends it. No other proxy runs meanwhile.
// A visit does not throw when a proxy fails or answers wrongly: that becomes the problem of the proxy's row.

import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer, RunningPeer } from '../peers/peer.ts';
import type { BodySize } from '../workload/bodies.ts';
import type { TokenForm, Workload } from '../workload/requests.ts';
import type { CorePlan } from './cores.ts';
import { type Figures, judgeWindow, perMebibyte } from './figures.ts';
import { checkProxy } from './gate.ts';
import { type GeneratorName, type LoadResult, pace, saturate } from './load.ts';
import { readCpuMicroseconds, readPeakMemory } from './proc-tree.ts';

/** The settings that all visits of a run share. */
export interface Setting {
  readonly folder: string;
  readonly plan: CorePlan;
  readonly workload: Workload;
  readonly backendPort: number;
  readonly generator: GeneratorName;
  readonly connections: number;
  /** Length of the window at saturation, in seconds; the other windows are derived from it. */
  readonly seconds: number;
  /** Seconds of load before the first window: a just-in-time compiler needs some seconds until its code is final. */
  readonly warmSeconds: number;
  /** Requests per second for the latency figures; null leaves them out. */
  readonly rate: number | null;
  readonly accessLogs: boolean;
  /** File with the prepared requests of a form and size. */
  requestsFile(form: TokenForm, size: BodySize): string;
  /** File with `count` distinct bearer tokens, one a line. */
  tokensFile(count: number): string;
}

type Visit =
  | {
      readonly kind: 'measured';
      readonly figures: Figures;
      /** Requests answered in all windows together. */
      readonly answered: number;
    }
  | { readonly kind: 'failed'; readonly problem: string };

/** Which windows a visit measures; `requests` alone is enough for a second table. */
export type Scope = 'all' | 'bodies' | 'requests';

interface Window {
  readonly result: LoadResult;
  readonly cpuUs: number | null;
}

/** Figures of which none is measured. */
export const noFigures: Figures = {
  cpuPerRequestUs: null,
  requestsPerSecond: null,
  busyShare: null,
  p50Ms: null,
  p99Ms: null,
  heldRate: null,
  cpuPerMiBUs: null,
  cpuPerMiBSmallUs: null,
  peakMemoryBytes: null,
};

/** In bytes; no access line with a method, a path of this load and a status is shorter. */
const leastLogLine = 60;

/** A rate counts as held when at least this share of it was answered in the window. */
const heldShare = 0.98;

/** Measures one proxy once. @param step  called with a word or two for each step */
export async function visit(peer: Peer, setting: Setting, scope: Scope, step: (text: string) => void): Promise<Visit> {
  const folder = mkdtempSync(join(setting.folder, `${peer.name}-`));
  mkdirSync(join(folder, 'files'));
  const accessLog = join(folder, 'access.log');
  let running: RunningPeer | null = null;
  try {
    step('starts');
    running = await peer.start({
      folder: join(folder, 'files'),
      backendPort: setting.backendPort,
      plan: setting.plan,
      secret: setting.workload.secret,
      accessLog: setting.accessLogs ? accessLog : null,
    });
    step('is checked');
    const wrong = await checkProxy(setting.workload, { port: running.port, form: peer.form, checks: peer.checks });
    if (wrong !== null) return { kind: 'failed', problem: `did not pass the gate: ${wrong}` };
    const seen = await measure(peer, running, setting, scope, step);
    if (!setting.accessLogs || seen.kind === 'failed') return seen;
    // the proxy is ended first, so that it writes the access lines that it has buffered
    await running.process.stop();
    return judgeLog(running.accessLog ?? accessLog, seen);
  } catch (error) {
    return { kind: 'failed', problem: error instanceof Error ? error.message : String(error) };
  } finally {
    await running?.process.stop();
  }
}

/** Fails a visit whose access log is too short: a proxy that does not log each request does less work than the others. */
function judgeLog(file: string, seen: Visit & { kind: 'measured' }): Visit {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size >= seen.answered * leastLogLine) return seen;
  return { kind: 'failed', problem: `its access log holds ${size} bytes for ${seen.answered} requests` };
}

async function measure(
  peer: Peer,
  running: RunningPeer,
  setting: Setting,
  scope: Scope,
  step: (text: string) => void,
): Promise<Visit> {
  const root = running.process.pid;
  let problem: string | null = null;
  let answered = 0;
  const watch = async (size: BodySize, run: () => Promise<LoadResult>): Promise<Window> => {
    const before = readCpuMicroseconds(root);
    const result = await run();
    const after = readCpuMicroseconds(root);
    problem ??= judgeWindow(result, size);
    answered += result.completed;
    return { result, cpuUs: before === null || after === null ? null : after - before };
  };
  const job = (size: BodySize, seconds: number) => ({
    port: running.port,
    requestsFile: setting.requestsFile(peer.form, size),
    connections: setting.connections,
    seconds,
  });
  const full = (size: BodySize, seconds: number) =>
    watch(size, () => saturate(setting.generator, setting.plan, job(size, seconds)));
  let figures = noFigures;

  if (scope !== 'bodies') {
    step('warms up');
    await full('1k', setting.warmSeconds);
    step('at saturation');
    figures = { ...figures, ...readSaturation(await full('1k', setting.seconds)) };
  }
  if (scope !== 'bodies' && setting.rate !== null && problem === null) {
    const rate = setting.rate;
    step(`at ${rate}/s`);
    const paced = { ...job('1k', setting.seconds), requestsPerSecond: rate };
    figures = { ...figures, ...readPaced(await watch('1k', () => pace(setting.plan, paced)), rate) };
  }
  // peak memory is read before the large bodies, so that it is that of requests and not of buffers for bodies
  if (scope !== 'bodies') figures = { ...figures, peakMemoryBytes: readPeakMemory(root) };
  if (scope !== 'requests' && problem === null) {
    step('with bodies of 1 MiB');
    if (scope === 'bodies') await full('1m', 1);
    const large = await full('1m', setting.seconds);
    step('with bodies of 64 KiB');
    const small = await full('64k', Math.max(1, setting.seconds / 2));
    figures = {
      ...figures,
      cpuPerMiBUs: perMebibyte(large.cpuUs, large.result.completed, '1m'),
      cpuPerMiBSmallUs: perMebibyte(small.cpuUs, small.result.completed, '64k'),
    };
  }
  return problem === null ? { kind: 'measured', figures, answered } : { kind: 'failed', problem };
}

/** The figures of a window at saturation with bodies of 1 KiB. */
export function readSaturation({ result, cpuUs }: Window): Partial<Figures> {
  return {
    cpuPerRequestUs: cpuUs === null ? null : cpuUs / result.completed,
    requestsPerSecond: result.completed / result.seconds,
    busyShare: cpuUs === null ? null : cpuUs / 1e6 / result.seconds,
  };
}

function readPaced({ result }: Window, rate: number): Partial<Figures> {
  const heldRate = result.completed / result.seconds;
  // when a proxy falls behind, its queue grows with the window, so its latency would only tell the window's length
  if (heldRate < rate * heldShare) return { heldRate };
  return { heldRate, p50Ms: result.p50Ms, p99Ms: result.p99Ms };
}
