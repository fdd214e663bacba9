// The short form of `npm run reloads`: reloads under load lose no request, no byte of a download and no WebSocket.

import { expect, test } from 'vitest';
import { describeReport } from './describe-report.ts';
import { runReloads } from './run-reloads.ts';

test('50 reloads under load lose no request, no byte and no WebSocket', async () => {
  const report = await runReloads({ count: 50, connections: 2, downloads: 2, tunnels: 2 });
  console.info(describeReport(report));
  expect(report.losses).toEqual([]);
  expect(report.echoes).toBe(100);
  expect(report.requests).toBeGreaterThan(50);
  expect(report.downloadedBytes).toBeGreaterThan(100_000);
});
