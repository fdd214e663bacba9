// Resident memory of another process, its peak included. Linux only: it reads /proc.

import { readFileSync, writeFileSync } from 'node:fs';

const mebibyte = 1024 * 1024;

/** Watches the peak of a process's resident memory from here on. @returns MiB that it grew above what it is now */
export function watchPeakMemory(pid: number): () => number {
  // 5 sets the peak back to the present size (proc_pid_clear_refs(5))
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const before = read(pid, 'VmRSS');
  return () => (read(pid, 'VmHWM') - before) / mebibyte;
}

/** MiB that a process has in memory now. */
export function residentMiB(pid: number): number {
  return read(pid, 'VmRSS') / mebibyte;
}

function read(pid: number, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  if (found === null) throw new Error(`/proc/${pid}/status has no ${name}`);
  return Number(found[1]) * 1024;
}
