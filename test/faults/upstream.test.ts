// Every fault of an upstream, with every kind of request, on fresh and on reused connections. See fault.ts for what is
// expected and judge.ts for what is checked. One gateway and one upstream per fault; faults run side by side.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient, requestText } from '../support/clients/raw-client.ts';
import { startGateway, type TestGateway } from '../support/rigs/gateway.ts';
import { type Fault, freshnesses, methods } from './fault.ts';
import { connectionFaults } from './faults-connection.ts';
import { framingFaults } from './faults-framing.ts';
import { mannersFaults } from './faults-manners.ts';
import { tunnelFaults } from './faults-tunnel.ts';
import { type CellResult, runCell } from './judge.ts';
import { ScriptedUpstream } from './scripted-upstream.ts';

const faults: readonly Fault[] = [...connectionFaults, ...framingFaults, ...mannersFaults, ...tunnelFaults];
// Faults that run at the same time: most of them wait for a timeout, and two cores must keep the timers accurate.
const lanes = 24;
const fine: Fault = { name: 'fine', at: 'request', outcome: 'ok' };
const results: CellResult[] = [];
const upstreams: ScriptedUpstream[] = [];
let gateway: TestGateway;

beforeAll(async () => {
  for (const fault of [fine, ...faults]) upstreams.push(await ScriptedUpstream.start(fault));
  gateway = await startGateway({
    config: {
      upstreams: Object.fromEntries(upstreams.map(({ url }, at) => [`u${at}`, { servers: [url] }])),
      routes: upstreams.map((_upstream, at) => ({
        name: `r${at}`,
        path: `/r${at}/`,
        upstream: `u${at}`,
        accept: ['anyone'],
      })),
      timeouts: {
        request_body_idle: '5s',
        upstream_connect: '1s',
        upstream_first_byte: '1s',
        upstream_idle: '1s',
        client_write_idle: '5s',
        tunnel_idle: '1s',
      },
      // whatever else the machine does meanwhile
      limits: { max_event_loop_delay: '1d' },
      logs: { level: 'error', access: 'off', decisions: 'off' },
    },
  });
  await earnRetries();
  const waiting = upstreams.slice(1);
  const lane = async (): Promise<void> => {
    for (let upstream = waiting.shift(); upstream !== undefined; upstream = waiting.shift()) await runFault(upstream);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
});

afterAll(async () => {
  print();
  await gateway.close();
  for (const upstream of upstreams) await upstream.close();
});

/** The budget of retries is a share of all requests: it must not run out here. */
async function earnRetries(): Promise<void> {
  const count = 1000;
  const client = await RawClient.connect(gateway.port);
  client.write(requestText('GET', '/r0/earn').repeat(count));
  for (let at = 0; at < count; at++) await client.read();
  client.destroy();
}

async function runFault(upstream: ScriptedUpstream): Promise<void> {
  const slot = upstreams.indexOf(upstream);
  const running = (): number => {
    gateway.metrics.beforeCollect?.();
    return gateway.metrics.upstreamActive[slot] ?? Number.NaN;
  };
  const rig = { port: gateway.port, upstream, path: `/r${slot}/`, finePath: '/r0/', running };
  for (const method of upstream.fault.methods ?? methods) {
    for (const freshness of upstream.fault.freshnesses ?? freshnesses) {
      results.push(await runCell(rig, method, freshness));
    }
  }
}

function print(): void {
  const outcomes = new Map<string, { cells: number; longest: number }>();
  for (const { outcome, tookMs } of results) {
    const row = outcomes.get(String(outcome)) ?? { cells: 0, longest: 0 };
    outcomes.set(String(outcome), { cells: row.cells + 1, longest: Math.max(row.longest, Math.round(tookMs)) });
  }
  const rows = [...outcomes].map(([outcome, { cells, longest }]) => `${outcome}: ${cells} (at most ${longest} ms)`);
  process.stdout.write(`faults: ${faults.length}, cells: ${results.length}; ${rows.sort().join(', ')}\n`);
}

test.each(faults.map((fault) => [fault.name, fault] as const))('%s', (_name, fault) => {
  const mine = results.filter((result) => result.fault === fault);
  expect(mine).toHaveLength((fault.methods ?? methods).length * (fault.freshnesses ?? freshnesses).length);
  const problems = mine.flatMap(({ method, freshness, problems: found }) =>
    found.map((problem) => `${method}, ${freshness}: ${problem}`),
  );
  expect(problems).toEqual([]);
});

test('no connection or request is left open after the faults', async () => {
  for (const upstream of upstreams) await upstream.closeIdle();
  await expect.poll(() => gateway.edge && upstreams.reduce((sum, upstream) => sum + upstream.open, 0)).toBe(0);
  const counts = () => {
    gateway.metrics.beforeCollect?.();
    return gateway.metrics.connectionsActive + gateway.metrics.connectionsIdle;
  };
  await expect.poll(counts).toBe(0);
});
