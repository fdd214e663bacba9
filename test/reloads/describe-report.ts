// The result of a run of reloads, in lines for people.

import type { ReloadReport } from './run-reloads.ts';

const shownLosses = 20;

/** One line of figures, one of memory, and what was lost. */
export function describeReport(report: ReloadReport): string {
  const lines = [
    `${report.reloads} reloads in ${report.seconds.toFixed(1)} s: ${report.requests} requests, ` +
      `${(report.downloadedBytes / 1024 ** 2).toFixed(1)} MiB of long downloads compared, ${report.echoes} echoes through WebSockets, ` +
      `${report.losses.length} lost`,
  ];
  if (report.memory.length > 0) {
    const roles = report.memory.map(
      ({ role, beforeMiB, afterMiB }) => `${role} ${beforeMiB.toFixed(1)} to ${afterMiB.toFixed(1)}`,
    );
    lines.push(`resident memory in MiB, after a tenth of them and at the end: ${roles.join(', ')}`);
  }
  lines.push(...report.losses.slice(0, shownLosses));
  return lines.join('\n');
}
