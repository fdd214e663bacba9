// Rows and a result with made-up figures, for the tests of the reports.

import type { Row } from '../../../bench/measure/figures.ts';
import type { BenchResult } from '../../../bench/report/result.ts';

/** A valid row with one CPU figure. */
export function makeRow(name: string, cpuPerRequestUs: number): Row {
  const median = {
    cpuPerRequestUs,
    requestsPerSecond: 1000,
    busyShare: 1,
    p50Ms: 0.5,
    p99Ms: 2,
    heldRate: 100,
    cpuPerMiBUs: 400,
    cpuPerMiBSmallUs: 500,
    peakMemoryBytes: 10 * 1_048_576,
  };
  return { name, title: name, version: '1.0', checks: false, problem: null, median, spread: null, rounds: [median] };
}

/** A result around rows. */
export function makeResult(rows: readonly Row[]): BenchResult {
  return {
    date: '2026-01-31',
    machine: { processor: 'A & B <9>', cores: 2, memoryBytes: 1, kernel: 'Linux 6', node: '26.0.0', commit: null },
    setting: {
      rounds: 3,
      turns: 0,
      seconds: 4,
      connections: 32,
      rate: 100,
      generator: 'wrk',
      backend: 'nginx',
      cores: { kind: 'pinned', proxy: 1, backend: 0, load: 0 },
      requests: 20_000,
      tokens: 1000,
    },
    rows,
    rowsWithLogs: [],
    comparisons: [],
    missing: [],
  };
}
