// Every state of a connection has a deadline: the side that holds a request up is cut off, and the other side hears of it.
// Each deadline is set short where its default is long, so a test ends soon only because that deadline fired. The tests wait at
// the same time, each with a gateway and an upstream of its own.

import { once } from 'node:events';
import { connect as openSocket, type Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { onAccepted } from '../../support/clients/accepted-sockets.ts';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { startSilentServer } from '../../support/peers/silent-server.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

type Timeouts = NonNullable<FileInput['timeouts']>;
type Limits = NonNullable<FileInput['limits']>;

const soon = '300ms';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const basic = `Authorization: Basic ${Buffer.from('ann:secret').toString('base64')}`;

interface RigChanges {
  readonly server?: string;
  readonly accept?: 'anyone' | 'password';
}

/** The parts of one test. */
class Rig {
  readonly upstream: SocketUpstream;
  readonly #clients: { destroy(): void }[] = [];
  #gateway: TestGateway | null = null;
  #stopListening: (() => void) | null = null;

  constructor(upstream: SocketUpstream) {
    this.upstream = upstream;
  }

  /** Starts the gateway. @returns a client of it */
  async start(
    timeouts: Timeouts,
    limits: Limits = {},
    { server = this.upstream.url, accept = 'anyone' }: RigChanges = {},
  ): Promise<RawClient> {
    this.#gateway = await startGateway({
      config: {
        upstreams: { web: { servers: [server] } },
        routes: [{ name: 'all', path: '/', upstream: 'web', accept: [accept] }],
        timeouts,
        limits,
      },
      // a digest of a password takes its time
      ...(accept === 'password' ? { users: { ann: 'secret' } } : {}),
    });
    return this.connect();
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.#gateway?.port ?? 0);
    this.#clients.push(client);
    return client;
  }

  /** A client that has 24 MB of earlier answers still to take when it sends its request, and takes nothing. */
  async connectBehind(): Promise<{ readonly client: Socket; readonly accepted: Socket }> {
    const port = this.#gateway?.port ?? 0;
    const accepting = new Promise<Socket>((resolve) => {
      this.#stopListening = onAccepted(port, resolve);
    });
    const client = openSocket(port, '127.0.0.1').pause();
    this.#clients.push(client);
    const accepted = await accepting;
    accepted.write(Buffer.alloc(24_000_000));
    return { client, accepted };
  }

  async close(): Promise<void> {
    this.#stopListening?.();
    for (const client of this.#clients) client.destroy();
    await this.#gateway?.close();
    await this.upstream.close();
  }
}

/** Runs a test with a rig of its own. */
function withRig(use: (rig: Rig) => Promise<void>): () => Promise<void> {
  return async () => {
    const rig = new Rig(await SocketUpstream.start());
    try {
      await use(rig);
    } finally {
      await rig.close();
    }
  };
}

/** Takes everything up to the end. @returns the last bytes */
async function takeAll(socket: Socket): Promise<string> {
  let tail = '';
  socket.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString('latin1')).slice(-1000);
  });
  socket.resume();
  await once(socket, 'end');
  return tail;
}

/** A test that waits while the others of this file do. */
function check(title: string, use: (rig: Rig) => Promise<void>): void {
  test.concurrent(title, withRig(use));
}

check('a head that does not come to its end gets a 408', async (rig) => {
  const client = await rig.start({}, { head_timeout: soon });
  client.write('GET / HTTP/1.1\r\nHost: a');
  expect((await client.read()).status).toBe(408);
  await client.ended();
});

check('a head that comes byte by byte has the same time in total', async (rig) => {
  const client = await rig.start({}, { head_timeout: '600ms' });
  client.write('GET / HTTP/1.1\r\nX: ');
  const drip = setInterval(() => client.write('a'), 50);
  const answer = await client.read();
  clearInterval(drip);
  expect(answer.status).toBe(408);
});

check('the second head on a connection has a deadline of its own', async (rig) => {
  const client = await rig.start({}, { head_timeout: soon });
  client.write(`${requestText('GET', '/')}GET /next HT`);
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
  expect((await client.read()).status).toBe(408);
});

check('a connection without a request ends after the head timeout', async (rig) => {
  const client = await rig.start({}, { head_timeout: soon });
  expect(await client.ended()).toHaveLength(0);
});

check('an idle client connection ends after its keep-alive time', async (rig) => {
  const client = await rig.start({}, { client_keep_alive: soon });
  client.write(requestText('GET', '/'));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
  expect(await client.ended()).toHaveLength(0);
});

check('an idle upstream connection ends after its keep-alive time', async (rig) => {
  const client = await rig.start({}, { upstream_keep_alive: soon });
  client.write(requestText('GET', '/'));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
  await connection.gone();
});

check('an upstream connection is kept a second less than its Keep-Alive field says', async (rig) => {
  const client = await rig.start({}, { upstream_keep_alive: '1d' });
  client.write(requestText('GET', '/'));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok');
  expect((await client.read()).status).toBe(200);
  await connection.gone();
});

check('a body that stops gets a 408, and the upstream loses its half request', async (rig) => {
  const client = await rig.start({ request_body_idle: soon });
  client.write(`${requestText('POST', '/', ['Content-Length: 10'])}12345`);
  expect((await client.read()).status).toBe(408);
  const connection = await rig.upstream.connection(1);
  await connection.gone();
  expect(connection.received).toContain('12345');
});

