// Tells how evenly the edges of one gateway share the work, by the CPU time of their processes.

import { readTree } from '../measure/proc-tree.ts';

/**
 * @param root  process id of the supervisor
 * @returns difference of CPU time between the busiest and the idlest edge, divided by their mean; null without /proc or with one edge
 */
export function readEdges(root: number): number | null {
  const times = (readTree(root) ?? [])
    .filter(({ name }) => name.startsWith('latchkey edge'))
    .map((stat) => stat.ownTicks);
  if (times.length < 2) return null;
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  return mean === 0 ? null : (Math.max(...times) - Math.min(...times)) / mean;
}
