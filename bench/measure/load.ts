// Runs the load generators, and has the shapes of their jobs and results. wrk saturates when it is installed, else autocannon.
// Generators run in processes of their own on the load's core, and their CPU time is part of no figure.

import { fileURLToPath } from 'node:url';
import { type CorePlan, pin } from './cores.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import { findProgram } from './programs.ts';

/** What a generator is to send. */
export interface LoadJob {
  readonly port: number;
  /** Rendered requests, see `renderRequests`. */
  readonly requestsFile: string;
  /** File of bearer tokens, one a line, which wrk puts into generated requests in turn, instead of sending `requestsFile`; wrk only. */
  readonly tokensFile?: string;
  readonly connections: number;
  readonly seconds: number;
}

/** A job with a fixed rate. */
export interface PacedJob extends LoadJob {
  readonly requestsPerSecond: number;
}

/** What a generator saw. Latencies are null when they were not measured. */
export interface LoadResult {
  readonly completed: number;
  readonly seconds: number;
  /** Bytes received, heads included. */
  readonly bytes: number;
  /** Answers whose status is not 2xx. */
  readonly refused: number;
  /** Number of connections that failed, and of requests that got no answer in time. */
  readonly broken: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

export type GeneratorName = 'wrk' | 'autocannon';

/** The generator that saturates on this machine. */
export function chooseGenerator(): GeneratorName {
  return findProgram('wrk') === null ? 'autocannon' : 'wrk';
}

/** Sends requests as fast as answers come back. @throws Error when the generator fails */
export async function saturate(generator: GeneratorName, plan: CorePlan, job: LoadJob): Promise<LoadResult> {
  return generator === 'wrk' ? runWrk(plan, job) : runChild(plan, './autocannon-run.ts', job);
}

/** Sends requests at a fixed rate, however fast answers come back; latency counts from when a request was due. @throws Error likewise */
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

/** Reads the line that `wrk.lua` prints; wrk counts in microseconds. */
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
  // the child is one of this folder's scripts, and prints exactly one LoadResult
  return JSON.parse(text) as LoadResult;
}

/** The output of a generator. A generator that takes 20 s longer than its window is killed, so that it cannot hang the run. */
function finish(child: RunningProcess, job: LoadJob): Promise<string> {
  return child.readAll((job.seconds + 20) * 1000);
}
