// Reading CPU time and memory of a process tree from /proc.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePeakMemory, parseStat, readTree, selectTree, sumTicks } from '../../../bench/measure/proc-tree.ts';

const line = (pid: number, name: string, parent: number, times: string) =>
  `${pid} (${name}) S ${parent} 1 1 0 -1 4194560 100 200 0 0 ${times} 20 0 1 0 5555 1000 10 18446744073709551615`;

describe('parseStat', () => {
  it('reads parent, times and start out of a line', () => {
    expect(parseStat(line(42, 'nginx', 7, '10 20 3 4'))).toEqual({
      pid: 42,
      name: 'nginx',
      parent: 7,
      ownTicks: 30,
      endedChildrenTicks: 7,
      startTicks: 5555,
    });
  });
  it('is not led astray by brackets and spaces in a name', () => {
    const stat = parseStat(line(42, 'a) S 99 (b', 7, '1 2 0 0'));
    expect(stat?.name).toBe('a) S 99 (b');
    expect(stat?.parent).toBe(7);
  });
  it('refuses an empty or cut text', () => {
    expect(parseStat('')).toBeNull();
    expect(parseStat('42 (nginx) S 7 1 1')).toBeNull();
  });
});

describe('a tree', () => {
  const stats = [
    line(1, 'init', 0, '900 900 0 0'),
    line(10, 'master', 1, '1 1 5 5'),
    line(11, 'worker', 10, '10 20 0 0'),
    line(12, 'grandchild', 11, '100 0 0 0'),
    line(20, 'stranger', 1, '700 0 0 0'),
  ].flatMap((text) => parseStat(text) ?? []);

  it('holds the root and all its descendants, and no one else', () => {
    expect(selectTree(10, stats).map((stat) => stat.pid)).toEqual([10, 11, 12]);
  });
  it('is empty when the root is gone', () => {
    expect(selectTree(99, stats)).toEqual([]);
  });
  it('counts the time of members that ended with those that live', () => {
    expect(sumTicks(selectTree(10, stats))).toBe(2 + 10 + 30 + 100);
  });
});

describe('parsePeakMemory', () => {
  it('reads kibibytes as bytes', () => {
    expect(parsePeakMemory('Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t   12 kB\nVmRSS:\t 8 kB\n')).toBe(12 * 1024);
  });
  it('is 0 for a process without memory of its own', () => {
    expect(parsePeakMemory('Name:\tx\nState:\tZ (zombie)\n')).toBe(0);
  });
});

describe.runIf(existsSync('/proc/self/stat'))('readTree', () => {
  it('finds a child that was just started', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log(1)'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    expect(readTree(process.pid)?.map((stat) => stat.pid)).toContain(child.pid);
    const closed = once(child, 'close');
    child.stdin.end();
    await closed;
  });
});
