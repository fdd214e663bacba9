// Groups of servers over their life: Unix sockets, ejection, retries within a group, and what a reload keeps.

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { askRaw, RawClient, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer } from '../../support/peers/recording-upstream.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';
import { StoppableClock } from '../../support/rigs/stoppable-clock.ts';

type Upstreams = FileInput['upstreams'];

const clock = new StoppableClock();
const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function configOf(upstreams: Upstreams): FileInput {
  const routes = Object.keys(upstreams).map((name) => ({
    name,
    path: name === 'web' ? '/' : `/${name}/`,
    upstream: name,
    accept: ['anyone' as const],
  }));
  return { upstreams, routes };
}

async function start(upstreams: Upstreams): Promise<TestGateway> {
  const gateway = await startGateway({ config: configOf(upstreams) });
  ends.push(() => gateway.close());
  return gateway;
}

async function server(text: string, port = 0): Promise<SocketUpstream> {
  const upstream = await SocketUpstream.start(
    ({ socket }) => socket.on('data', () => socket.write(okAnswer(text))),
    port,
  );
  ends.push(() => upstream.close());
  return upstream;
}

/** An address that refuses connections. */
async function refusing(): Promise<string> {
  const gone = await SocketUpstream.start();
  const { url } = gone;
  await gone.close();
  return url;
}

const get = (gateway: TestGateway, target = '/') => askRaw(gateway.port, requestText('GET', target));

async function metric(gateway: TestGateway, name: string): Promise<number> {
  const line = (await gateway.scrape()).split('\n').find((text) => text.startsWith(`${name}{upstream="web"}`));
  return Number(line?.split(' ')[1]);
}

test('a Unix socket is a server, absolute or relative to the file, also beside a TCP one', async () => {
  const tcp = await server('tcp');
  const gateway = await start({ web: { servers: ['unix:./app.sock', tcp.url, tcp.url.slice('http://'.length)] } });
  const heads: string[] = [];
  const unix = createServer((socket: Socket) => {
    socket.on('data', (chunk: Buffer) => {
      heads.push(chunk.toString('latin1'));
      socket.write(okAnswer('unix'));
    });
  });
  unix.listen(join(gateway.folder, 'app.sock'));
  await once(unix, 'listening');
  ends.push(() => {
    unix.close();
  });
  const texts = [];
  for (let round = 0; round < 6; round++) texts.push((await get(gateway)).text);
  expect(texts.toSorted()).toEqual(['tcp', 'tcp', 'tcp', 'tcp', 'unix', 'unix']);
  expect(heads[0]).toMatch(/^GET \/ HTTP\/1\.1\r\nHost: media\.example\r\n/);
  await gateway.reload(configOf({ web: { servers: [`unix:${join(gateway.folder, 'app.sock')}`] } }));
  expect((await get(gateway)).text).toBe('unix');
});

test('a server that fails so often in a row is ejected', async () => {
  const gone = await refusing();
  const living = await server('living');
  const gateway = await start({ web: { servers: [gone, living.url], ejection: { failures: 3, for: '1h' } } });
  for (let round = 0; round < 10; round++) expect((await get(gateway)).text).toBe('living');
  // three requests met the dead server and were retried; the others never went there
  expect(gateway.metrics.retries).toBe(3);
  expect(await metric(gateway, 'latchkey_upstream_ejections_total')).toBe(1);
  expect(await metric(gateway, 'latchkey_upstream_healthy_servers')).toBe(1);
  expect(gateway.said()).toContain('upstream server is ejected');
});

test('an ejected server is used again when its time is over, and then one failure is enough to eject it', async () => {
  const gone = await refusing();
  const living = await server('living');
  const gateway = await start({ web: { servers: [gone, living.url], ejection: { failures: 3, for: '30s' } } });
  clock.stop();
  const ejectionsAfterOneMore = async () => {
    expect((await get(gateway)).text).toBe('living');
    return metric(gateway, 'latchkey_upstream_ejections_total');
  };
  await expect.poll(ejectionsAfterOneMore, { interval: 1 }).toBe(1);
  expect(gateway.metrics.retries).toBe(3);
  expect(gateway.said()).toContain('for 30000 ms');
  clock.pass(30_000);
  // a relapse is what comes within a minute of the end
  await expect.poll(ejectionsAfterOneMore, { interval: 1 }).toBe(2);
  expect(gateway.metrics.retries).toBe(4);
  expect(gateway.said()).toContain('for 60000 ms');
  clock.pass(60_000);
  await expect.poll(() => metric(gateway, 'latchkey_upstream_healthy_servers')).toBe(2);
});

