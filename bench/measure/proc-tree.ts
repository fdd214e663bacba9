// CPU time and peak memory of a whole process tree, read from Linux's /proc.
// Reads only; never signals a process. Source: proc_pid_stat(5), proc_pid_status(5).

import { readdirSync, readFileSync } from 'node:fs';

/** The fields of `/proc/<pid>/stat` that the bench uses; times are in clock ticks. */
export interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  readonly parent: number;
  /** User and system time of the process itself. */
  readonly ownTicks: number;
  /** User and system time of all descendants that ended and were waited for. */
  readonly endedChildrenTicks: number;
  /** Start time; it tells a process from a later one with the same id. */
  readonly startTicks: number;
}

/** /proc counts in units of 1/100 s on every Linux port that Node.js runs on. */
const microsecondsPerTick = 10_000;

/** Parses the line of `/proc/<pid>/stat`. @returns null for any other text */
export function parseStat(text: string): ProcessStat | null {
  // The name stands in brackets and may itself hold brackets and spaces: the last one closes it.
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 1 || close < open) return null;
  const pid = Number(text.slice(0, open));
  const rest = text
    .slice(close + 2)
    .split(' ')
    .map(Number);
  const [parent, user, system, endedUser, endedSystem, start] = [1, 11, 12, 13, 14, 19].map((at) => rest[at] ?? NaN);
  const numbers = [pid, parent, user, system, endedUser, endedSystem, start];
  if (numbers.some((value) => value === undefined || Number.isNaN(value))) return null;
  return {
    pid,
    name: text.slice(open + 1, close),
    parent: parent ?? 0,
    ownTicks: (user ?? 0) + (system ?? 0),
    endedChildrenTicks: (endedUser ?? 0) + (endedSystem ?? 0),
    startTicks: start ?? 0,
  };
}

/** `VmHWM` of a `/proc/<pid>/status` text in bytes; 0 when there is none (a process that just ended). */
export function parsePeakMemory(text: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith('VmHWM:'));
  return line === undefined ? 0 : Number.parseInt(line.slice(6), 10) * 1024;
}

/** A process and all its descendants, the root first; empty when the root is not there. */
export function selectTree(root: number, all: readonly ProcessStat[]): ProcessStat[] {
  const byParent = Map.groupBy(all, (stat) => stat.parent);
  const tree = all.filter((stat) => stat.pid === root);
  for (let at = 0; at < tree.length; at += 1) {
    const parent = tree[at];
    if (parent !== undefined) tree.push(...(byParent.get(parent.pid) ?? []));
  }
  return tree;
}

/** CPU ticks of a tree. Processes that ended are included, since the time of a child that was waited for moves to its parent. */
export function sumTicks(tree: readonly ProcessStat[]): number {
  return tree.reduce((sum, stat) => sum + stat.ownTicks + stat.endedChildrenTicks, 0);
}

/** Reads the tree below a process; null where there is no /proc. */
export function readTree(root: number): ProcessStat[] | null {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return null;
  }
  const all = names
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name) => parseStat(readProc(`/proc/${name}/stat`)))
    .filter((stat) => stat !== null);
  return selectTree(root, all);
}

/** CPU microseconds that a tree has used so far; null where there is no /proc. */
export function readCpuMicroseconds(root: number): number | null {
  const tree = readTree(root);
  return tree === null ? null : sumTicks(tree) * microsecondsPerTick;
}

/** Sum of the peak memory of a tree's living members in bytes; shared pages count once per process. */
export function readPeakMemory(root: number): number | null {
  const tree = readTree(root);
  if (tree === null) return null;
  return tree.reduce((sum, stat) => sum + parsePeakMemory(readProc(`/proc/${stat.pid}/status`)), 0);
}

// a process may end between the listing and the read; its time then counts in its parent
function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
