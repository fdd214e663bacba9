// A side that does not read stops the side that sends, within a bounded number of bytes: what the kernel's buffers hold, and
// little more. Then both go on where they stopped, with every byte in its place.

import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { Pattern } from '../../support/pattern.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

// Buffers of four sockets, as large as Linux makes them, and the gateway's own. The bodies are ten times that.
const maxInFlight = 16 * 1024 * 1024;
const size = 10 * maxInFlight;
const pattern = Pattern.seeded(7);
let gateway: TestGateway;
let upstream: SocketUpstream;
let client: RawClient;

beforeEach(async () => {
  upstream = await SocketUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
    },
  });
  client = await RawClient.connect(gateway.port);
});
afterEach(async () => {
  client.destroy();
  await gateway.close();
  await upstream.close();
});

/** Writes as much as is taken, and resolves once nothing was taken for a while. @returns bytes the kernel took */
async function sendUntilStuck(socket: { write(bytes: Uint8Array, done: () => void): boolean }): Promise<number> {
  let taken = 0;
  for (let offset = 0; offset < size; ) {
    const part = pattern.at(offset, Math.min(256 * 1024, size - offset));
    let timer: NodeJS.Timeout | undefined;
    const written = new Promise<boolean>((resolve) => socket.write(part, () => resolve(true)));
    const stuck = new Promise<boolean>((resolve) => {
      // the sockets are looked at once more before that, in case that it was the whole process that stood still
      timer = setTimeout(() => setImmediate(resolve, false), 500);
    });
    offset += part.length;
    if (!(await Promise.race([written, stuck]))) return taken;
    clearTimeout(timer);
    taken = offset;
  }
  return taken;
}

/** Counts mismatches from now on until `total` bytes came. */
function compare(socket: Socket, total: number): Promise<number> {
  let offset = 0;
  let mismatches = 0;
  return new Promise((resolve) => {
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => {
      if (!pattern.matches(offset, chunk)) mismatches++;
      offset += chunk.length;
      if (offset >= total) resolve(mismatches);
    });
    socket.resume();
  });
}

test('a client that does not read stops the upstream', async () => {
  client.write(requestText('GET', '/'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  await expect.poll(() => client.socket.bytesRead).toBeGreaterThan(0);
  client.socket.pause();
  const taken = await sendUntilStuck(connection.socket);
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(maxInFlight);
  const stuckAt = taken + 256 * 1024;
  expect(await compare(client.socket, stuckAt)).toBe(0);
});

test('an upstream that does not read stops the client', async () => {
  client.write(requestText('POST', '/', [`Content-Length: ${size}`]));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.socket.pause();
  const taken = await sendUntilStuck(client.socket);
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(maxInFlight);
  const stuckAt = taken + 256 * 1024;
  expect(await compare(connection.socket, stuckAt)).toBe(0);
});

test('a reader that stops and goes gets every byte', async () => {
  const total = 20_000_000;
  client.write(requestText('GET', '/'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`;
  connection.write(head);
  await expect.poll(() => client.socket.bytesRead).toBeGreaterThan(0);
  const compared = compare(client.socket, total);
  client.socket.on('data', () => {
    client.socket.pause();
    setImmediate(() => client.socket.resume());
  });
  for (let offset = 0; offset < total; offset += 500_000) connection.socket.write(pattern.at(offset, 500_000));
  expect(await compared).toBe(0);
});