check('a body that stops after the upstream had held it up gets a 408', async (rig) => {
  // long enough for all the bytes to come on a busy machine
  const client = await rig.start({ request_body_idle: '1s' });
  const size = 16 * 1024 * 1024;
  client.write(requestText('POST', '/', [`Content-Length: ${size + 1}`]));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.socket.pause();
  connection.drop();
  client.write(Buffer.alloc(size));
  // all but what the kernel holds has stopped; then the upstream takes it, and the last byte never comes
  await vi.waitFor(() => expect(client.socket.writableLength).toBeGreaterThan(0), { timeout: 20_000 });
  connection.socket.resume();
  expect((await client.read()).status).toBe(408);
  await connection.gone();
  expect(connection.bytes).toBeGreaterThanOrEqual(size);
});

check('a body that stops behind a password gets a 408', async (rig) => {
  const client = await rig.start({ request_body_idle: soon }, {}, { accept: 'password' });
  client.write(requestText('POST', '/', ['Content-Length: 10', basic]));
  expect((await client.read()).status).toBe(408);
});

check('an upstream that takes no more of a body gets a 504', async (rig) => {
  const client = await rig.start({ upstream_idle: soon });
  const stopped = rig.upstream.connection(1).then((connection) => connection.socket.pause());
  client.write(requestText('POST', '/', ['Content-Length: 100000000']));
  await stopped;
  client.write(Buffer.alloc(100_000_000));
  expect((await client.read()).status).toBe(504);
});

check(
  'a body larger than the buffers, sent before the upstream was connected, does not stop its deadline',
  async (rig) => {
    const client = await rig.start({ upstream_idle: soon });
    const stopped = rig.upstream.connection(1).then((connection) => connection.socket.pause());
    client.write(requestText('POST', '/', ['Content-Length: 100000000']) + 'x'.repeat(30_000_000));
    await stopped;
    expect((await client.read()).status).toBe(504);
  },
);

test.runIf(process.platform === 'linux').concurrent.each([
  ['a GET', requestText('GET', '/')],
  ['a whole POST', `${requestText('POST', '/', ['Content-Length: 4'])}body`],
  ['a large POST', requestText('POST', '/', ['Content-Length: 10000000']) + 'x'.repeat(10_000_000)],
])('%s whose upstream does not accept gets a 504', (_name, request) =>
  withRig(async (rig) => {
    const silent = await startSilentServer();
    try {
      const client = await rig.start({ upstream_connect: soon }, {}, { server: silent.url });
      client.write(request);
      expect((await client.read()).status).toBe(504);
    } finally {
      await silent.close();
    }
  })(),
);

check('an upstream that does not answer gets a 504', async (rig) => {
  const client = await rig.start({ upstream_first_byte: soon });
  client.write(requestText('GET', '/'));
  expect((await client.read()).status).toBe(504);
  await (await rig.upstream.connection(1)).gone();
});

check('an upstream that stops inside its head gets a 504', async (rig) => {
  const client = await rig.start({ upstream_idle: soon });
  client.write(requestText('GET', '/'));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nCont');
  expect((await client.read()).status).toBe(504);
});

check('an answer that stops in its middle is cut off', async (rig) => {
  const client = await rig.start({ upstream_idle: soon });
  client.write(requestText('GET', '/'));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345');
  expect((await client.ended()).toString('latin1')).toMatch(/12345$/);
  await connection.gone();
});

check('an interim answer does not start the clock of an upload', async (rig) => {
  const client = await rig.start({ upstream_idle: soon });
  client.write(requestText('POST', '/', ['Content-Length: 100']));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.write('HTTP/1.1 100 Continue\r\n\r\n');
  // four times the upstream's idle time, of which it wastes none
  for (let sent = 0; sent < 10; sent++) {
    await new Promise((resolve) => setTimeout(resolve, 120));
    client.write('0123456789');
  }
  await connection.until('0123456789'.repeat(10));
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
});

check('a client that takes nothing of a long answer is reset, and the upstream is let go', async (rig) => {
  const client = await rig.start({ client_write_idle: soon });
  client.write(requestText('GET', '/'));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  client.socket.pause();
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
  connection.socket.write(Buffer.alloc(100_000_000));
  await connection.gone();
});

test.concurrent.each([
  ['keep-alive', 'Connection: keep-alive', 'Content-Length: 3\r\n'],
  ['close', 'Connection: close', 'Content-Length: 3\r\n'],
  ['a body until the end', 'Connection: close', ''],
])('a client that does not take the end of an answer is reset after its own time: %s', (_name, field, length) =>
  withRig(async (rig) => {
    await rig.start({ client_write_idle: soon }, { head_timeout: '1d', client_keep_alive: '1d' });
    const { client, accepted } = await rig.connectBehind();
    const cutOff = once(accepted, 'close');
    client.write(requestText('GET', '/', [field]));
    const connection = await rig.upstream.connection(1);
    await connection.heads(1);
    connection.socket.end(`HTTP/1.1 200 OK\r\n${length}\r\nend`, 'latin1');
    await cutOff;
    // a socket that reads nothing notices nothing
    const reset = once(client, 'error');
    client.resume();
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
  })(),
);

check('a client that is slow to take the end of an answer gets all of it', async (rig) => {
  await rig.start({}, { head_timeout: '500ms' });
  const { client } = await rig.connectBehind();
  client.write(requestText('GET', '/', ['Connection: close']));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.write(ok);
  // longer than the head timeout, and than a closing connection lingers
  const tail = new Promise<string>((resolve) => setTimeout(() => resolve(takeAll(client)), 2700));
  expect(await tail).toMatch(/\r\n\r\nok$/);
});

check('a client that takes no answer and has no more of a body to send is reset', async (rig) => {
  await rig.start({ client_write_idle: soon, upstream_idle: '1d' });
  const { client, accepted } = await rig.connectBehind();
  const cutOff = once(accepted, 'close');
  client.write(requestText('POST', '/', ['Content-Length: 4']));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nearly');
  client.write('body');
  await connection.until('body');
  await cutOff;
  await connection.gone();
});
