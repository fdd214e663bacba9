// Several requests on one upstream connection at once, where an upstream was declared for it: every client gets its own
// answer whatever the upstream, the neighbours in the line, or their clients do. Rule: RFC 9112 §9.3.2.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream, type UpstreamSocket } from '../../support/peers/socket-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const answer = (text: string, fields = '') =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n${fields}\r\n${text}`;
let gateway: TestGateway;
let upstream: SocketUpstream;
let clients: RawClient[];

beforeEach(async () => {
  isOver = false;
  upstream = await SocketUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url], pipelining: 4 } },
      routes: [
        {
          name: 'all',
          path: '/',
          upstream: 'web',
          accept: ['anyone'],
          timeouts: { upstream_first_byte: '20s', upstream_idle: '20s' },
        },
      ],
    },
  });
  clients = await Promise.all(Array.from({ length: 6 }, () => RawClient.connect(gateway.port)));
  // one good exchange, so that each is accepted and a connection is idle
  for (const client of clients) client.write(requestText('HEAD', '/warm'));
  for (;;) {
    for (const connection of upstream.connections) reply(connection, 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n');
    if (upstream.connections.length > 0 && answered() >= 6) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const client of clients) await client.read('HEAD');
});
afterEach(async () => {
  isOver = true;
  for (const client of clients) client.destroy();
  await gateway.close();
  await upstream.close();
});

const replied = new WeakMap<UpstreamSocket, number>();

function headsOf(connection: UpstreamSocket): number {
  return connection.received.split('\r\n\r\n').length - 1;
}

/** Answers what came since the last call, all alike. */
function reply(connection: UpstreamSocket, text: string): void {
  for (let done = replied.get(connection) ?? 0; done < headsOf(connection); done++) {
    connection.write(text);
    replied.set(connection, done + 1);
  }
}

function answered(): number {
  return upstream.connections.reduce((sum, connection) => sum + (replied.get(connection) ?? 0), 0);
}

/** Requests in one turn of the loop. @returns the connection that all of them are on, and where they begin */
async function sendTogether(count: number): Promise<{ connection: UpstreamSocket; paths: () => string[] }> {
  for (let attempt = 1; ; attempt++) {
    const { busy, paths } = await send(count);
    const [connection] = busy;
    if (busy.length === 1 && connection !== undefined) return { connection, paths: () => paths(connection) };
    // the kernel of a busy machine may hand them over one by one: then each has a connection of its own
    if (attempt === 50) throw new Error(`${count} requests never came in one turn`);
    for (const each of busy) for (const path of paths(each)) each.write(answer(`for ${path}`));
    for (const client of clients.slice(0, count)) await client.read();
  }
}

