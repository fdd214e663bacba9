// Names of upstreams: resolved again for each new connection, with several addresses, names that move and names that go.
// The resolver is the test's; the connections are real.

import type { LookupAddress } from 'node:dns';
import { createServer, type LookupFunction } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { inTurn } from '../../../gateway/edge/upstream/upstream-target.ts';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

let addresses: LookupAddress[] = [];
let asked: string[] = [];

const lookup: LookupFunction = (hostname, options, callback) => {
  asked.push(hostname);
  expect(options.all).toBe(true);
  if (addresses.length > 0) callback(null, [...addresses]);
  else callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), []);
};

const v4 = (address: string): LookupAddress => ({ address, family: 4 });

/** The same port on several loopback addresses; each answers with its address. @returns the port, and how to end one */
async function listenOn(hosts: readonly string[]): Promise<{ port: number; accepted: string[] }> {
  const accepted: string[] = [];
  let port = 0;
  for (const host of hosts) {
    const server = createServer((socket) => {
      accepted.push(host);
      socket.on('error', () => undefined);
      ends.push(() => {
        socket.destroy();
      });
      socket.on('data', (chunk: Buffer) => {
        const last = chunk.includes('GET /last');
        socket.write(okAnswer(host, last ? ['Connection: close'] : []));
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    const bound = server.address();
    port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    ends.push(() => {
      server.close();
    });
  }
  return { port, accepted };
}

async function start(port: number): Promise<TestGateway> {
  asked = [];
  const gateway = await startGateway({
    lookup,
    config: {
      upstreams: { web: { servers: [`http://app.internal:${port}`] } },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
    },
  });
  ends.push(() => gateway.close());
  return gateway;
}

const ask = async (gateway: TestGateway, target: string) => {
  const answer = await askRaw(gateway.port, requestText('GET', target));
  return answer.status === 200 ? answer.text : answer.status;
};

test('a name that moved is followed when a connection is renewed, not before', async () => {
  const { port } = await listenOn(['127.0.0.1', '127.0.0.2']);
  addresses = [v4('127.0.0.1')];
  const gateway = await start(port);
  expect(await ask(gateway, '/')).toBe('127.0.0.1');
  addresses = [v4('127.0.0.2')];
  expect(await ask(gateway, '/last')).toBe('127.0.0.1');
  expect(asked).toEqual(['app.internal']);
  expect(await ask(gateway, '/')).toBe('127.0.0.2');
  expect(asked).toEqual(['app.internal', 'app.internal']);
});

test('a name that is gone breaks no connection that stands; a new one is 502, and the log says why', async () => {
  const { port } = await listenOn(['127.0.0.1']);
  addresses = [v4('127.0.0.1')];
  const gateway = await start(port);
  expect(await ask(gateway, '/')).toBe('127.0.0.1');
  addresses = [];
  expect(await ask(gateway, '/last')).toBe('127.0.0.1');
  expect(await ask(gateway, '/')).toBe(502);
  expect(gateway.said()).toContain('ENOTFOUND app.internal');
  addresses = [v4('127.0.0.1')];
  expect(await ask(gateway, '/')).toBe('127.0.0.1');
});

test('several addresses of a name are used in turn, and one that refuses is passed over', async () => {
  const { port, accepted } = await listenOn(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'].map(v4);
  const gateway = await start(port);
  for (let round = 0; round < 8; round++) expect(await ask(gateway, '/last')).toMatch(/^127\.0\.0\.[123]$/);
  expect(new Set(accepted)).toEqual(new Set(['127.0.0.1', '127.0.0.2', '127.0.0.3']));
  expect(gateway.metrics.retries).toBe(0);
});

test('addresses take turns within the family that the resolver prefers', () => {
  const found: LookupAddress[] = [
    { address: '::1', family: 6 },
    { address: '::2', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ];
  const turns: string[] = [];
  const turning = inTurn((_hostname, _options, callback) => callback(null, found));
  for (let round = 0; round < 3; round++) {
    turning('app.internal', { all: true }, (_error, list) => {
      turns.push(Array.isArray(list) ? list.map(({ address }) => address).join(' ') : '');
    });
  }
  expect(turns).toEqual(['::2 ::1 127.0.0.1', '::1 ::2 127.0.0.1', '::2 ::1 127.0.0.1']);
});
