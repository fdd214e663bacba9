// A TCP address that never completes a connection: its accept queue is full and nobody empties it. Linux only.
// Answers how long the gateway waits for a connection, without leaving the loopback address.

import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

// Listens with the shortest queue, says where, and never comes back to accept.
const source = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer(() => undefined);
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0));
});`;

export interface SilentServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function startSilentServer(): Promise<SilentServer> {
  const worker = new Worker(source, { eval: true, workerData: new SharedArrayBuffer(4) });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const fillers: Socket[] = [];
  // the kernel takes one more than the queue's length; from then on it drops what knocks
  for (let number = 0; number < 4; number++) {
    const filler = connect(port, '127.0.0.1');
    filler.on('error', () => undefined);
    fillers.push(filler);
  }
  await new Promise((resolve) => fillers[0]?.once('connect', resolve));
  await new Promise((resolve) => fillers[1]?.once('connect', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}
