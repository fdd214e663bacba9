// Clients that are slow on purpose: bodies and answers have a minimum rate, so that a drip cannot hold a connection for ever.
// The window is one second here; only the client's own time counts.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FileInput, startGateway, type TestGateway } from '../support/gateway.ts';
import { RawClient, requestText } from '../support/raw-client.ts';
import { SocketUpstream } from '../support/socket-upstream.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let gateway: TestGateway | null = null;
let upstream: SocketUpstream;
const clients: RawClient[] = [];
const drips: NodeJS.Timeout[] = [];

beforeEach(async () => {
  upstream = await SocketUpstream.start();
});
afterEach(async () => {
  for (const drip of drips.splice(0)) clearInterval(drip);
  for (const client of clients.splice(0)) client.destroy();
  await gateway?.close();
  await upstream.close();
});

async function start(
  limits: FileInput['limits'],
  routeLimits: FileInput['routes'][number]['limits'] = {},
): Promise<RawClient> {
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'], limits: routeLimits }],
      limits: { rate_window: '1s', ...limits },
    },
  });
  const client = await RawClient.connect(gateway.port);
  clients.push(client);
  return client;
}

function drip(send: () => void): void {
  drips.push(setInterval(send, 50));
}

test('a body that comes byte by byte gets a 408, and the upstream loses its half request', async () => {
  const client = await start({ min_request_rate: '100B' });
  client.write(requestText('POST', '/drip', ['Content-Length: 100000']));
  drip(() => client.write('x'));
  const answer = await client.read();
  expect(answer.status).toBe(408);
  expect(answer.header('Connection')).toBe('close');
  await (await upstream.connection(1)).gone();
  const lines = (await gateway?.readLog('access', '/drip')) ?? [];
  expect(lines).toMatchObject([{ status: 408, hint: 'refused message: body-too-slow' }]);
});

test('a body above the rate goes on for many windows', async () => {
  const client = await start({ min_request_rate: '100B' });
  client.write(requestText('POST', '/', ['Content-Length: 100000']));
  // 20,000 bytes a second for two and a half windows: so far above the rate that seconds in which the whole process stands
  // still do not bring it below
  for (let sent = 0; sent < 50; sent++) {
    client.write('x'.repeat(1000));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(client.hasEnded).toBe(false);
  client.write('x'.repeat(50_000));
  const connection = await upstream.connection(1);
  await connection.until('x'.repeat(100_000));
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
});

test('a route may take drips', async () => {
  const client = await start({ min_request_rate: '1KiB' }, { min_request_rate: '0B' });
  client.write(requestText('POST', '/', ['Content-Length: 60']));
  const connection = await upstream.connection(1);
  for (let sent = 0; sent < 60; sent++) {
    client.write('x');
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  await connection.until('x'.repeat(60));
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
});

test("an upstream that holds the body up is not the client's fault", async () => {
  const client = await start({ min_request_rate: '1KiB' });
  const stopped = upstream.connection(1).then((connection) => {
    connection.drop();
    connection.socket.pause();
    return connection;
  });
  const size = 24_000_000;
  client.write(requestText('POST', '/', [`Content-Length: ${size}`]));
  const connection = await stopped;
  client.write(Buffer.alloc(size));
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(client.hasEnded).toBe(false);
  connection.socket.resume();
  await expect.poll(() => connection.bytes).toBeGreaterThanOrEqual(size);
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
});

test('a client that takes its answer slower than the minimum is cut off, and the upstream is let go', async () => {
  const client = await start({ min_response_rate: '10MiB' });
  client.write(requestText('GET', '/'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  client.socket.pause();
  // a little now and then, so that it never stands still for long
  drip(() => client.socket.read(1000));
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
  connection.socket.write(Buffer.alloc(100_000_000));
  await connection.gone();
});

test("an upstream that sends little is not the client's fault", async () => {
  const client = await start({ min_response_rate: '10MiB' });
  client.write(requestText('GET', '/'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n');
  for (let sent = 0; sent < 60; sent++) {
    connection.write('x');
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  expect((await client.read()).body).toHaveLength(60);
});
