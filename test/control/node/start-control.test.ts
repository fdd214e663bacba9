// Control, seen through its three servers: edge.sock, public.sock and the operations listener.
// An edge is played by the real control client.

import { generateKeyPairSync } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Client } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SigningKey } from '../../../gateway/core/model/signing-key.ts';
import { ControlClient } from '../../../gateway/edge/live/control-client.ts';
import { EdgeMetrics } from '../../../gateway/telemetry/edge-metrics.ts';
import type { AssertionJwk } from '../../../gateway/wire/reports.ts';
import { ignoringObserver } from '../../support/ignoring-observer.ts';
import { makeTestControl, memoryLogger, type TestControl, testKey, testState } from '../../support/rigs/control.ts';
import { MemoryLog } from '../../support/rigs/memory-log.ts';

let rig: TestControl;
const ends: (() => Promise<void> | void)[] = [];

beforeEach(() => {
  rig = makeTestControl();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rig.clear();
});

/** One request on a Unix socket or a TCP address. */
async function ask(
  target: string | { port: number },
  path: string,
  options: { method?: 'GET' | 'POST'; body?: unknown; headers?: Record<string, string> } = {},
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  const client =
    typeof target === 'string'
      ? new Client('http://localhost', { socketPath: target })
      : new Client(`http://127.0.0.1:${target.port}`);
  try {
    const { statusCode, headers, body } = await client.request({
      method: options.method ?? 'GET',
      path,
      headers: { ...(options.body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
      body: options.body === undefined ? null : JSON.stringify(options.body),
    });
    return { status: statusCode, headers, text: await body.text() };
  } finally {
    await client.destroy();
  }
}

function makeJwk(kid: string): AssertionJwk {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', x: x ?? '', kid, alg: 'EdDSA', use: 'sig' };
}

async function joinEdge(edgeId: string): Promise<ControlClient> {
  const client = new ControlClient({ socketPath: rig.sockets.edge, edgeId, logger: memoryLogger().logger });
  ends.push(() => client.close());
  await client.connect();
  return client;
}

test('a path of one server exists on no other', async () => {
  const control = await rig.start();
  const paths = {
    edge: ['/assertion-keys', '/ready', '/metrics', '/password', '/feed'],
    public: ['/.latchkey/jwks.json'],
    operations: ['/livez', '/readyz'],
  };
  const refused = async (target: string | { port: number }, path: string): Promise<void> => {
    for (const method of ['GET', 'POST'] as const) {
      const answer = await ask(target, path, method === 'POST' ? { method, body: {} } : { method });
      expect(`${path} ${answer.status}`).toBe(`${path} 404`);
      expect(answer.headers['content-type']).toBe('application/problem+json');
    }
  };
  for (const path of [...paths.edge, ...paths.operations]) await refused(rig.sockets.public, path);
  for (const path of [...paths.public, ...paths.operations]) await refused(rig.sockets.edge, path);
  for (const path of [...paths.public, '/assertion-keys', '/ready', '/password', '/feed', '/']) {
    await refused(control.operations, path);
  }
});

test('only their owner may open the sockets', async () => {
  await rig.start();
  expect(statSync(rig.sockets.edge).mode & 0o777).toBe(0o600);
  expect(statSync(rig.sockets.public).mode & 0o777).toBe(0o600);
});

test('the JWKS lists the public key of an edge and says how long it may be kept', async () => {
  await rig.start();
  const jwk = makeJwk('a1');
  await (await joinEdge('e1')).registerAssertionKey(jwk);
  const answer = await ask(rig.sockets.public, '/.latchkey/jwks.json');
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('application/jwk-set+json');
  expect(answer.headers['cache-control']).toBe('public, max-age=60');
  expect(JSON.parse(answer.text)).toEqual({ keys: [jwk] });
});

test('a private or symmetric key never gets into the JWKS', async () => {
  await rig.start();
  await joinEdge('e1');
  const jwk = makeJwk('a1');
  for (const bad of [
    { ...jwk, d: 'AAAA' },
    { kty: 'oct', k: 'AAAA', kid: 'a2', alg: 'HS256', use: 'sig' },
    { ...jwk, kty: 'RSA' },
  ]) {
    const answer = await ask(rig.sockets.edge, '/assertion-keys', { method: 'POST', body: { edge: 'e1', jwk: bad } });
    expect(answer.status).toBe(400);
  }
  expect(JSON.parse((await ask(rig.sockets.public, '/.latchkey/jwks.json')).text)).toEqual({ keys: [] });
});

test('the key of an edge that ended stays listed for two minutes', async () => {
  let now = 0;
  const control = await rig.start({ clock: { monotonicMs: () => now, epochSeconds: () => 1_800_000_000 } });
  const client = await joinEdge('e1');
  await client.registerAssertionKey(makeJwk('a1'));
  await client.close();
  await expect.poll(async () => (await ask(control.operations, '/readyz')).text).toContain('"connected":false');
  const list = async (): Promise<unknown> => JSON.parse((await ask(rig.sockets.public, '/.latchkey/jwks.json')).text);
  now = 119_999;
  expect(await list()).toMatchObject({ keys: [{ kid: 'a1' }] });
  now = 120_000;
  expect(await list()).toEqual({ keys: [] });
});

test('control is ready when every expected edge is connected and listens, and /readyz names the edges that are not', async () => {
  const control = await rig.start({ state: testState({ edges: 2 }) });
  expect((await ask(control.operations, '/livez')).status).toBe(200);
  const one = await joinEdge('e1');
  await one.reportReady([{ host: '127.0.0.1', port: 1 }]);
  const half = await ask(control.operations, '/readyz');
  expect(half.status).toBe(503);
  expect(JSON.parse(half.text).edges).toEqual([
    { slot: 'e1', edge: 'e1', connected: true, ready: true },
    { slot: 'e2', edge: null, connected: false, ready: false },
  ]);
  const two = await joinEdge('e2');
  expect((await ask(control.operations, '/readyz')).status).toBe(503);
  await two.reportReady([{ host: '127.0.0.1', port: 1 }]);
  expect((await ask(control.operations, '/readyz')).status).toBe(200);
  await two.close();
  await expect.poll(async () => (await ask(control.operations, '/readyz')).status).toBe(503);
});

test('the operations listener refuses names that are not its own', async () => {
  const control = await rig.start();
  for (const host of ['attacker.example', 'attacker.example:80', '127.0.0.1.attacker.example', '']) {
    expect((await ask(control.operations, '/metrics', { headers: { host } })).status).toBe(421);
  }
  for (const host of ['localhost', 'LOCALHOST:9180', '127.0.0.1:1', '[::1]:9180', '[::1]']) {
    expect((await ask(control.operations, '/livez', { headers: { host } })).status).toBe(200);
  }
});

test('metrics are summed over the edges, and the sums do not fall when an edge is replaced', async () => {
  const control = await rig.start({ state: testState({ edges: 2 }) });
  const joined: ControlClient[] = [];
  for (const edge of ['e1', 'e2']) {
    const metrics = new EdgeMetrics(['vod'], ['media']);
    ends.push(() => metrics.close());
    metrics.request(0, 200, 0, 0.01);
    const client = await joinEdge(edge);
    client.answerCollect = () => metrics.report();
    joined.push(client);
  }
  const sample = 'latchkey_requests_total{route="vod",code="200",decision="allow"} 2';
  const before = await ask(control.operations, '/metrics');
  expect(before.headers['content-type']).toContain('text/plain');
  expect(before.text).toContain(sample);
  expect(before.text).toContain('latchkey_edges_expected 2');
  await joined[1]?.close();
  await joinEdge('e2.2');
  expect((await ask(control.operations, '/metrics')).text).toContain(sample);
});

test('an edge that does not answer in time counts with its last report', async () => {
  const control = await rig.start();
  const metrics = new EdgeMetrics(['vod'], ['media']);
  ends.push(() => metrics.close());
  metrics.request(0, 200, 0, 0.01);
  const client = await joinEdge('e1');
  client.answerCollect = () => metrics.report();
  await ask(control.operations, '/metrics');
  client.answerCollect = () => new Promise(() => undefined);
  expect((await ask(control.operations, '/metrics')).text).toContain(
    'latchkey_requests_total{route="vod",code="200",decision="allow"} 1',
  );
});

test('reports of an edge that never joined are refused', async () => {
  await rig.start();
  for (const [path, body] of [
    ['/ready', { edge: 'e1', listening: [] }],
    ['/metrics', { edge: 'e1', id: 1, metrics: [] }],
    ['/assertion-keys', { edge: 'e1', jwk: makeJwk('a1') }],
  ] as const) {
    expect((await ask(rig.sockets.edge, path, { method: 'POST', body })).status).toBe(400);
  }
  expect((await ask(rig.sockets.edge, '/feed?edge=%2e%2e')).status).toBe(400);
});

test('an edge that does not read its feed is cut off', async () => {
  // Large enough that it cannot all stand in the socket's buffers.
  const trustedProxies = Array.from({ length: 200_000 }, (_, index) => `10.${index}.0.0/16 and some padding`);
  await rig.start({ state: testState({ trustedProxies }) });
  const client = new Client('http://localhost', { socketPath: rig.sockets.edge });
  ends.push(() => client.destroy());
  const { body } = await client.request({ method: 'GET', path: '/feed?edge=e1' });
  // Nothing reads the body, so undici stops reading the socket.
  await expect.poll(() => rig.said()).toContain('does not read its feed');
  await expect(body.text()).rejects.toThrow();
});

test('a reload sends a new snapshot, and settings that are bound at the start stay', async () => {
  const loaded = testState({
    edges: 5,
    reservedPrefix: '/other/',
    passwordChecksPerSecond: 7,
    listeners: [
      { at: 'listeners[0].address', host: '127.0.0.1', port: 1, tls: null, redirectPort: null, proxyFrom: null },
    ],
  });
  const control = await rig.start({ reload: () => ({ kind: 'loaded', state: { ...loaded, keys: [] } }) });
  const client = await joinEdge('e1');
  const arrived = new Promise((resolve) => {
    client.observe({ ...ignoringObserver, snapshot: resolve });
  });
  expect(control.reload()).toMatchObject({
    kind: 'applied',
    needsRestart: ['listeners', 'edges', 'reserved_prefix'],
  });
  expect(await arrived).toMatchObject({
    kind: 'snapshot',
    seq: 2,
    keys: [],
    config: { edges: 1, reservedPrefix: '/.latchkey/', passwordChecksPerSecond: 7, listeners: [{ port: 0 }] },
  });
});

test('a changed key ring goes to the edges without the other state, before the place of its change in the log', async () => {
  const log = new MemoryLog();
  let keys: readonly SigningKey[] = [testKey];
  const control = await rig.start({ changes: log, reloadKeys: async () => keys });
  const client = await joinEdge('e1');
  const heard: unknown[] = [];
  client.observe({
    ...ignoringObserver,
    snapshot: () => heard.push('snapshot'),
    keys: (ring) => heard.push(ring.map(({ id, state }) => `${id} ${state}`)),
    log: (message) => {
      if (message.kind !== 'heartbeat') heard.push(message.kind);
      if (message.kind === 'changes') client.confirmApplied(message);
    },
  });
  keys = [
    { ...testKey, state: 'retired' },
    { ...testKey, id: 'k2' },
  ];
  await control.confirm(log.append({ kind: 'keys', node: 'keys' }));
  expect(heard).toEqual(['index', ['k1 retired', 'k2 signing'], 'changes']);
  // an edge that comes later begins with it
  const later = new ControlClient({ socketPath: rig.sockets.edge, edgeId: 'e1.2', logger: memoryLogger().logger });
  ends.push(() => later.close());
  expect((await later.connect()).keys.map(({ id }) => id)).toEqual(['k1', 'k2']);
  expect(rig.said()).not.toContain(Buffer.from(testKey.secret).toString('base64url'));
});

test('a bad file changes nothing and is reported', async () => {
  const control = await rig.start({ reload: () => ({ kind: 'refused', problems: ['routes[0]: no upstream'] }) });
  expect(control.reload()).toEqual({ kind: 'refused', problems: ['routes[0]: no upstream'] });
  const client = new ControlClient({ socketPath: rig.sockets.edge, edgeId: 'e1', logger: memoryLogger().logger });
  ends.push(() => client.close());
  expect(await client.connect()).toMatchObject({ seq: 1 });
  expect(rig.said()).toContain('routes[0]: no upstream');
});

test('an operations address in use is reported with its place in the file', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => blocker.close(() => resolve())));
  const bound = blocker.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const state = testState({ operations: { at: 'operations.address', host: '127.0.0.1', port } });
  await expect(rig.start({ state })).rejects.toMatchObject({ at: 'operations.address', code: 'EADDRINUSE' });
});

