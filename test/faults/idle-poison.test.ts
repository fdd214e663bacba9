// Bytes on an idle upstream connection that are found in the very moment a request takes the connection: they must not
// become that request's answer (CVE-2026-48931). The gateway's event loop is stopped while a thread does both writes, the
// client's first, so that one poll of the kernel finds both.

import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../support/rigs/gateway.ts';

// Upstream and client in one thread: `warm` is one good exchange, `both` writes a request and, on the connection that is
// idle now, an answer to nobody. Everything that the upstream gets later is answered with `mine`.
const source = `
const { connect, createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const gate = new Int32Array(workerData);
const answer = (text) => 'HTTP/1.1 200 OK\\r\\nContent-Length: ' + text.length + '\\r\\n\\r\\n' + text;
const seen = [];
let first = null;
let client = null;
let received = '';
const server = createServer((socket) => {
  first ??= socket;
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    seen.push(chunk.toString('latin1').split(' HTTP/')[0]);
    socket.write(answer('mine'));
  });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
parentPort.on('message', ({ kind, port, request }) => {
  if (kind === 'warm') {
    client = connect(port, '127.0.0.1');
    client.write('GET /warm HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n');
    client.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (/\\r\\n\\r\\n./.test(received)) parentPort.postMessage({ received, seen });
    });
    return;
  }
  received = '';
  client.write(request);
  first.write(answer('poison'));
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
});`;

interface Outcome {
  readonly received: string;
  readonly seen: readonly string[];
}

let gateway: TestGateway | null = null;
let worker: Worker | null = null;
const gate = new Int32Array(new SharedArrayBuffer(4));

afterEach(async () => {
  await worker?.terminate();
  await gateway?.close();
  worker = null;
  gateway = null;
});

function heard<T>(): Promise<T> {
  return new Promise((resolve, reject) => {
    worker?.once('message', resolve);
    worker?.once('error', reject);
  });
}

/** What a client gets, and what the upstream saw, when request and poison are found in one poll. */
async function meet(request: string): Promise<Outcome> {
  Atomics.store(gate, 0, 0);
  worker = new Worker(source, { eval: true, workerData: gate.buffer });
  const port = await heard<number>();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [`http://127.0.0.1:${port}`] } },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
    },
  });
  const warm = heard<Outcome>();
  worker.postMessage({ kind: 'warm', port: gateway.port });
  await warm;
  const outcome = heard<Outcome>();
  worker.postMessage({ kind: 'both', request });
  expect(Atomics.wait(gate, 0, 0, 10_000)).not.toBe('timed-out');
  return outcome;
}

test('poison that is found together with a GET on a reused connection answers no request', async () => {
  const { received, seen } = await meet('GET /mine HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(received).toMatch(/\r\n\r\nmine$/);
  expect(seen.at(-1)).toBe('GET /mine');
  expect(gateway?.metrics.upstreamFailures[0]).toBe(1);
});

test('poison that is found together with a POST on a reused connection answers no request, and the POST is sent once at most', async () => {
  const { received, seen } = await meet('POST /mine HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  expect(received).not.toContain('poison');
  expect(received).toMatch(/^HTTP\/1\.1 (502|200) /);
  expect(seen.filter((line) => line === 'POST /mine').length).toBeLessThanOrEqual(1);
});
