// Caps on connections: idle ones make room, those with work stay, and nobody takes the room of all.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { networkOf } from '../../../gateway/edge/request/rate-limits.ts';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: SocketUpstream;
const clients: RawClient[] = [];

beforeEach(async () => {
  upstream = await SocketUpstream.start((connection) => {
    connection.socket.on('data', (chunk: Buffer) => {
      if (!chunk.includes('/held')) connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await gateway.close();
  await upstream.close();
});

async function start(limits: FileInput['limits'], more: Partial<FileInput> = {}): Promise<void> {
  gateway = await startGateway({ config: configOf(limits, more) });
}

function configOf(limits: FileInput['limits'], more: Partial<FileInput> = {}): FileInput {
  return {
    upstreams: { web: { servers: [upstream.url] } },
    routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
    limits,
    ...more,
  };
}

async function open(host = gateway.host): Promise<RawClient> {
  const client = await RawClient.connect(gateway.port, host);
  clients.push(client);
  return client;
}

/** A connection that had a request and waits for the next. */
async function keepAlive(): Promise<RawClient> {
  const client = await open();
  client.write(requestText('GET', '/'));
  expect((await client.read()).status).toBe(200);
  return client;
}

/** A connection whose request runs. */
async function busy(): Promise<RawClient> {
  const client = await open();
  client.write(requestText('GET', '/held'));
  const number = upstream.connections.length + 1;
  await (await upstream.connection(number)).heads(1);
  return client;
}

async function isServed(client: RawClient): Promise<boolean> {
  client.write(requestText('GET', '/'));
  return client.read().then(
    (answer) => answer.status === 200,
    () => false,
  );
}

test('at the cap the connection that idled longest makes room for a new one', async () => {
  await start({ max_connections: 2 });
  const running = await busy();
  const idle = await keepAlive();
  const fresh = await open();
  expect(await isServed(fresh)).toBe(true);
  await idle.ended();
  expect(running.hasEnded).toBe(false);
  expect(gateway.metrics.connectionsShed).toBe(1);
  expect(gateway.metrics.connectionsDropped).toBe(0);
});

test('when all connections have work a new one is dropped, and the others go on', async () => {
  await start({ max_connections: 2 });
  const running = [await busy(), await busy()];
  const fresh = await open();
  expect(await fresh.ended()).toHaveLength(0);
  expect(gateway.metrics.connectionsDropped).toBe(1);
  expect(running.map((client) => client.hasEnded)).toEqual([false, false]);
  // room again
  running[0]?.destroy();
  await expect.poll(async () => isServed(await open())).toBe(true);
});

test('near the cap the connections that idle longest end, before the cap is reached', async () => {
  await start({ max_connections: 8 });
  const idle: RawClient[] = [];
  for (let count = 0; count < 8; count++) idle.push(await keepAlive());
  await idle[0]?.ended();
  expect(idle.slice(1).map((client) => client.hasEnded)).toEqual(new Array(7).fill(false));
});

test('a connection that sends nothing does not keep others out', async () => {
  await start({ max_connections: 2, head_timeout: '1h' });
  const silent = [await open(), await open()];
  await expect.poll(async () => isServed(await open())).toBe(true);
  expect(silent.some((client) => client.hasEnded)).toBe(true);
});

test('one address has only so many connections, and gets room again when one ends', async () => {
  await start({ max_connections_per_address: 2 });
  const first = await keepAlive();
  await keepAlive();
  expect(await isServed(await open())).toBe(false);
  expect(gateway.metrics.connectionsDropped).toBe(1);
  // another address is another client
  first.destroy();
  await expect.poll(async () => isServed(await open())).toBe(true);
});

test('a trusted proxy has no limit of its own', async () => {
  await start({ max_connections_per_address: 1 }, { trusted_proxies: ['127.0.0.1'] });
  await keepAlive();
  expect(await isServed(await open())).toBe(true);
});

test('a reload changes the caps', async () => {
  await start({});
  await keepAlive();
  expect(await isServed(await open())).toBe(true);
  await gateway.reload(configOf({ max_connections_per_address: 1 }));
  await keepAlive();
  expect(await isServed(await open())).toBe(false);
});

test('a reload raises the cap', async () => {
  await start({ max_connections: 1 });
  const running = [await busy()];
  await gateway.reload(configOf({ max_connections: 8 }));
  for (let count = 0; count < 5; count++) running.push(await busy());
  expect(running.map((client) => client.hasEnded)).toEqual(new Array(6).fill(false));
});

test('an IPv6 client is its /64, an IPv4 client its address', () => {
  expect(networkOf('2001:db8:0:1::2')).toBe(networkOf('2001:db8:0:1:ffff::1'));
  expect(networkOf('2001:db8:0:1::2')).not.toBe(networkOf('2001:db8:0:2::2'));
  expect(networkOf('192.0.2.1')).not.toBe(networkOf('192.0.2.2'));
});
