// Measures how much memory an idle keep-alive connection takes: many connections are opened, with one request on each.
// It compares the edge's resident memory before and after, each time after the garbage collector had time to run.

import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { pause } from '../measure/clock.ts';
import { saturate } from '../measure/load.ts';
import { readTree } from '../measure/proc-tree.ts';
import type { Setting } from '../measure/visit.ts';
import { latchkey } from '../peers/latchkey.ts';
import type { Comparison } from '../report/result.ts';
import { makeRequest, renderRequest } from '../workload/requests.ts';

const count = 8000;
/** Number of connections that are opened at once; more could overflow a queue of the kernel. */
const batch = 200;

/** Memory of the edge per idle connection, in bytes. */
export async function measureIdle(setting: Setting): Promise<Comparison> {
  const common = { name: 'idle', title: 'memory per idle keep-alive connection', unit: 'bytes', limit: 6144 } as const;
  const folder = mkdtempSync(join(setting.folder, 'idle-'));
  mkdirSync(join(folder, 'files'));
  const running = await latchkey.start({
    folder: join(folder, 'files'),
    backendPort: setting.backendPort,
    plan: setting.plan,
    secret: setting.workload.secret,
    accessLog: null,
  });
  const sockets: Socket[] = [];
  try {
    const edge = (readTree(running.process.pid) ?? []).find(({ name }) => name.startsWith('latchkey edge'));
    if (edge === undefined) return { ...common, value: null, note: 'not measured: no /proc' };
    const request = renderRequest(makeRequest(setting.workload, 'bearer', '1k', 1));
    const open = async (total: number) => {
      while (sockets.length < total) {
        const more = Array.from({ length: Math.min(batch, total - sockets.length) }, () => ask(running.port, request));
        sockets.push(...(await Promise.all(more)));
      }
    };
    // so that code, pools and the space for young objects have grown before, since they do not belong to the idle connections
    await saturate(setting.generator, setting.plan, {
      port: running.port,
      requestsFile: setting.requestsFile('bearer', '1k'),
      connections: 200,
      seconds: 6,
    });
    await open(1000);
    const before = await settledMemory(edge.pid);
    await open(1000 + count);
    const after = await settledMemory(edge.pid);
    return { ...common, value: (after - before) / count, note: `resident memory of the edge, ${count} connections` };
  } finally {
    for (const socket of sockets) socket.destroy();
    await running.process.stop();
  }
}

/** Opens a connection, sends one request, and waits for its answer. */
async function ask(port: number, request: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(request, 'latin1');
  let length = 0;
  while (length < 1024) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    length += chunk.length;
  }
  socket.on('error', () => undefined);
  return socket;
}

/** Resident memory in bytes: the least of eight seconds, since memory that a collection gives back belongs to no connection. */
async function settledMemory(pid: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let second = 0; second < 8; second++) {
    await pause(1000);
    const text = readFileSync(`/proc/${pid}/status`, 'latin1');
    least = Math.min(least, Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1]) * 1024);
  }
  return least;
}
