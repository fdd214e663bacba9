// `npm run load`: puts the demo's media site behind latchkey under load, and judges every answer. Exit code 1 when an answer is wrong.
// It looks for wrong answers and not for speed, which `npm run bench` measures. Where wrk is installed, it adds finer latencies.

import { randomBytes } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMediaUpstream } from '../gateway/cli/demo/media-upstream.ts';
import { findDemoFiles } from '../gateway/cli/demo/package-files.ts';
import { runScenario, type ScenarioResult } from './load/run-scenario.ts';
import { makeScenarios, type SiteFile } from './load/scenarios.ts';
import { epochSeconds } from './measure/clock.ts';
import { chooseGenerator, saturate } from './measure/load.ts';
import { interrupt, stopAll } from './measure/processes.ts';
import { latchkey } from './peers/latchkey.ts';
import { makeProgress } from './report/progress.ts';
import { renderTable } from './report/table.ts';
import { renderRequest, separator } from './workload/requests.ts';

const free = { kind: 'free', why: 'nothing is measured' } as const;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '16' },
  },
});
const seconds = Number.parseInt(values.seconds, 10);
const connections = Number.parseInt(values.connections, 10);
if (!(seconds >= 1 && seconds <= 600 && connections >= 1 && connections <= 1000)) {
  process.stderr.write('usage: npm run load -- [--seconds 1..600] [--connections 1..1000]\n');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'latchkey-load-'));
const progress = makeProgress(process.stderr);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.exitCode = 130;
    interrupt();
  });
}

const demo = findDemoFiles();
const upstream = await startMediaUpstream(demo, () => undefined);
try {
  const secret = randomBytes(24).toString('hex');
  progress.show('latchkey starts');
  const { port } = await latchkey.start({ folder, backendPort: upstream.port, plan: free, secret, accessLog: null });
  const now = epochSeconds();
  const scenarios = makeScenarios(readClip(demo.clip), {
    secret,
    expires: now + 3600,
    expired: now - 3600,
    users: 100,
  });

  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    progress.show(`${scenario.title}: ${seconds} s with ${connections} connections`);
    results.push(await runScenario(scenario, port, connections, seconds));
  }
  progress.clear();
  process.stdout.write(`${renderResults(results)}\n`);
  for (const result of results) {
    for (const problem of result.problems) process.stdout.write(`wrong: ${result.title}: ${problem}\n`);
  }

  const authorised = scenarios[0];
  if (chooseGenerator() === 'wrk' && authorised !== undefined) {
    const requestsFile = join(folder, 'requests');
    writeFileSync(requestsFile, authorised.requests.map(renderRequest).join(separator));
    const fine = await saturate('wrk', free, { port, requestsFile, connections, seconds });
    const rate = (fine.completed / fine.seconds).toFixed(0);
    process.stdout.write(
      `wrk, authorised: ${rate} req/s, p50 ${fine.p50Ms} ms, p90 ${fine.p90Ms} ms, p99 ${fine.p99Ms} ms, ` +
        `${fine.refused} refused, ${fine.broken} failed\n`,
    );
    if (fine.refused + fine.broken > 0) process.exitCode = 1;
  }
  if (results.some((result) => result.problems.length > 0)) process.exitCode = 1;
} catch (error) {
  progress.clear();
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode ??= 1;
} finally {
  progress.clear();
  await stopAll();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
}

/** The clip's files as the demo's site serves them. */
function readClip(clip: string): SiteFile[] {
  return globSync('**/*.*', { cwd: clip }).map((path) => ({ path, bytes: readFileSync(join(clip, path)) }));
}

function renderResults(results: readonly ScenarioResult[]): string {
  return renderTable(
    ['scenario', 'answered', 'by status', 'req/s', 'p50 ms', 'p99 ms', 'wrong'],
    results.map((result) => [
      result.title,
      String(result.answered),
      Object.entries(result.statuses)
        .map(([status, count]) => `${status}: ${count}`)
        .join(', '),
      result.requestsPerSecond.toFixed(0),
      String(result.p50Ms),
      String(result.p99Ms),
      result.problems.length === 0 ? 'none' : String(result.problems.length),
    ]),
  );
}
