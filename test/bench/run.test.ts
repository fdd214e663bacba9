// A smoke of the whole harness with the peer that npm always brings: starts, checks, measures, ends.

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startNode } from '../../bench/backend/backend.ts';
import { detectCores } from '../../bench/measure/cores.ts';
import { checkProxy } from '../../bench/measure/gate.ts';
import { readTree } from '../../bench/measure/proc-tree.ts';
import { parseOptions } from '../../bench/options.ts';
import { httpProxy } from '../../bench/peers/node-packages.ts';
import type { Peer } from '../../bench/peers/peer.ts';
import { runBench } from '../../bench/run.ts';
import { makeWorkload } from '../../bench/workload/requests.ts';

const parsed = parseOptions(['--quick', '--turns', '1', '--plain-tools', '--rate', '200'], []);
if (parsed.kind !== 'run') throw new Error('the options of this test are wrong');
const { options } = parsed;

/** What this process itself started. Not their own children: a browser of an earlier test file, still closing, has some that come and go. */
const children = () => (readTree(process.pid) ?? []).filter(({ parent }) => parent === process.pid);

describe('the bench', () => {
  it('measures http-proxy with every figure, and leaves no process behind', async () => {
    const steps: string[] = [];
    const before = new Set(children().map(({ pid }) => pid));
    const result = await runBench([httpProxy], options, (step) => steps.push(step));
    const [row] = result.rows;
    expect(row?.problem).toBeNull();
    expect(row?.median.requestsPerSecond).toBeGreaterThan(1);
    expect(row?.median.p99Ms ?? row?.median.heldRate).toBeGreaterThan(0);
    if (existsSync('/proc/self/stat')) {
      expect(row?.median.cpuPerRequestUs).toBeGreaterThan(1);
      expect(row?.median.cpuPerMiBUs).toBeGreaterThan(10);
      expect(row?.median.peakMemoryBytes).toBeGreaterThan(10 * 1_048_576);
      expect(children().filter(({ pid }) => !before.has(pid))).toEqual([]);
    }
    expect(steps.join()).toContain('at saturation');
  });

  it('prints no figure of a proxy that claims to check tokens and does not', async () => {
    const careless: Peer = { ...httpProxy, name: 'careless', checks: true };
    const result = await runBench([careless], options, () => undefined);
    expect(result.rows[0]?.problem).toContain('a request with its token wrong was answered 200');
    expect(result.rows[0]?.median.cpuPerRequestUs).toBeNull();
  });
});

describe('the gate', () => {
  it('passes the backend itself as a proxy that checks nothing', async () => {
    const backend = await startNode(detectCores());
    const workload = makeWorkload('a secret of at least thirty-two bytes', 4_102_444_800, 10);
    expect(await checkProxy(workload, { port: backend.port, form: 'bearer', checks: false })).toBeNull();
    await backend.stop();
  }, 20_000);
});
