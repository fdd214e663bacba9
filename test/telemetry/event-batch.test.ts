// Two events have the same number when one poll of the kernel found both, and only then.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventBatch } from '../../gateway/telemetry/event-batch.ts';

let server: Server;
let near: Socket[];
let far: Socket[];

beforeEach(async () => {
  far = [];
  server = createServer((socket) => far.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  near = [1, 2].map(() => connect(port, '127.0.0.1'));
  await Promise.all(near.map((socket) => once(socket, 'connect')));
  await expect.poll(() => far.length).toBe(2);
});
afterEach(() => {
  for (const socket of [...near, ...far]) socket.destroy();
  server.close();
});

function batchOfData(socket: Socket | undefined): Promise<number> {
  return new Promise((resolve) => socket?.once('data', () => resolve(eventBatch())));
}

test('events that were ready together are one batch, with what they set off at once', async () => {
  const after = new Promise<number>((resolve) =>
    near[0]?.once('data', () => process.nextTick(() => resolve(eventBatch()))),
  );
  const both = near.map(batchOfData);
  for (const socket of far) socket.write('x');
  const [first, second] = await Promise.all(both);
  expect(first).toBe(second);
  expect(await after).toBe(first);
});

test('an event that another one caused is of a later batch', async () => {
  const first = batchOfData(near[0]);
  const second = batchOfData(near[1]);
  near[0]?.once('data', () => far[1]?.write('x'));
  far[0]?.write('x');
  expect(await second).toBeGreaterThan(await first);
});

test.each([
  ['a timer', (run: () => void) => void setTimeout(run, 1)],
  ['the end of a turn', (run: () => void) => void setImmediate(run)],
])('what %s sends is answered in a later batch', async (_name, later) => {
  const sent = new Promise<number>((resolve) =>
    later(() => {
      far[0]?.write('x');
      resolve(eventBatch());
    }),
  );
  const got = batchOfData(near[0]);
  expect(await got).toBeGreaterThan(await sent);
});
