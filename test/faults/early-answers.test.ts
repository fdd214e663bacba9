// Upstreams that answer an upload before its end and close at once, with the rest of it unread: the kernel resets the
// connection under what is still being written, and the answer is there to be read all the same (RFC 9112 §9.5).
// The upstream is a thread of its own, so that its reset comes at any moment.

import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient, requestText } from '../support/clients/raw-client.ts';
import { startGateway, type TestGateway } from '../support/rigs/gateway.ts';

// Reads one piece of an upload and no more. `/until` is answered without a length.
const source = `
const { createServer } = require('node:net');
const { parentPort } = require('node:worker_threads');
const early = 'HTTP/1.1 413 Content Too Large\\r\\nConnection: close\\r\\n';
createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', (chunk) => {
    const [, path] = chunk.toString('latin1').split(' ');
    socket.pause();
    const text = early + (path === '/until' ? '\\r\\nno' : 'Content-Length: 2\\r\\n\\r\\nno');
    setImmediate(() => socket.end(text, () => socket.destroy()));
  });
}).listen(0, '127.0.0.1', function () {
  parentPort.postMessage(this.address().port);
});`;

const uploads = 25;
const piece = Buffer.alloc(16 * 1024, 'x');
let worker: Worker;
let gateway: TestGateway;

beforeAll(async () => {
  worker = new Worker(source, { eval: true });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [`http://127.0.0.1:${port}`] } },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
      limits: { max_event_loop_delay: '1d' },
      logs: { level: 'error', access: 'off', decisions: 'off' },
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await worker.terminate();
});

/** Sends as fast as possible until the answer is there. @returns the outcome */
async function upload(path: string, field: string, block: Buffer): Promise<string> {
  const client = await RawClient.connect(gateway.port);
  let isAnswered = false;
  const pump = (): void => {
    while (!isAnswered && !client.socket.destroyed && client.socket.write(block));
  };
  client.write(requestText('POST', path, [field]));
  client.socket.on('drain', pump);
  pump();
  const outcome = await client.read().then(
    ({ status, text, header }) => `${status} ${text} ${header('Connection')}`,
    () => 'cut',
  );
  isAnswered = true;
  client.destroy();
  return outcome;
}

test.each([
  ['with a length', 'Content-Length: 500000000', piece],
  ['in chunks', 'Transfer-Encoding: chunked', Buffer.concat([Buffer.from('4000\r\n'), piece, Buffer.from('\r\n')])],
])('the early answer to an upload %s is passed on whenever the reset comes', async (_name, field, block) => {
  const outcomes: string[] = [];
  for (let number = 0; number < uploads; number++) outcomes.push(await upload('/early', field, block));
  expect(outcomes).toEqual(outcomes.map(() => '413 no close'));
});

test('an early answer whose end is the end of the connection never looks complete after a reset', async () => {
  for (let number = 0; number < uploads; number++) {
    // 413: the upstream's end was read before anything was lost
    expect(await upload('/until', 'Content-Length: 500000000', piece)).toMatch(/^(cut|413 no close)$/);
  }
  expect(await upload('/early', 'Content-Length: 500000000', piece)).toBe('413 no close');
});
