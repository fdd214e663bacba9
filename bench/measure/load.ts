// What a load generator is asked and what it answers, and which of them runs: wrk when installed, else autocannon.
// Generators run in their own process on the load's core; none of them is part of any figure but by what it sends.

import { fileURLToPath } from 'node:url';
import { type CorePlan, pin } from './cores.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import { findProgram } from './programs.ts';

export interface LoadJob {
  readonly port: number;
  /** Rendered requests, see `renderRequests`. */
  readonly requestsFile: string;
  /** Lines of bearer tokens, used one after the other in generated requests instead of `requestsFile`; wrk only. */
  readonly tokensFile?: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface PacedJob extends LoadJob {
  readonly requestsPerSecond: number;
}

export interface LoadResult {
  readonly completed: number;
  readonly seconds: number;
  /** Bytes received, heads included. */
  readonly bytes: number;
  /** Answers whose status is not 2xx. */
  readonly refused: number;
  /** Connections that failed, requests that got no answer in time. */
  readonly broken: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

export type GeneratorName = 'wrk' | 'autocannon';

/** Which generator this machine saturates with. */
export function chooseGenerator(): GeneratorName {
  return findProgram('wrk') === null ? 'autocannon' : 'wrk';
}

/** Sends as fast as answers come back. */
export async function saturate(generator: GeneratorName, plan: CorePlan, job: LoadJob): Promise<LoadResult> {
  return generator === 'wrk' ? runWrk(plan, job) : runChild(plan, './autocannon-run.ts', job);
}

/** Sends at a fixed rate, however fast answers come back; latency counts from when a request was due. */
export async function pace(plan: CorePlan, job: PacedJob): Promise<LoadResult> {
  return runChild(plan, './paced-run.ts', job);
}

async function runWrk(plan: CorePlan, job: LoadJob): Promise<LoadResult> {
  const script = fileURLToPath(new URL('./wrk.lua', import.meta.url));
  const load = ['-t', '1', '-c', String(job.connections), '-d', `${Math.max(1, Math.round(job.seconds))}s`];
  const target = [
    '--timeout',
    '10s',
    '--latency',
    '-s',
    script,
    `http://127.0.0.1:${job.port}`,
    '--',
    ...(job.tokensFile === undefined ? [job.requestsFile] : [job.tokensFile, 'tokens']),
  ];
  const text = await finish(startProcess(pin(plan, 'load', ['wrk', ...load, ...target])), job);
  const line = text.split('\n').find((candidate) => candidate.startsWith('BENCH '));
  if (line === undefined) throw new Error(`wrk printed no result: ${text.slice(-500)}`);
  return readWrkResult(line.slice(6));
}

/** Turns the line of `wrk.lua` into a result; wrk counts in microseconds. */
function readWrkResult(json: string): LoadResult {
  const value: unknown = JSON.parse(json);
  const read = (name: string): number => {
    const found = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    if (typeof found !== 'number') throw new Error(`wrk's result has no number "${name}": ${json}`);
    return found;
  };
  return {
    completed: read('completed'),
    seconds: read('microseconds') / 1e6,
    bytes: read('bytes'),
    refused: read('refused'),
    broken: read('broken'),
    p50Ms: read('p50') / 1000,
    p90Ms: read('p90') / 1000,
    p99Ms: read('p99') / 1000,
  };
}

async function runChild(plan: CorePlan, file: string, job: LoadJob): Promise<LoadResult> {
  const script = fileURLToPath(new URL(file, import.meta.url));
  const command = pin(plan, 'load', [process.execPath, script, JSON.stringify(job)]);
  const text = await finish(startProcess(command), job);
  // The child is ours and prints exactly one LoadResult.
  return JSON.parse(text) as LoadResult;
}

/** A generator that hangs must not hang the run: it gets its window, its start and its slowest answer. */
function finish(child: RunningProcess, job: LoadJob): Promise<string> {
  return child.readAll((job.seconds + 20) * 1000);
}
