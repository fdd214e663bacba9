// The edge's client against a real control on a real socket.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Client } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ControlClient, ControlUnreachable } from '../../../gateway/edge/live/control-client.ts';
import { addUser } from '../../../gateway/store/files/users.ts';
import { monotonicMs } from '../../../gateway/telemetry/clock.ts';
import type { FeedMessage } from '../../../gateway/wire/feed.ts';
import type { AssertionJwk } from '../../../gateway/wire/reports.ts';
import { ignoringObserver } from '../../support/ignoring-observer.ts';
import {
  makeTestControl,
  memoryLogger,
  type TestControl,
  testConfig,
  testKey,
  testState,
} from '../../support/rigs/control.ts';

let rig: TestControl;
let client: ControlClient;
let said: () => string;

beforeEach(() => {
  rig = makeTestControl();
  const memory = memoryLogger();
  said = memory.said;
  client = new ControlClient({ socketPath: rig.sockets.edge, edgeId: 'e1', logger: memory.logger });
});
afterEach(async () => {
  await client.close();
  await rig.clear();
});

/** The first message of a control that plays no part otherwise. */
function emptySnapshot(): FeedMessage {
  const config = testConfig();
  return {
    ...{ kind: 'snapshot', seq: 1, config, keys: [], upstreamTls: [], tls: [] },
    ...{ ticketSecret: '', publicSocket: '', index: null },
  };
}

function makeJwk(kid: string): AssertionJwk {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', x: x ?? '', kid, alg: 'EdDSA', use: 'sig' };
}

async function readJson(target: string | { readonly port: number }, path: string): Promise<unknown> {
  const reader =
    typeof target === 'string'
      ? new Client('http://localhost', { socketPath: target })
      : new Client(`http://127.0.0.1:${target.port}`);
  try {
    return await (await reader.request({ method: 'GET', path })).body.json();
  } finally {
    await reader.destroy();
  }
}

test('the first message is the snapshot with the keys', async () => {
  await rig.start();
  const snapshot = await client.connect();
  expect(snapshot.publicSocket).toBe(rig.sockets.public);
  expect(snapshot.keys.map(({ id, secret }) => [id, Buffer.from(secret, 'base64url')])).toEqual([
    ['k1', Buffer.from(testKey.secret)],
  ]);
});

