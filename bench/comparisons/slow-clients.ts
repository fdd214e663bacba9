// Measures how thousands of slow clients affect others: p99 of good traffic at a fixed rate, without slow clients and with them.
// A third of them drips its head, a third drips a body, a third asks for 1 MiB and hardly reads. They run in a process of their own, so
// that they do not slow down the generator that measures.

import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pin } from '../measure/cores.ts';
import { pace } from '../measure/load.ts';
import { settle, startProcess } from '../measure/processes.ts';
import { median } from '../measure/statistics.ts';
import type { Setting } from '../measure/visit.ts';
import { latchkeyVariant } from '../peers/latchkey.ts';
import type { Comparison } from '../report/result.ts';
import { divide } from '../report/table.ts';

const clients = 5000;
const windows = 5;

const patient = latchkeyVariant('slow', 'latchkey', (file) => ({
  ...file,
  limits: { head_timeout: '10m' },
  upstreams: { media: { ...file.upstreams.media, max_connections: 10_000 } },
}));

/** Divides p99 with slow clients by p99 without. The rate is a quarter of the usual one, since slow clients need the other core too. */
export async function measureSlowClients(setting: Setting, show: (text: string) => void): Promise<Comparison> {
  const common = { name: 'slow', title: '5,000 slow clients: p99 of the others', unit: 'ratio', limit: 2 } as const;
  const folder = mkdtempSync(join(setting.folder, 'slow-'));
  mkdirSync(join(folder, 'files'));
  const running = await patient.start({
    folder: join(folder, 'files'),
    backendPort: setting.backendPort,
    plan: setting.plan,
    secret: setting.workload.secret,
    accessLog: null,
  });
  try {
    const rate = Math.max(100, Math.round((setting.rate ?? 4000) / 4));
    const job = {
      port: running.port,
      requestsFile: setting.requestsFile('bearer', '1k'),
      connections: setting.connections,
      seconds: setting.seconds,
      requestsPerSecond: rate,
    };
    const p99 = async (title: string) => {
      const seen: number[] = [];
      for (let window = 1; window <= windows; window++) {
        show(`slow clients: ${title}, window ${window}/${windows}`);
        const result = await pace(setting.plan, job);
        if (result.refused + result.broken > 0) throw new Error('good traffic was refused');
        if (result.p99Ms !== null) seen.push(result.p99Ms);
      }
      return median(seen);
    };
    await pace(setting.plan, job);
    const quiet = await p99('quiet');
    const script = fileURLToPath(new URL('./slow-clients-run.ts', import.meta.url));
    const child = startProcess(
      pin(setting.plan, 'load', [
        process.execPath,
        script,
        JSON.stringify({ port: running.port, clients, requestsFile: setting.requestsFile('bearer', '1m') }),
      ]),
    );
    show('slow clients: connect');
    const open = await settle(child, child.readLine(60_000));
    const crowded = await p99('crowded');
    await child.stop();
    const note = `p99 ${crowded?.toFixed(2)} ms against ${quiet?.toFixed(2)} ms at ${rate}/s, ${open} slow clients`;
    return { ...common, value: divide(crowded, quiet), note };
  } catch (error) {
    return { ...common, value: null, note: `not measured: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    await running.process.stop();
  }
}