test('no key shows up in a log', async () => {
  writeFileSync(`${rig.folder}/users`, 'broken line');
  const control = await rig.start({ state: testState({ usersFile: `${rig.folder}/users` }) });
  const client = await joinEdge('e1');
  await client.questions.askPassword({ route: 'r', user: 'u', password: 'guess-must-not-show', address: '192.0.2.1' });
  control.reload();
  await client.close();
  expect(rig.said()).toContain('users file');
  expect(rig.said()).not.toContain('guess-must-not-show');
  expect(rig.said()).not.toContain(Buffer.from(testKey.secret).toString('base64url'));
  expect(rig.said()).not.toContain(Buffer.from(testKey.secret).toString());
});

test('of two edges that do not confirm, the silent edge is ended, and the edge that still asks is waited for', async () => {
  const log = new MemoryLog();
  const ended: string[] = [];
  const control = await rig.start({ changes: log, endEdge: (edge) => ended.push(edge) });
  const edges = [await joinEdge('e1'), await joinEdge('e2')];
  for (const client of edges) {
    await new Promise<void>((resolve) =>
      client.observe({
        ...ignoringObserver,
        log: (message) => {
          if (message.kind !== 'index') return;
          client.confirmApplied(message.index);
          resolve();
        },
      }),
    );
  }
  await control.confirm(log.position);
  const position = log.append({ kind: 'revoke', node: 'x' });
  const confirmed = control.confirm(position);
  const [talking] = edges;
  const record = { userRecordId: 'pw_1', version: 1, sub: 'anna' };
  const asking = setInterval(() => void talking?.questions.renewPassword(record), 100);
  try {
    await expect.poll(() => ended, { timeout: 30_000 }).toEqual(['e2']);
    expect(rig.said()).toContain('an edge is slow to confirm');
    control.edgeGone('e2');
    talking?.confirmApplied(position);
    await confirmed;
    expect(ended).toEqual(['e2']);
  } finally {
    clearInterval(asking);
  }
});
