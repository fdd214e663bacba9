// Shapes of a run's result as it is written to disk: machine, versions, settings, rows. Also describes the machine.

import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import type { CorePlan } from '../measure/cores.ts';
import type { Row } from '../measure/figures.ts';

interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** Commit that was measured; null outside a checkout. */
  readonly commit: string | null;
}

/** A proxy that is not installed, and how to install it. */
export interface MissingPeer {
  readonly name: string;
  readonly title: string;
  readonly hint: string;
}

/** The result of a run. */
export interface BenchResult {
  /** `2026-01-31`, in UTC. */
  readonly date: string;
  readonly machine: Machine;
  readonly setting: {
    readonly rounds: number;
    /** Number of windows for each proxy with all proxies running side by side; 0 for none. */
    readonly turns: number;
    readonly seconds: number;
    readonly connections: number;
    readonly rate: number | null;
    readonly generator: string;
    readonly backend: string;
    readonly cores: CorePlan;
    readonly requests: number;
    readonly tokens: number;
  };
  readonly rows: readonly Row[];
  /** The second table, with access logs; empty when it was not asked for. */
  readonly rowsWithLogs: readonly Row[];
  /** Comparisons of the gateway with itself; empty when they were not asked for. */
  readonly comparisons: readonly Comparison[];
  readonly missing: readonly MissingPeer[];
}

/** One comparison of the gateway with itself. */
export interface Comparison {
  readonly name: string;
  readonly title: string;
  /** null: not measured, for the reason in `note`. */
  readonly value: number | null;
  /** `ratio`, or what `value` is counted in. */
  readonly unit: 'ratio' | 'share' | 'bytes';
  /** The most that `value` may be; null without a limit. */
  readonly limit: number | null;
  readonly note: string;
}

/** The properties of this machine that figures depend on. */
export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.versions.node,
    commit: readCommit(),
  };
}

function readCommit(): string | null {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
