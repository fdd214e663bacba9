// Decides which core each side of a measurement runs on, and pins commands to it.
// Without taskset, or with one core, nothing is pinned and the report says so.

import { readFileSync } from 'node:fs';
import { findProgram } from './programs.ts';

/** Core number for each side of a measurement, or why nothing is pinned. */
export type CorePlan =
  | { readonly kind: 'pinned'; readonly proxy: number; readonly backend: number; readonly load: number }
  | { readonly kind: 'free'; readonly why: string };

/** Which side of the measurement a process belongs to. */
type Side = 'proxy' | 'backend' | 'load';

/** Reads a kernel core list such as `0-2,5`. */
export function parseCoreList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = NaN, last = first] = part.split('-').map(Number);
      if (Number.isNaN(first) || Number.isNaN(last)) return [];
      return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
    });
}

/** Plans the cores: the proxy alone on the last one; backend and load share the first, or have one each where there are three. */
export function planCores(cores: readonly number[], hasTaskset: boolean): CorePlan {
  const [first, second] = cores;
  const last = cores.at(-1);
  if (!hasTaskset) return { kind: 'free', why: 'taskset is not installed' };
  if (first === undefined || second === undefined || last === undefined) return { kind: 'free', why: 'only one core' };
  return { kind: 'pinned', proxy: last, backend: first, load: cores.length > 2 ? second : first };
}

/** The plan for this machine. */
export function detectCores(): CorePlan {
  let allowed: number[] = [];
  try {
    const line = readFileSync('/proc/self/status', 'latin1')
      .split('\n')
      .find((candidate) => candidate.startsWith('Cpus_allowed_list:'));
    allowed = parseCoreList((line ?? '').slice(18));
  } catch {
    // without /proc the plan below pins nothing
  }
  return planCores(allowed, findProgram('taskset') !== null);
}

/** @returns the command line that runs a command on the core of its side */
export function pin(plan: CorePlan, side: Side, command: readonly string[]): string[] {
  return plan.kind === 'free' ? [...command] : ['taskset', '-c', String(plan[side]), ...command];
}