async function send(count: number): Promise<{ busy: UpstreamSocket[]; paths: (of: UpstreamSocket) => string[] }> {
  const before = new Map(upstream.connections.map((connection) => [connection, connection.received.length]));
  for (let index = 0; index < count; index++) clients[index]?.write(requestText('GET', `/${index}`));
  const tail = (connection: UpstreamSocket) => connection.received.slice(before.get(connection) ?? 0);
  for (;;) {
    const busy = upstream.connections.filter((connection) => tail(connection) !== '');
    const heads = busy.reduce((sum, connection) => sum + tail(connection).split('\r\n\r\n').length - 1, 0);
    const paths = (of: UpstreamSocket) => [...tail(of).matchAll(/^GET (\S+) /gm)].map(([, path]) => path ?? '');
    if (heads === count) return { busy, paths };
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The connection on which this path arrives, other than `not`. */
async function connectionWith(path: string, not: UpstreamSocket | null): Promise<UpstreamSocket> {
  for (;;) {
    const found = upstream.connections.find((known) => known !== not && known.received.includes(`GET ${path} `));
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** On a slow machine those who wait behind may have gone elsewhere before the test wrote their answers. */
function answerElsewhere(not: UpstreamSocket): void {
  const answerAll = () => {
    for (const known of upstream.connections) {
      if (known === not || known.isGone) continue;
      const asked = [...known.received.matchAll(/^GET (\/\d) /gm)];
      for (const [, path] of asked.slice(elsewhere.get(known) ?? 0)) known.write(answer(`for ${path}`));
      elsewhere.set(known, asked.length);
    }
    if (!isOver) setImmediate(answerAll);
  };
  answerAll();
}

const elsewhere = new WeakMap<UpstreamSocket, number>();
let isOver = false;

test('requests of one turn share a connection, and each client gets its own answer', async () => {
  const { connection, paths } = await sendTogether(4);
  // in one write, in pieces that end in the middle of heads and bodies, all of it is sorted out alike
  const all = paths()
    .map((path) => answer(`for ${path}`))
    .join('');
  connection.write(all.slice(0, 30));
  await new Promise((resolve) => setImmediate(resolve));
  connection.write(all.slice(30));
  answerElsewhere(connection);
  for (let index = 0; index < 4; index++) expect((await clients[index]?.read())?.text).toBe(`for /${index}`);
});

test('no more requests share a connection than the upstream takes', async () => {
  for (const [index, client] of clients.entries()) client.write(requestText('GET', `/${index}`));
  for (let seen = 0; seen < clients.length; ) {
    await new Promise((resolve) => setImmediate(resolve));
    seen = upstream.connections.reduce((sum, { received }) => sum + (received.match(/^GET /gm)?.length ?? 0), 0);
  }
  for (const connection of upstream.connections) {
    expect(connection.received.slice(connection.received.indexOf('GET')).split('GET /').length - 1).toBeLessThanOrEqual(
      4,
    );
  }
});

test('a request with a body never shares a connection', async () => {
  clients[0]?.write(requestText('GET', '/a'));
  clients[1]?.write(`${requestText('POST', '/b', ['Content-Length: 2']).slice(0, -4)}\r\n\r\nhi`);
  clients[2]?.write(requestText('GET', '/c'));
  for (;;) {
    const post = upstream.connections.find((connection) => connection.received.includes('POST /b'));
    if (post?.received.includes('hi')) {
      expect(post.received).not.toMatch(/GET \/[ac]/);
      break;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test('no request goes out behind one whose body is still to come', async () => {
  // alone, so that the connection which took the last shared request is the one that is used next
  clients[3]?.write(requestText('HEAD', '/alone'));
  while (answered() < 7) {
    for (const known of upstream.connections) reply(known, 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await clients[3]?.read('HEAD');
  // both become readable in one poll of the gateway
  clients[0]?.write(requestText('POST', '/open', ['Content-Length: 4']));
  clients[1]?.write(requestText('GET', '/victim'));
  const victim = await connectionWith('/victim', null);
  expect(victim.received).not.toContain('POST /open');
});

test('when the upstream closes without a word, requests that were not answered are sent again', async () => {
  // on a connection that nothing was asked on before: what fails there is no stale connection's fault
  for (const known of upstream.connections) known.socket.end();
  while (upstream.connections.some(({ isGone }) => !isGone)) await new Promise((resolve) => setImmediate(resolve));
  const { connection } = await sendTogether(3);
  connection.write(answer('first'));
  connection.socket.end();
  expect((await clients[0]?.read())?.text).toBe('first');
  for (const index of [1, 2]) {
    const again = await connectionWith(`/${index}`, connection);
    again.write(answer(`again ${index}`));
    expect((await clients[index]?.read())?.text).toBe(`again ${index}`);
  }
});

test('when the upstream closes after the first answer, the other requests are sent again, each once', async () => {
  const { connection } = await sendTogether(3);
  connection.write(answer('first', 'Connection: close\r\n'));
  connection.socket.end();
  expect((await clients[0]?.read())?.text).toBe('first');
  for (const index of [1, 2]) {
    const again = await connectionWith(`/${index}`, connection);
    again.write(answer(`again ${index}`));
    expect((await clients[index]?.read())?.text).toBe(`again ${index}`);
  }
  const asked = upstream.connections.map(({ received }) => received).join('');
  for (const index of [1, 2]) expect(asked.split(`GET /${index} `)).toHaveLength(3);
});

test('a reset in the middle of an answer cuts off that client alone', async () => {
  const { connection } = await sendTogether(2);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart');
  await new Promise((resolve) => setImmediate(resolve));
  connection.socket.resetAndDestroy();
  await expect(clients[0]?.read()).rejects.toThrow();
  const again = await connectionWith('/1', connection);
  again.write(answer('whole'));
  expect((await clients[1]?.read())?.text).toBe('whole');
});

test('a client that leaves does not shift the answers of the others', async () => {
  const { connection } = await sendTogether(3);
  clients[0]?.destroy();
  clients[1]?.destroy();
  while (!/latchkey_connections\{state="active"\} 1\b/.test(await gateway.scrape()));
  for (const index of [0, 1, 2]) connection.write(answer(`for /${index}`));
  answerElsewhere(connection);
  expect((await clients[2]?.read())?.text).toBe('for /2');
});

test('requests do not wait behind an answer that is long: they go to another connection', async () => {
  const { connection } = await sendTogether(2);
  const size = 1024 * 1024;
  connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(1000)}`);
  const again = await connectionWith('/1', connection);
  again.write(answer('quick'));
  expect((await clients[1]?.read())?.text).toBe('quick');
  connection.write('x'.repeat(size - 1000));
  expect((await clients[0]?.read())?.body).toHaveLength(size);
  // what the upstream still says to the request that went elsewhere meets nobody
  await connection.gone();
});

test('requests do not wait behind an answer that does not come: they go to another connection', async () => {
  const { connection } = await sendTogether(2);
  const again = await connectionWith('/1', connection);
  again.write(answer('elsewhere'));
  expect((await clients[1]?.read())?.text).toBe('elsewhere');
  connection.write(answer('late'));
  expect((await clients[0]?.read())?.text).toBe('late');
  await connection.gone();
});

test('bytes that wait on an idle connection when a request is read are nobody’s answer', async () => {
  const idle = upstream.connections.find((connection) => !connection.isGone);
  if (idle === undefined) throw new Error('no connection is idle');
  // both become readable in one poll of the gateway, the request first
  clients[0]?.write(requestText('POST', '/bare', ['Content-Length: 0']));
  for (const connection of upstream.connections) connection.write(answer('poison'));
  for (;;) {
    const clean = upstream.connections.find(({ received, isGone }) => received.includes('POST /bare') && !isGone);
    if (clean !== undefined) {
      clean.write(answer('clean'));
      break;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await clients[0]?.read())?.text).toBe('clean');
  expect(idle.received).not.toContain('POST /bare');
});

test('where no other connection may be opened, requests behind a long answer wait for it', async () => {
  await gateway.reload({
    upstreams: { web: { servers: [upstream.url], pipelining: 4, max_connections: 1 } },
    routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
  });
  const { connection } = await sendTogether(2);
  const size = 200_000;
  connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(1000)}`);
  const long = clients[0]?.read();
  // many turns of the loop that the gateway shares with this test: whatever it wants to do with the other one it has done
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  connection.write(`${'x'.repeat(size - 1000)}${answer('behind')}`);
  expect((await long)?.body).toHaveLength(size);
  expect((await clients[1]?.read())?.text).toBe('behind');
});

test('a server that ends each connection after so many requests gets no more on one, and no request twice', async () => {
  const most = 20;
  const served = new WeakMap<UpstreamSocket, number>();
  let isDone = false;
  const serve = () => {
    for (const connection of upstream.connections) {
      const heads = headsOf(connection);
      for (let at = served.get(connection) ?? replied.get(connection) ?? 0; at < heads && at < most; at++) {
        connection.write(answer(`answer ${at}`, at === most - 1 ? 'Connection: close\r\n' : ''));
        served.set(connection, at + 1);
        if (at === most - 1) connection.socket.end();
      }
    }
    if (!isDone) setImmediate(serve);
  };
  serve();
  const round = async () => {
    for (const client of clients) client.write(requestText('GET', '/round'));
    for (const client of clients) expect((await client.read()).text).toMatch(/^answer \d+$/);
  };
  for (let turn = 0; turn < 30; turn++) await round();
  const learned = gateway.metrics.retries;
  const taken = () => (gateway.metrics.upstreamConnects[0] ?? 0) + (gateway.metrics.upstreamReuses[0] ?? 0);
  const before = taken();
  for (let turn = 0; turn < 60; turn++) await round();
  isDone = true;
  expect(gateway.metrics.retries).toBe(learned);
  expect(learned).toBeLessThanOrEqual(6);
  // and pipelining goes on: fewer connections were taken than requests were made
  expect(taken() - before).toBeLessThan(60 * clients.length * 0.8);
});