test('an observer hears what came in one piece with the first snapshot, and in that order', async () => {
  const keys = [{ id: 'k2', algorithm: 'HS256', purpose: 'content', state: 'signing', secret: 'c2VjcmV0' }];
  const server = createServer((_, response) => {
    const lines = [emptySnapshot(), { kind: 'keys', keys }, { kind: 'tickets', ticketSecret: 't' }];
    response.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });
  await new Promise<void>((resolve) => server.listen(rig.sockets.edge, resolve));
  try {
    await client.connect();
    const heard: unknown[] = [];
    client.observe({ ...ignoringObserver, keys: (ring) => heard.push(ring), tickets: (secret) => heard.push(secret) });
    await expect.poll(() => heard).toEqual([keys, 't']);
  } finally {
    await client.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a snapshot of several megabytes arrives whole', async () => {
  const trustedProxies = Array.from({ length: 100_000 }, (_, index) => `10.${index}.0.0/16 ü`);
  await rig.start({ state: testState({ trustedProxies }) });
  expect((await client.connect()).config.trustedProxies).toEqual(trustedProxies);
});

test('waits for a control that is not there yet', async () => {
  const connected = client.connect();
  await expect.poll(said).toContain('lost touch with control');
  await rig.start();
  expect((await connected).kind).toBe('snapshot');
});

test('gives up on a control that never comes, and says what the last try met', async () => {
  await expect(client.connect({ unreachableMs: 100, deadlineMs: 60_000 })).rejects.toThrow(ControlUnreachable);
  expect(said()).toContain('ENOENT');
});

test('comes back to a new control and tells it again what it knew', async () => {
  const first = await rig.start();
  await client.connect();
  const jwk = makeJwk('a1');
  await client.registerAssertionKey(jwk);
  await client.reportReady([{ host: '127.0.0.1', port: 8080 }]);
  let disconnects = 0;
  client.onDisconnect = () => {
    disconnects += 1;
  };
  const again = new Promise((resolve) => {
    client.observe({ ...ignoringObserver, snapshot: resolve });
  });
  await first.close();
  await expect.poll(() => disconnects).toBeGreaterThan(0);
  const second = await rig.start();
  await again;
  await expect.poll(() => readJson(second.operations, '/readyz')).toMatchObject({ status: 'ok' });
  expect(await readJson(rig.sockets.public, '/.latchkey/jwks.json')).toEqual({ keys: [jwk] });
});

test('knows how long ago control was heard', async () => {
  expect(client.snapshotAgeMs(monotonicMs())).toBe(Number.POSITIVE_INFINITY);
  const control = await rig.start();
  await client.connect();
  const heard = monotonicMs();
  // Heartbeats come each 20 ms here: the age measured from one moment goes negative as newer ones arrive.
  await expect.poll(() => client.snapshotAgeMs(heard)).toBeLessThan(0);
  await control.close();
  expect(client.snapshotAgeMs(monotonicMs() + 5000)).toBeGreaterThanOrEqual(5000);
});

test('answers a collection', async () => {
  const control = await rig.start();
  await client.connect();
  client.answerCollect = async () => [
    { name: 'x_total', help: 'x', type: 'counter', aggregator: 'sum', values: [{ value: 3, labels: {} }] },
  ];
  const reader = new Client(`http://127.0.0.1:${control.operations.port}`);
  const text = await (await reader.request({ method: 'GET', path: '/metrics' })).body.text();
  await reader.destroy();
  expect(text).toContain('x_total 3');
});

test('asks about a password, several at once', async () => {
  const usersFile = `${rig.folder}/users`;
  await addUser(usersFile, 'alice', 'right');
  await rig.start({ state: testState({ usersFile }) });
  await client.connect();
  const question = { route: 'vod', user: 'alice', address: '192.0.2.1' };
  const answers = await Promise.all([
    client.questions.askPassword({ ...question, password: 'right' }),
    client.questions.askPassword({ ...question, password: 'wrong' }),
  ]);
  expect(answers).toMatchObject([{ kind: 'verified', sub: 'alice', userRecordVersion: 1 }, { kind: 'refused' }]);
});

test('asks who is known where they are, of many at once', async () => {
  const usersFile = `${rig.folder}/users`;
  await addUser(usersFile, 'alice', 'right');
  await rig.start({ state: testState({ usersFile }) });
  await client.connect();
  const { questions } = client;
  await questions.askPassword({ route: 'vod', user: 'alice', password: 'right', address: '192.0.2.1' });
  const places = [
    { user: 'alice', address: '192.0.2.2' },
    { user: 'alice', address: '192.0.2.1' },
  ];
  expect(await questions.askKnown({ places })).toEqual({ known: [false, true] });
  expect(await questions.askKnown({ places: Array.from({ length: 65 }, () => places).flat() })).toEqual({
    kind: 'away',
  });
});

test('answers away while control is gone, and logs no password', async () => {
  const control = await rig.start();
  await client.connect();
  await control.close();
  const answer = await client.questions.askPassword({
    route: 'vod',
    user: 'alice',
    password: 'guess-1234',
    address: 'a',
  });
  expect(answer).toEqual({ kind: 'away' });
  expect(said()).not.toContain('guess-1234');
});

test('asks about access and sessions, and reports what was seen', async () => {
  const asked: unknown[] = [];
  const position = { epoch: 'e', seq: 7 };
  await rig.start({
    answers: {
      answerAccess: async (question) => {
        asked.push(question);
        if (question.path === '/broken') throw new Error('the store is away');
        return { kind: 'none', position, subjects: ['ac_1'] };
      },
      renewSession: async (question) => {
        asked.push(question);
        return { kind: 'renewed', token: 'a.b.c', maxAgeSeconds: 9 };
      },
      recordSeen: async (report) => {
        asked.push(report);
      },
    },
  });
  await client.connect();
  const { questions } = client;
  const who = { account: 'ac_1', session: 'se_1', device: 'dv_1', host: 'media.example' };
  const seen = [{ session: 'se_1', device: 'dv_1', member: null, at: 17 }];
  expect(await questions.askAccess({ ...who, path: '/vod/a' })).toEqual({ kind: 'none', position, subjects: ['ac_1'] });
  expect(await questions.askAccess({ ...who, path: '/broken' })).toEqual({ kind: 'away' });
  expect(await questions.renewSession(who)).toEqual({ kind: 'renewed', token: 'a.b.c', maxAgeSeconds: 9 });
  expect(await questions.reportSeen(seen)).toBe(true);
  expect(asked).toEqual([{ ...who, path: '/vod/a' }, { ...who, path: '/broken' }, who, { edge: 'e1', seen }]);
});

test('a control without a store has no answer about access', async () => {
  await rig.start();
  await client.connect();
  const who = { account: 'ac_1', session: 'se_1', device: 'dv_1', host: 'media.example' };
  expect(await client.questions.askAccess({ ...who, path: '/' })).toEqual({ kind: 'away' });
  expect(await client.questions.renewSession(who)).toEqual({ kind: 'away' });
});

test('asks whether the record of a pass still stands', async () => {
  const usersFile = `${rig.folder}/users`;
  await addUser(usersFile, 'alice', 'one');
  await rig.start({ state: testState({ usersFile }) });
  await client.connect();
  const { questions } = client;
  const password = { route: 'vod', user: 'alice', address: '192.0.2.1', password: 'one' };
  const answer = await questions.askPassword(password);
  if (answer.kind !== 'verified') throw new Error(`the password was ${answer.kind}`);
  const record = { sub: answer.sub, userRecordId: answer.userRecordId, version: answer.userRecordVersion };
  expect(await questions.renewPassword(record)).toEqual({ kind: 'stands' });
  expect(await questions.renewPassword({ ...record, sub: 'bob' })).toEqual({ kind: 'gone' });
  await addUser(usersFile, 'alice', 'two');
  expect(await questions.renewPassword(record)).toEqual({ kind: 'gone' });
});

test('what the edge acts on, its key and its readiness are heard while every guess, question, record and number hangs', async () => {
  const hanging: string[] = [];
  const heard: string[] = [];
  // a control that answers nothing but what an edge says of itself
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/feed')) {
      response.write(`${JSON.stringify(emptySnapshot())}\n`);
      return;
    }
    request.resume();
    if (['/applied', '/ready', '/assertion-keys'].includes(path)) {
      heard.push(path);
      response.writeHead(204).end();
    } else hanging.push(path);
  });
  await new Promise<void>((resolve) => server.listen(rig.sockets.edge, resolve));
  try {
    await client.connect();
    client.answerCollect = async () => [];
    const { questions } = client;
    const question = { route: 'vod', user: 'u', password: 'p', address: '192.0.2.1' };
    const holder = { account: 'ac_1', session: 'se_1', device: 'dv_1', host: 'h' };
    const waiting = [
      ...Array.from({ length: 100 }, () => questions.askPassword(question)),
      ...Array.from({ length: 100 }, (_, at) => questions.askAccess({ ...holder, path: `/${at}` })),
      ...Array.from({ length: 10 }, () => questions.renewSession(holder)),
      ...Array.from({ length: 10 }, () => questions.reportSeen([])),
      ...Array.from({ length: 10 }, () => questions.reportDecisions('{}\n')),
      client.reportMetrics().catch(() => undefined),
    ];
    await expect.poll(() => new Set(hanging)).toEqual(new Set(['/password', '/access', '/seen', '/metrics']));
    const before = hanging.length;
    await client.registerAssertionKey(makeJwk('a1'));
    await client.reportReady([]);
    client.confirmApplied({ epoch: 'e', seq: 1 });
    client.reportEnding({ epoch: 'e', seq: 2 });
    await expect.poll(() => heard).toEqual(['/assertion-keys', '/ready', '/applied', '/applied']);
    expect(hanging.length).toBe(before);
    await client.close();
    await Promise.all(waiting);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
