// Revocations as visitors meet them: the next request is refused, what is open ends, and what is not known is not guessed.
// With a real store behind a real control. gateway/RULES.md "One graph of revocation".

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewChange } from '../../../gateway/core/model/change.ts';
import type { SigningKey } from '../../../gateway/core/model/signing-key.ts';
import { mintToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import { openStore } from '../../../gateway/store/engine/open-store.ts';
import type { Store } from '../../../gateway/store/port/store.ts';
import { epochSeconds, monotonicMs } from '../../../gateway/telemetry/clock.ts';
import { askRaw, RawClient, requestText } from '../../support/clients/raw-client.ts';
import { WebSocketClient, WebSocketUpstream } from '../../support/clients/websocket.ts';
import { SocketUpstream, type UpstreamSocket } from '../../support/peers/socket-upstream.ts';
import { memoryLogger } from '../../support/rigs/control.ts';
import { gatewaySecret, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-revocation-'));
const answered = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const k1: SigningKey = { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret: gatewaySecret };
const k2: SigningKey = { ...k1, id: 'k2', secret: Buffer.alloc(32, 'b') };
/** What the store's ring is when control reads it again. */
let ring: readonly SigningKey[] = [k1];
/** Of the routes that are told from the others by it; those are patient with a machine that stands still. */
const staleMs = 1000;
let store: Store;
let gateway: TestGateway;
let sites: SocketUpstream;
let sockets: WebSocketUpstream;
/** What the site answers to the next requests for a path below /hold/: the connection is the test's. */
let held: ((connection: UpstreamSocket) => void) | null = null;

beforeAll(async () => {
  const opened = await openStore({
    settings: { kind: 'sqlite', file: join(folder, 'latchkey.db') },
    clock: { epochSeconds },
    logger: memoryLogger().logger,
  });
  if ('kind' in opened) throw new Error(opened.problem);
  store = opened;
  sites = await SocketUpstream.start((connection) => {
    connection.socket.on('data', () => {
      if (!connection.received.endsWith('\r\n\r\n')) return;
      const isHeld = connection.received.includes(' /hold/');
      connection.received = '';
      if (isHeld) held?.(connection);
      else connection.write(answered);
    });
  });
  sockets = await WebSocketUpstream.start();
  gateway = await startGateway({
    changes: store,
    reloadKeys: async () => ring,
    config: {
      upstreams: { site: { servers: [sites.url] }, echo: { servers: [sockets.url] } },
      routes: [
        { name: 'vod', path: '/vod/', upstream: 'site', accept: ['token'], max_staleness: '1d' },
        { name: 'brief', path: '/brief/', upstream: 'site', accept: ['token'], max_staleness: `${staleMs}ms` },
        { name: 'hold', path: '/hold/', upstream: 'site', accept: ['token'], max_staleness: '1d' },
        {
          ...{ name: 'mixed', path: '/mixed/', upstream: 'site', accept: ['anyone', 'token'] },
          max_staleness: `${staleMs}ms`,
        },
        { name: 'free', path: '/free/', upstream: 'site', accept: ['token'], revocation: 'none' },
        { name: 'live', path: '/live/', upstream: 'echo', accept: ['token'], max_staleness: '1d' },
      ],
    },
  });
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([sites?.close(), sockets?.close(), store?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** A revocation as control makes it: durable, then acted upon by every edge, then answered. */
async function write(...changes: NewChange[]): Promise<number> {
  const { position } = await store.write(async (unit) => {
    for (const change of changes) await unit.append(change);
  });
  await gateway.control.confirm(position);
  return position.seq;
}

const revoke = (...nodes: string[]) => write(...nodes.map((node) => ({ kind: 'revoke' as const, node })));

/** A pass that hangs on these nodes, minted from an answer that was read now, or `before` changes ago. */
async function pass(nodes: readonly string[], before = 0, claims: object = {}): Promise<string> {
  const { epoch, seq } = await store.readPosition();
  return gateway.mint({ n: nodes, v: [epoch, seq - before], ...claims }, 'pass');
}

async function statusOf(token: string, path = '/vod/a'): Promise<number> {
  const { status } = await askRaw(gateway.port, requestText('GET', path, [`Authorization: Bearer ${token}`]));
  return status;
}

describe('a revoked node', () => {
  test('refuses what hangs on it from the very next request on, and nothing else', async () => {
    const [mine, other] = [await pass(['ac_1', 'li_1']), await pass(['ac_2', 'li_1'])];
    expect([await statusOf(mine), await statusOf(other)]).toEqual([200, 200]);
    await revoke('ac_1');
    expect([await statusOf(mine), await statusOf(other)]).toEqual([401, 200]);
    await revoke('li_1');
    expect([await statusOf(mine), await statusOf(other)]).toEqual([401, 401]);
    const lines = await gateway.readLog('decisions', '/vod/a');
    expect(lines.map((line) => line.decision)).toContain('deny:token-revoked');
  });

  test('works again once it was granted again, for what was minted after that', async () => {
    const before = await pass(['me_1']);
    await revoke('me_1');
    await write({ kind: 'touch', node: 'ac_1' });
    expect([await statusOf(before), await statusOf(await pass(['me_1']))]).toEqual([401, 200]);
  });

  test('ends a token that an edge minted from an answer of before, whatever the clocks say', async () => {
    await revoke('me_2');
    const late = await pass(['me_2'], 1, { iat: epochSeconds() + 4 });
    expect(await statusOf(late)).toBe(401);
  });

  test('means nothing to a route without revocation', async () => {
    const token = await pass(['ac_3']);
    await revoke('ac_3');
    expect([await statusOf(token, '/free/a'), await statusOf(token)]).toEqual([200, 401]);
  });

  test('refuses outside tokens of a subject that were made before', async () => {
    const now = epochSeconds();
    const [old, undated] = [gateway.mint({ sub: 'bob', iat: now - 10 }), gateway.mint({ sub: 'bob' })];
    const alice = gateway.mint({ sub: 'alice', iat: now - 10 });
    expect([await statusOf(old), await statusOf(undated), await statusOf(alice)]).toEqual([200, 200, 200]);
    await write({ kind: 'outside', node: 'sub:bob' });
    expect([await statusOf(old), await statusOf(undated), await statusOf(alice)]).toEqual([401, 401, 200]);
  });
});

describe('what is open when its node is revoked', () => {
  /** Opens a request whose answer the test gives. */
  async function open(token: string): Promise<{ client: RawClient; connection: UpstreamSocket }> {
    const came = new Promise<UpstreamSocket>((resolve) => {
      held = resolve;
    });
    const client = await RawClient.connect(gateway.port);
    client.write(requestText('GET', '/hold/film', [`Authorization: Bearer ${token}`]));
    return { client, connection: await came };
  }

  test('a download ends with a reset, at its site too, and one beside it goes on', async () => {
    const [mine, other] = [await open(await pass(['li_7'])), await open(await pass(['li_8']))];
    for (const { client, connection } of [mine, other]) {
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
      await client.waitFor('first');
    }
    const reset = once(mine.client.socket, 'error');
    await revoke('li_7');
    expect((await reset)[0]).toMatchObject({ code: 'ECONNRESET' });
    await mine.connection.gone();
    other.connection.write('6\r\nsecond\r\n0\r\n\r\n');
    await other.client.waitFor('second\r\n0\r\n\r\n');
    other.client.destroy();
    const lines = await gateway.readLog('access', '/hold/film');
    expect(lines.map((line) => line.hint)).toContain('ended: what allowed it was revoked');
    expect(gateway.metrics.revocations.answersEnded).toBe(1);
  });

  test('a request that waits for its first byte ends as well', async () => {
    const { client, connection } = await open(await pass(['se_7']));
    await revoke('se_7');
    expect((await client.ended()).length).toBe(0);
    await connection.gone();
  });

  test('a WebSocket ends', async () => {
    const token = await pass(['dv_7']);
    const client = await WebSocketClient.open(gateway.port, '/live/a', [`Authorization: Bearer ${token}`]);
    expect(await client.echo('hello')).toBe('hello');
    await revoke('dv_1');
    expect(await client.echo('still there')).toBe('still there');
    await revoke('dv_7');
    await expect.poll(() => gateway.metrics.tunnels.open, { interval: 5 }).toBe(0);
    client.destroy();
  });
});

test('a key that is removed ends the tokens it verified, once the removal is acknowledged, and what is open with them', async () => {
  const mine = gateway.mint();
  const signer = buildKeyRing([k2]).signer('content');
  const others = mintToken(
    { exp: epochSeconds() + 300, paths: ['/*'] },
    { key: signer ?? expect.fail(), type: 'outside' },
  );
  expect([await statusOf(mine), await statusOf(mine), await statusOf(others)]).toEqual([200, 200, 401]);
  const client = await WebSocketClient.open(gateway.port, '/live/a', [`Authorization: Bearer ${mine}`]);
  expect(await client.echo('hello')).toBe('hello');
  ring = [{ ...k1, state: 'retired' }, k2];
  await write({ kind: 'keys', node: 'keys' });
  expect([await statusOf(mine), await statusOf(others)]).toEqual([401, 200]);
  await expect.poll(() => gateway.metrics.tunnels.open, { interval: 5 }).toBe(0);
  client.destroy();
  ring = [k1];
  await write({ kind: 'keys', node: 'keys' });
  expect([await statusOf(mine), await statusOf(others)]).toEqual([200, 401]);
});

test('after a restore everything minted before is refused, and new tokens pass', async () => {
  const old = await pass(['ac_1']);
  await store.write(async (unit) => {
    await unit.sql.updateTable('log_position').set({ epoch: 'restored', seq: 0 }).execute();
  });
  await expect.poll(() => statusOf(old), { interval: 10 }).toBe(401);
  expect(await statusOf(await pass(['ac_1']))).toBe(200);
  // outside tokens name no place of the log
  expect(await statusOf(gateway.mint())).toBe(200);
});

test('without control tokens hold until the route’s max_staleness, then 503 with Retry-After, until control is back', async () => {
  const token = await pass(['ac_50']);
  gateway.metrics.beforeCollect?.();
  const knownUntilMs = monotonicMs() - gateway.metrics.revocations.indexAgeMs + staleMs;
  await gateway.control.close();
  while ((await statusOf(token, '/brief/a')) === 200) await pause(10);
  expect(monotonicMs()).toBeGreaterThan(knownUntilMs);
  const refused = await askRaw(gateway.port, requestText('GET', '/brief/a', [`Authorization: Bearer ${token}`]));
  expect([refused.status, refused.header('Retry-After')]).toEqual([503, '1']);
  expect(await statusOf(token)).toBe(200);
  // a bad token is a bad token, now as ever
  expect(await statusOf(`${token.slice(0, -8)}AAAAAAAA`, '/brief/a')).toBe(401);
  // nothing has to be known for these
  expect([
    await statusOf(token, '/free/a'),
    (await askRaw(gateway.port, requestText('GET', '/mixed/a'))).status,
  ]).toEqual([200, 200]);
  // what was revoked while nobody could tell the edge is refused at once when somebody can
  const later = await pass(['ac_51']);
  await store.write((unit) => unit.append({ kind: 'revoke', node: 'ac_51' }));
  await gateway.startControlAgain();
  await expect.poll(() => statusOf(token, '/brief/a'), { interval: 10 }).toBe(200);
  expect(await statusOf(later)).toBe(401);
  const lines = await gateway.readLog('decisions', '/brief/a');
  expect(lines.map((line) => line.decision)).toContain('deny:index-stale');
});
