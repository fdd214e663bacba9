// An edge that can never become ready ends and says why, and no client waits at a port that nobody serves.
// Real processes: the folder with control's sockets is moved away and back.

import { renameSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient, requestText } from '../support/clients/raw-client.ts';
import { makeServeRig, type ServeProcess, type ServeRig } from '../support/rigs/serve-rig.ts';

let rig: ServeRig;
let serve: ServeProcess;
const wait = { timeout: 60_000 };

beforeAll(async () => {
  rig = await makeServeRig((_request, response) => response.end('ok'));
});
afterAll(() => rig?.clear());

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'));
  });
}

async function statusOf(port: number): Promise<number> {
  try {
    const client = await RawClient.connect(port);
    client.write(requestText('GET', '/'));
    const { status } = await client.read();
    client.destroy();
    return status;
  } catch {
    return 0;
  }
}

test('new edges whose data_dir vanished end and say why; connections are refused, and served once the folder is back', async () => {
  serve = await rig.startReady();
  const data = join(rig.folder, 'data');
  expect(await statusOf(serve.port)).toBe(200);
  renameSync(data, `${data}.away`);
  for (const edge of serve.pids('edge')) process.kill(edge, 'SIGKILL');
  await expect.poll(() => isRefused(serve.port), wait).toBe(true);
  const hint = expect.stringContaining('edge.sock there, and control running?');
  expect(serve.log()).toContainEqual(expect.objectContaining({ role: 'supervisor', level: 'error', hint }));
  expect(serve.stderr()).toContain('no edge can start: connections are refused until one serves');

  renameSync(`${data}.away`, data);
  await expect.poll(() => statusOf(serve.port), wait).toBe(200);
}, 180_000);

test('when an edge is killed, connections that come meanwhile are not refused but served by the next edge, also after such a failure', async () => {
  await expect.poll(() => serve.pids('edge').length, wait).toBeGreaterThanOrEqual(4);
  const seen: number[] = [];
  for (const edge of serve.pids('edge').slice(-2)) process.kill(edge, 'SIGKILL');
  for (let at = 0; at < 3; at++) seen.push(await statusOf(serve.port));
  // one may have come to a dead edge in its last moment
  expect(seen.filter((status) => status === 200).length).toBeGreaterThanOrEqual(2);
}, 120_000);
