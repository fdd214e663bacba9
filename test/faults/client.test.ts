// Clients that leave, phase by phase, by FIN, by reset and by a half-close, on fresh and on reused upstream connections.
// The upstream's request ends with its client, is never sent again, nothing stays open, and the next client is fine.

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { RawClient, requestText } from '../support/clients/raw-client.ts';
import { startGateway, type TestGateway } from '../support/rigs/gateway.ts';
import { type ClientFault, clientFaults } from './client-faults.ts';
import { type Freshness, freshnesses } from './fault.ts';
import { ScriptedUpstream } from './scripted-upstream.ts';

const ways = ['destroy', 'resetAndDestroy', 'end'] as const;
type Way = (typeof ways)[number];

const upstreams: ScriptedUpstream[] = [];
let gateway: TestGateway;

beforeAll(async () => {
  upstreams.push(await ScriptedUpstream.start({ name: 'fine', at: 'request', outcome: 'ok' }));
  for (const { name, upstream } of clientFaults) {
    upstreams.push(await ScriptedUpstream.start({ name, ...upstream, outcome: 'left' }));
  }
  gateway = await startGateway({
    config: {
      upstreams: Object.fromEntries(upstreams.map(({ url }, at) => [`u${at}`, { servers: [url] }])),
      routes: upstreams.map((_upstream, at) => ({
        name: `r${at}`,
        path: `/r${at}/`,
        upstream: `u${at}`,
        accept: ['anyone'],
      })),
      // whatever else the machine does meanwhile
      limits: { max_event_loop_delay: '1d' },
      logs: { level: 'error', access: 'off', decisions: 'off' },
    },
  });
});
afterAll(async () => {
  await gateway.close();
  for (const upstream of upstreams) await upstream.close();
});

/** `expect.poll` for tests that run side by side. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const lastMs = monotonicMs() + 10_000;
  while (!holds()) {
    if (monotonicMs() > lastMs) throw new Error(`never came: ${what}`);
    await pause(5);
  }
}

async function expectFine(client: RawClient, path: string, id: string): Promise<void> {
  client.write(requestText('GET', `${path}${id}`));
  const answer = await client.read();
  expect([answer.status, answer.text, answer.header('X-Id')]).toEqual([200, 'mine', id]);
}

async function leave(fault: ClientFault, way: Way, freshness: Freshness): Promise<void> {
  const slot = clientFaults.indexOf(fault) + 1;
  const upstream = upstreams[slot];
  if (upstream === undefined) throw new Error('no upstream');
  const path = `/r${slot}/`;
  const id = `${way}-${freshness}`;
  upstream.disarm();
  await upstream.closeIdle();
  const client = await RawClient.connect(gateway.port);
  if (freshness === 'reused') await expectFine(client, path, 'warm');
  upstream.arm(id);
  const before = client.socket.bytesRead;
  if (fault.leaves === 'when stalled') client.socket.pause();
  client.write(fault.sends.replace('$PATH', path + id));
  if (fault.leaves !== 'at once') await until('the request', () => upstream.played.length === 1);
  const [played] = upstream.played;
  if (fault.leaves === 'when answered') await until('the answer', () => client.socket.bytesRead > before);
  if (fault.leaves === 'when stalled')
    await until('the stall', () => played !== undefined && played.writableLength > 0);
  client.socket[way]();
  if (way === 'end') {
    // A client that only stops sending is disconnected as well.
    client.socket.resume();
    await client.ended();
  }
  // one that reads nothing notices no end
  played?.resume();
  if (fault.isSeen) await until("the end of the upstream's request", () => played?.destroyed === true);
  expect(upstream.sightings.length).toBe(fault.isSeen ? 1 : 0);
  if (fault.isSeen) expect(upstream.sightings[0]?.ordinal).toBe(freshness === 'fresh' ? 1 : 2);
  client.destroy();
  upstream.disarm();
  const next = await RawClient.connect(gateway.port);
  await expectFine(next, path, 'next');
  next.destroy();
}

test.concurrent.each(clientFaults.map((fault) => [fault.name, fault] as const))(
  'a client leaves %s',
  async (_name, fault) => {
    for (const way of ways) for (const freshness of freshnesses) await leave(fault, way, freshness);
  },
);

test('no connection or request is left of the clients that left', async () => {
  const left = () => {
    gateway.metrics.beforeCollect?.();
    const { connectionsActive, connectionsIdle, upstreamActive } = gateway.metrics;
    return [connectionsActive + connectionsIdle, ...upstreamActive].filter((count) => count !== 0);
  };
  await expect.poll(left).toEqual([]);
  for (const upstream of upstreams) await upstream.closeIdle();
  // the request behind the one that waited was nobody's any more
  expect(upstreams[0]?.served).toBe(0);
});
