// What the processes of a running gateway hold, seen from outside: sockets by /proc, memory by its own metrics. Linux only.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Ids of the edges below a supervisor. */
export function edgesOf(supervisor: number): number[] {
  const children = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'latin1').trim();
  return children
    .split(' ')
    .map(Number)
    .filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('latchkey edge'));
}

/** Open sockets of these processes, listening ones and those to each other included. */
export function countSockets(pids: readonly number[]): number {
  let count = 0;
  for (const pid of pids) {
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      try {
        if (readlinkSync(`/proc/${pid}/fd/${name}`).startsWith('socket:')) count++;
      } catch {
        // closed between the listing and the look
      }
    }
  }
  return count;
}

/** The sum of a metric's values in the text of `/metrics`; throws when it is not there. */
export function sumMetric(text: string, name: string, labels = ''): number {
  const found = text.split('\n').filter((line) => line.startsWith(name) && /^[ {]/.test(line.slice(name.length)));
  const chosen = found.filter((line) => line.includes(labels));
  if (chosen.length === 0) throw new Error(`/metrics has no ${name}${labels}`);
  return chosen.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
