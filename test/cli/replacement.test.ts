// Edges that are replaced under load: planned replacement by SIGUSR2, and a crash of the only edge.
// Real processes, real signals; no request may fail that latchkey could have answered.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { startLoad } from '../support/clients/keep-alive-load.ts';
import { RawClient, requestText } from '../support/clients/raw-client.ts';
import { isAlive, makeServeRig, type ServeRig } from '../support/rigs/serve-rig.ts';

const wait = { interval: 50 };
let rig: ServeRig;
const held: (() => void)[] = [];

beforeEach(async () => {
  rig = await makeServeRig((request, response) => {
    if (request.url === '/slow') {
      response.writeHead(200, { 'content-length': 10 });
      response.write('begin');
      held.push(() => response.end('ended'));
    } else response.end('from the upstream');
  });
});
afterEach(async () => {
  for (const end of held.splice(0)) end();
  await rig.clear();
});

test('SIGUSR2 replaces the edges one after the other, and under load no request fails', async () => {
  const gateway = await rig.startReady();
  const before = gateway.pids('edge');
  const control = gateway.pids('control');
  const running = await RawClient.connect(gateway.port);
  running.write(requestText('GET', '/slow'));
  await expect.poll(() => held.length, wait).toBe(1);
  const load = startLoad(gateway.port, 8, '/', 'from the upstream');
  await expect.poll(() => load.answered(), wait).toBeGreaterThan(100);

  const unready: unknown[] = [];
  const looks: Promise<unknown>[] = [];
  const look = async (): Promise<void> => {
    const { status } = await fetch(`http://127.0.0.1:${gateway.operationsPort}/readyz`);
    if (status !== 200) unready.push(status);
  };
  const watch = setInterval(() => looks.push(look()), 50);
  gateway.child.kill('SIGUSR2');
  // the edge with the download goes once that is done
  await expect.poll(() => gateway.pids('edge').length, wait).toBeGreaterThan(before.length);
  for (const end of held.splice(0)) end();
  expect((await running.read()).text).toBe('beginended');
  running.destroy();
  await expect.poll(() => gateway.stderr(), wait).toContain('all edges were replaced');
  const answered = load.answered();
  await expect.poll(() => load.answered(), wait).toBeGreaterThan(answered + 100);
  clearInterval(watch);
  await Promise.all(looks);

  const result = await load.stop();
  expect(result.failures).toEqual([]);
  expect(result.reconnects).toBeGreaterThan(0);
  expect(unready).toEqual([]);
  expect(before.filter(isAlive)).toEqual([]);
  expect(gateway.pids('edge')).toHaveLength(2 * before.length);
  expect(gateway.pids('control')).toEqual(control);
  const { answered: all, late } = result;
  console.info(`${all} requests on 8 connections while 2 edges were replaced: 0 failed, ${late} too late for a drain`);
});

test('while the only edge is away new connections wait, and the next edge serves them', async () => {
  rig.configure({ edges: 1 });
  const gateway = await rig.startReady();
  process.kill(gateway.pids('edge')[0] ?? 0, 'SIGKILL');
  const waiting = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const client = await RawClient.connect(gateway.port);
      client.write(requestText('GET', '/'));
      return client;
    }),
  );
  // one of them may have come to the dead edge in its last moment
  const answers = await Promise.allSettled(waiting.map((client) => client.read()));
  expect(answers.filter((answer) => answer.status === 'fulfilled').length).toBeGreaterThanOrEqual(9);
  for (const client of waiting) client.destroy();
});

test('SIGTERM in the middle of a replacement ends all processes', async () => {
  const gateway = await rig.startReady();
  const running = await RawClient.connect(gateway.port);
  running.write(requestText('GET', '/slow'));
  await expect.poll(() => held.length, wait).toBe(1);
  gateway.child.kill('SIGUSR2');
  await expect.poll(() => gateway.pids('edge').length, wait).toBeGreaterThan(2);
  gateway.child.kill('SIGTERM');
  await expect.poll(() => gateway.stderr(), wait).toContain('stopping');
  for (const end of held.splice(0)) end();
  expect(await gateway.ended).toEqual({ code: 0, signal: null });
  running.destroy();
  expect([...gateway.pids('control'), ...gateway.pids('edge')].filter(isAlive)).toEqual([]);
});
