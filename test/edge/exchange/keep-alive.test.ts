// Which connections live on after an answer, on both sides, and which end so that the answer is really received.
// Rules: RFC 9112 §9.3, §9.6.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
let gateway: TestGateway;
let upstream: SocketUpstream;
let client: RawClient;

beforeEach(async () => {
  upstream = await SocketUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url], max_connections: 2, max_idle_connections: 1 } },
      routes: [
        { name: 'all', path: '/', upstream: 'web', accept: ['anyone'] },
        { name: 'closed', path: '/closed', upstream: 'web', accept: ['token'] },
      ],
    },
  });
  client = await RawClient.connect(gateway.port);
});
afterEach(async () => {
  client.destroy();
  await gateway.close();
  await upstream.close();
});

test('one connection on each side serves request after request', async () => {
  for (let turn = 1; turn <= 20; turn++) {
    client.write(requestText('GET', `/${turn}`));
    const connection = await upstream.connection(1);
    await connection.heads(turn);
    connection.write(ok);
    expect((await client.read()).text).toBe('ok');
  }
  expect(upstream.connections).toHaveLength(1);
  expect(gateway.metrics.connectionsAccepted).toBe(1);
});

test('a client that says close gets close and an end', async () => {
  client.write(requestText('GET', '/', ['Connection: close']));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write(ok);
  expect((await client.read()).header('Connection')).toBe('close');
  expect(await client.ended()).toHaveLength(0);
  expect(connection.isGone).toBe(false);
});

test('an idle connection that the client half-closes is closed', async () => {
  client.write(requestText('GET', '/'));
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
  client.socket.end();
  expect(await client.ended()).toHaveLength(0);
});

test('an upstream connection that ended while idle is not used', async () => {
  client.write(requestText('POST', '/', ['Content-Length: 0']));
  const first = await upstream.connection(1);
  await first.heads(1);
  first.socket.end(ok);
  expect((await client.read()).text).toBe('ok');
  await first.gone();
  client.write(requestText('POST', '/', ['Content-Length: 0']));
  const second = await upstream.connection(2);
  await second.heads(1);
  second.write(ok);
  expect((await client.read()).text).toBe('ok');
});

test('a server has no more connections than it may have, and keeps no more idle than it may keep', async () => {
  const others = [await RawClient.connect(gateway.port), await RawClient.connect(gateway.port)];
  client.write(requestText('GET', '/1'));
  others[0]?.write(requestText('GET', '/2'));
  const [first, second] = [await upstream.connection(1), await upstream.connection(2)];
  others[1]?.write(requestText('GET', '/3'));
  const refused = await others[1]?.read();
  expect([refused?.status, refused?.header('Retry-After')]).toEqual([503, '1']);
  first.write(ok);
  second.write(ok);
  await Promise.all([client.read(), others[0]?.read()]);
  await expect.poll(() => upstream.open).toBe(1);
  for (const other of others) other.destroy();
});

test('an answer before the end of the request closes both connections', async () => {
  client.write(`${requestText('POST', '/', ['Content-Length: 100'])}part`);
  const connection = await upstream.connection(1);
  await connection.until('part');
  connection.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n');
  const answer = await client.read();
  expect([answer.status, answer.header('Connection')]).toEqual([413, 'close']);
  await client.ended();
  await connection.gone();
});

test.each([
  ['401', requestText('POST', '/closed', ['Content-Length: 200000'])],
  ['400', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 200000\r\n\r\n'],
  ['413', requestText('POST', '/', ['Content-Length: 200000'])],
])('a client that is still sending its body receives a %s', async (status, head) => {
  if (status === '413') {
    void upstream.connection(1).then(async (connection) => {
      await connection.heads(1);
      connection.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n');
    });
  }
  const answering = client.read();
  client.write(head);
  // a close with unread bytes would reset the connection, and the reset would overtake the answer
  for (let sent = 0; sent < 200_000; sent += 1000) {
    client.write('x'.repeat(1000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await answering).status).toBe(Number(status));
  client.socket.end();
  await client.ended();
  expect(client.socket.errored).toBeNull();
});

test('one empty line before a request is passed over, two are not', async () => {
  client.write(`\r\n${requestText('GET', '/')}`);
  const connection = await upstream.connection(1);
  await connection.heads(1);
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
  client.write(`\r\n\r\n${requestText('GET', '/')}`);
  expect((await client.read()).status).toBe(400);
});