test('the last server is never ejected', async () => {
  const dead = [await refusing(), await refusing()];
  const gateway = await start({ web: { servers: dead, ejection: { failures: 1, for: '1h' } } });
  for (let round = 0; round < 4; round++) expect((await get(gateway)).status).toBe(502);
  expect(await metric(gateway, 'latchkey_upstream_ejections_total')).toBe(1);
  const back = await server('back', Number(dead[1]?.split(':')[2]));
  const other = await server('back', Number(dead[0]?.split(':')[2]));
  expect((await get(gateway)).text).toBe('back');
  expect(back.connections.length + other.connections.length).toBe(1);
});

test('answers of any status are no failures; a broken answer is one', async () => {
  const answers = ['HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'];
  let answer = 0;
  const sick = await SocketUpstream.start(({ socket }) =>
    socket.on('data', () => socket.write(answers[answer++ % answers.length] ?? '')),
  );
  ends.push(() => sick.close());
  const well = await server('well');
  const gateway = await start({ web: { servers: [sick.url, well.url], ejection: { failures: 2, for: '1h' } } });
  for (let round = 0; round < 12; round++) await get(gateway);
  expect(await metric(gateway, 'latchkey_upstream_ejections_total')).toBe(0);
  answers.splice(0, 2, 'HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n');
  for (let round = 0; round < 6; round++) await get(gateway);
  expect(await metric(gateway, 'latchkey_upstream_ejections_total')).toBe(1);
});

test('ejection can be switched off', async () => {
  const living = await server('living');
  const gateway = await start({ web: { servers: [await refusing(), living.url], ejection: 'off' } });
  for (let round = 0; round < 14; round++) expect((await get(gateway)).status).toBe(200);
  expect(gateway.metrics.retries).toBe(7);
});

test('retries of failed connections stay within the budget', async () => {
  const living = await server('living');
  const gateway = await start({ web: { servers: [await refusing(), living.url], ejection: 'off' } });
  const statuses = [];
  for (let round = 0; round < 60; round++) statuses.push((await get(gateway)).status);
  // ten are free, and then one of ten requests
  expect(gateway.metrics.retries).toBeLessThanOrEqual(16);
  expect(statuses.filter((status) => status === 502).length).toBeGreaterThanOrEqual(30 - 16);
});

test('a reload keeps connections and ejections of servers that stay, and ends the idle ones of those that go', async () => {
  const staying = await server('staying');
  const going = await server('going');
  const dead = await refusing();
  const gateway = await start({
    web: { servers: [staying.url, dead], ejection: { failures: 1, for: '1h' } },
    other: { servers: [going.url] },
  });
  for (let round = 0; round < 4; round++) await get(gateway);
  expect((await get(gateway, '/other/')).text).toBe('going');
  const open = staying.open;
  const before = await metric(gateway, 'latchkey_upstream_connects_total');

  const more = await server('more');
  await gateway.reload(
    configOf({ web: { servers: [dead, staying.url, more.url], ejection: { failures: 1, for: '1h' } } }),
  );
  await (await going.connection(1)).gone();
  expect(await metric(gateway, 'latchkey_upstream_healthy_servers')).toBe(2);
  const texts = [];
  for (let round = 0; round < 4; round++) texts.push((await get(gateway)).text);
  expect(texts.toSorted()).toEqual(['more', 'more', 'staying', 'staying']);
  expect(staying.open).toBe(open);
  expect(await metric(gateway, 'latchkey_upstream_connects_total')).toBe(before + 1);
});

test('twenty reloads that change nothing open no connection and lose no request', async () => {
  const upstream = await server('same');
  const upstreams = { web: { servers: [upstream.url] } };
  const gateway = await start(upstreams);
  const client = await RawClient.connect(gateway.port);
  ends.push(() => client.destroy());
  for (let round = 0; round < 20; round++) {
    client.write(requestText('GET', `/${round}`));
    const [answer] = await Promise.all([client.read(), gateway.reload(configOf(upstreams))]);
    expect(answer.status).toBe(200);
  }
  expect(upstream.connections).toHaveLength(1);
});

test('an upstream that a reload changes or takes away finishes what runs, and its connection ends then', async () => {
  const slow = await SocketUpstream.start();
  ends.push(() => slow.close());
  const next = await server('next');
  const gateway = await start({ web: { servers: [slow.url] } });
  const client = await RawClient.connect(gateway.port);
  ends.push(() => client.destroy());
  client.write(requestText('GET', '/long'));
  const running = await slow.connection(1);
  await running.heads(1);
  running.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
  await gateway.reload(configOf({ web: { servers: [next.url] } }));
  expect((await get(gateway)).text).toBe('next');
  running.write('cd');
  expect((await client.read()).text).toBe('abcd');
  await running.gone();
});
