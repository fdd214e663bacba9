// An edge listens when it can serve, and not before: with what is revoked, and with its public key where upstreams look for it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Edge, startEdge } from '../../gateway/edge/edge.ts';
import { ControlClient } from '../../gateway/edge/live/control-client.ts';
import { machineMs } from '../../gateway/telemetry/clock.ts';
import { EdgeMetrics } from '../../gateway/telemetry/edge-metrics.ts';
import type { FeedMessage } from '../../gateway/wire/feed.ts';
import { makeTestControl, memoryLogger, type TestControl, testConfig } from '../support/rigs/control.ts';

let rig: TestControl;
let server: Server;
let feed: ServerResponse | null = null;
/** Says that the key is listed, once it was sent. */
let listKey: (() => void) | null = null;
let client: ControlClient;
let said: () => string;
let edge: Edge | null = null;
let port: number;

beforeEach(async () => {
  rig = makeTestControl();
  listKey = null;
  port = await freePort();
  server = createServer((request: IncomingMessage, response) => {
    request.resume();
    if (request.url?.startsWith('/feed')) feed = response;
    else if (request.url === '/assertion-keys') listKey = () => response.writeHead(204).end();
    else response.writeHead(204).end();
    if (request.url?.startsWith('/feed')) tell(snapshot());
  });
  await new Promise<void>((resolve) => server.listen(rig.sockets.edge, resolve));
  const memory = memoryLogger();
  said = memory.said;
  client = new ControlClient({ socketPath: rig.sockets.edge, edgeId: 'e1', logger: memory.logger });
});

afterEach(async () => {
  await edge?.drain(0);
  edge = null;
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rig.clear();
});

function tell(message: FeedMessage): void {
  feed?.write(`${JSON.stringify(message)}\n`);
}

function snapshot(): FeedMessage {
  const listener = {
    at: 'listeners[0].address',
    host: '127.0.0.1',
    port,
    tls: null,
    redirectPort: null,
    proxyFrom: null,
  };
  const config = testConfig({ listeners: [listener] });
  const publicSocket = rig.sockets.public;
  return {
    kind: 'snapshot',
    seq: 1,
    config,
    keys: [],
    upstreamTls: [],
    tls: [null],
    ticketSecret: '',
    publicSocket,
    index: null,
  };
}

function tellIndex(): void {
  tell({ kind: 'index', index: { epoch: 'e', seq: 1, readAgeMs: 0, sentAtMs: machineMs(), revocations: [] } });
}

async function start(indexWaitMs: number): Promise<Edge> {
  const { logger } = memoryLogger();
  const first = await client.connect();
  const metrics = new EdgeMetrics([], []);
  edge = await startEdge({ edgeId: 'e1', client, snapshot: first, metrics, logger, indexWaitMs });
  return edge;
}

/** Whether somebody listens. */
function isOpen(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

async function freePort(): Promise<number> {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  await new Promise((resolve) => taken.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('an edge does not listen before its key is listed and it knows what is revoked', async () => {
  const started = start(60_000);
  await expect.poll(() => listKey).not.toBeNull();
  expect(await isOpen()).toBe(false);
  listKey?.();
  // with the key alone it is not enough: a turn of both processes' worth of time, and still nobody listens
  for (let turn = 0; turn < 20; turn++) expect(await isOpen()).toBe(false);
  tellIndex();
  const { listening } = await started;
  expect(listening).toEqual([{ host: '127.0.0.1', port }]);
  expect(await isOpen()).toBe(true);
});

test('an edge that cannot learn what is revoked listens after a while, for routes that do not need it', async () => {
  const started = start(50);
  await expect.poll(() => listKey).not.toBeNull();
  listKey?.();
  await started;
  expect(await isOpen()).toBe(true);
});

test('an edge whose key is not taken ends its start without having listened', async () => {
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    if (!request.url?.startsWith('/feed')) {
      response.writeHead(request.url === '/assertion-keys' ? 409 : 204).end();
      return;
    }
    feed = response;
    tell(snapshot());
    tellIndex();
  });
  await expect(start(60_000)).rejects.toThrow('control answered 409');
  expect(await isOpen()).toBe(false);
  expect(said()).toBe('');
});
