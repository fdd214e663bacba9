// Which of an upstream's servers gets a request: by connections, by weight, by hash.

import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashText, noKey, score } from '../../../gateway/edge/upstream/balance.ts';
import { askRaw, RawClient, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

type Upstream = FileInput['upstreams'][string];

const ends: (() => Promise<void> | void)[] = [];
let servers: RecordingUpstream[];

beforeEach(async () => {
  servers = await Promise.all(['a', 'b', 'c'].map(() => RecordingUpstream.start()));
  servers.forEach((server, at) => {
    server.fallback = okAnswer(String(at));
    ends.push(() => server.close());
  });
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(upstream: Omit<Upstream, 'servers'> & Partial<Upstream>): Promise<TestGateway> {
  const gateway = await startGateway({ config: configOf(upstream) });
  ends.push(() => gateway.close());
  return gateway;
}

function configOf(upstream: Omit<Upstream, 'servers'> & Partial<Upstream>): FileInput {
  return {
    upstreams: { web: { servers: servers.map(({ url }) => url), ...upstream } },
    routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
  };
}

/** Number of the server that answered. */
async function serverOf(gateway: TestGateway, target: string, fields: string[] = []): Promise<number> {
  const answer = await askRaw(gateway.port, requestText('GET', target, fields));
  expect(answer.status).toBe(200);
  return Number(answer.text);
}

test('without a balance idle servers are used in turn', async () => {
  const gateway = await start({});
  const seen = [];
  for (let round = 0; round < 6; round++) seen.push(await serverOf(gateway, '/'));
  expect(seen.toSorted()).toEqual([0, 0, 1, 1, 2, 2]);
});

test('a server with weight 2 gets twice as many requests', async () => {
  const [one, two] = servers.map(({ url }) => url);
  const gateway = await start({ servers: [{ address: one ?? '', weight: 2 }, two ?? ''] });
  const seen = [];
  for (let round = 0; round < 9; round++) seen.push(await serverOf(gateway, '/'));
  expect(seen.filter((server) => server === 0)).toHaveLength(6);
});

test('the server with fewer requests running is next, whatever its turn', async () => {
  const busy = await SocketUpstream.start();
  ends.push(() => busy.close());
  const gateway = await start({ servers: [busy.url, servers[1]?.url ?? ''] });
  const waiting = [];
  for (let round = 0; round < 2; round++) {
    const client = await RawClient.connect(gateway.port);
    ends.push(() => client.destroy());
    client.write(requestText('GET', '/wait'));
    waiting.push(client);
  }
  // one of the two went to the server that does not answer; from now on that one is busy
  await (await busy.connection(1)).heads(1);
  for (let round = 0; round < 6; round++) expect(await serverOf(gateway, '/')).toBe(1);
});

test.each([
  ['hash: path', { hash: 'path' as const }, (key: string): [string, string[]] => [`/${key}?x=${key}`, []]],
  ['hash_header', { hash_header: 'X-Device' }, (key: string): [string, string[]] => ['/', [`x-device: ${key}`]]],
  ['hash_cookie', { hash_cookie: 'id' }, (key: string): [string, string[]] => ['/', [`Cookie: a=b; id=${key}; id=no`]]],
])('%s sends equal values to one server, and different ones to all of them', async (_name, balance, requestFor) => {
  const gateway = await start({ balance });
  const seen = new Set<number>();
  for (let number = 0; number < 24; number++) {
    const [target, fields] = requestFor(`key-${number}`);
    const first = await serverOf(gateway, target, fields);
    expect(await serverOf(gateway, target, fields)).toBe(first);
    seen.add(first);
  }
  expect(seen.size).toBe(3);
});

test('the path that is hashed is the canonical one, without its query', async () => {
  const gateway = await start({ balance: { hash: 'path' } });
  for (let number = 0; number < 8; number++) {
    expect(await serverOf(gateway, `/a${number}%41`)).toBe(await serverOf(gateway, `/a${number}A?n=${number}`));
  }
});

test('requests without the header or the cookie are spread by connections', async () => {
  for (const balance of [{ hash_header: 'X-Device' }, { hash_cookie: 'id' }]) {
    const gateway = await start({ balance });
    const seen = new Set<number>();
    for (let round = 0; round < 3; round++)
      seen.add(await serverOf(gateway, '/', ['Cookie: other=1; id=', 'X-Device: ']));
    expect(seen.size).toBe(3);
  }
});

test('a key whose server is gone goes to one other server, and comes back', async () => {
  const gateway = await start({ balance: { hash: 'path' }, ejection: { failures: 1, for: '100ms' } });
  const home = await serverOf(gateway, '/film');
  const gone = servers[home];
  if (gone === undefined) throw new Error('no such server');
  const { port } = gone;
  await gone.close();
  const away = await serverOf(gateway, '/film');
  expect(away).not.toBe(home);
  for (let round = 0; round < 3; round++) expect(await serverOf(gateway, '/film')).toBe(away);
  const again = await SocketUpstream.start(
    ({ socket }) => socket.on('data', () => socket.write(okAnswer('again'))),
    port,
  );
  ends.push(() => again.close());
  await expect.poll(async () => (await askRaw(gateway.port, requestText('GET', '/film'))).text).toBe('again');
});

test('a key whose server is full goes to another one', async () => {
  const stalled = await SocketUpstream.start();
  ends.push(() => stalled.close());
  const free = servers[0]?.url ?? '';
  const gateway = await start({ servers: [stalled.url, free], balance: { hash: 'path' }, max_connections: 1 });
  const client = await RawClient.connect(gateway.port);
  ends.push(() => client.destroy());
  let number = 0;
  // a path that belongs to the one that does not answer
  while (stalled.connections.length === 0) {
    client.write(requestText('GET', `/${++number}`));
    await Promise.race([stalled.connection(1), client.read()]);
  }
  expect(await serverOf(gateway, `/${number}`)).toBe(0);
});

/** The winner, as the group picks it. */
function winner(key: number, hosts: readonly string[], weights: readonly number[] = []): string {
  const scores = hosts.map((host, at) => score(key, hashText(host), weights[at] ?? 1));
  return hosts[scores.indexOf(Math.min(...scores))] ?? '';
}

test('taking one of N servers away moves its own keys and no others; each has about its share', () => {
  const hosts = fc.uniqueArray(fc.tuple(fc.domain(), fc.integer({ min: 1, max: 65_535 })), {
    minLength: 2,
    maxLength: 12,
    selector: ([host, port]) => `${host}:${port}`,
  });
  const keys = Array.from({ length: 1500 }, (_, at) => hashText(`/media/${at}.ts`));
  fc.assert(
    fc.property(hosts, (pairs) => {
      const names = pairs.map(([host, port]) => `${host}:${port}`);
      const rest = names.slice(1);
      let moved = 0;
      for (const key of keys) {
        const before = winner(key, names);
        if (before === names[0]) moved++;
        else expect(winner(key, rest)).toBe(before);
      }
      const share = keys.length / names.length;
      expect(Math.abs(moved - share)).toBeLessThan(6 * Math.sqrt(share));
    }),
    { numRuns: 12 },
  );
});

test('a server with weight 3 beside one with weight 1 has three quarters of the keys', () => {
  let heavy = 0;
  for (let at = 0; at < 4000; at++) if (winner(hashText(`user-${at}`), ['one:1', 'two:1'], [3, 1]) === 'one:1') heavy++;
  expect(heavy).toBeGreaterThan(2850);
  expect(heavy).toBeLessThan(3150);
});

test('no text hashes to the value that stands for "no key"', () => {
  fc.assert(fc.property(fc.string(), (text) => hashText(text) >= 0 && hashText(text) !== noKey));
});
