// Clients that are slow on purpose: bodies and answers have a minimum rate, so that a drip cannot hold a connection for ever.
// The window is one second here; only the client's own time counts. The tests run at once, each with parts of its own.

import { expect, test, vi } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** The parts of one test. */
class Rig {
  readonly upstream: SocketUpstream;
  readonly #drips: NodeJS.Timeout[] = [];
  #client: RawClient | null = null;
  #gateway: TestGateway | null = null;

  constructor(upstream: SocketUpstream) {
    this.upstream = upstream;
  }

  /** Starts the gateway. @returns a client of it */
  async start(
    limits: FileInput['limits'],
    routeLimits: FileInput['routes'][number]['limits'] = {},
  ): Promise<RawClient> {
    this.#gateway = await startGateway({
      config: {
        upstreams: { web: { servers: [this.upstream.url] } },
        routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'], limits: routeLimits }],
        limits: { rate_window: '1s', ...limits },
      },
    });
    this.#client = await RawClient.connect(this.#gateway.port);
    return this.#client;
  }

  drip(send: () => void): void {
    this.#drips.push(setInterval(send, 50));
  }

  readLog(path: string): Promise<Record<string, unknown>[]> {
    if (this.#gateway === null) throw new Error('there is no gateway yet');
    return this.#gateway.readLog('access', path);
  }

  async close(): Promise<void> {
    for (const drip of this.#drips) clearInterval(drip);
    this.#client?.destroy();
    await this.#gateway?.close();
    await this.upstream.close();
  }
}

/** A test that waits while the others of this file do. */
function check(title: string, use: (rig: Rig) => Promise<void>): void {
  test.concurrent(title, async () => {
    const rig = new Rig(await SocketUpstream.start());
    try {
      await use(rig);
    } finally {
      await rig.close();
    }
  });
}

check('a body that comes byte by byte gets a 408, and the upstream loses its half request', async (rig) => {
  const client = await rig.start({ min_request_rate: '100B' });
  client.write(requestText('POST', '/drip', ['Content-Length: 100000']));
  rig.drip(() => client.write('x'));
  const answer = await client.read();
  expect(answer.status).toBe(408);
  expect(answer.header('Connection')).toBe('close');
  await (await rig.upstream.connection(1)).gone();
  expect(await rig.readLog('/drip')).toMatchObject([{ status: 408, hint: 'refused message: body-too-slow' }]);
});

check('a body above the rate goes on for many windows', async (rig) => {
  const client = await rig.start({ min_request_rate: '100B' });
  client.write(requestText('POST', '/', ['Content-Length: 100000']));
  // 20,000 bytes a second for two and a half windows: so far above the rate that seconds in which the whole process stands
  // still do not bring it below
  for (let sent = 0; sent < 50; sent++) {
    client.write('x'.repeat(1000));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(client.hasEnded).toBe(false);
  client.write('x'.repeat(50_000));
  const connection = await rig.upstream.connection(1);
  await connection.until('x'.repeat(100_000));
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
});

check('a route may take drips', async (rig) => {
  const client = await rig.start({ min_request_rate: '1KiB' }, { min_request_rate: '0B' });
  client.write(requestText('POST', '/', ['Content-Length: 60']));
  const connection = await rig.upstream.connection(1);
  for (let sent = 0; sent < 60; sent++) {
    client.write('x');
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  await connection.until('x'.repeat(60));
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
});

check("an upstream that holds the body up is not the client's fault", async (rig) => {
  const client = await rig.start({ min_request_rate: '1KiB' });
  const stopped = rig.upstream.connection(1).then((connection) => {
    connection.drop();
    connection.socket.pause();
    return connection;
  });
  const size = 24_000_000;
  client.write(requestText('POST', '/', [`Content-Length: ${size}`]));
  const connection = await stopped;
  client.write(Buffer.alloc(size));
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(client.hasEnded).toBe(false);
  connection.socket.resume();
  await vi.waitFor(() => expect(connection.bytes).toBeGreaterThanOrEqual(size), { timeout: 20_000 });
  connection.write(ok);
  expect((await client.read()).status).toBe(200);
});

check('a client that takes its answer slower than the minimum is cut off, and the upstream is let go', async (rig) => {
  const client = await rig.start({ min_response_rate: '10MiB' });
  client.write(requestText('GET', '/'));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  client.socket.pause();
  // a little now and then, so that it never stands still for long
  rig.drip(() => client.socket.read(1000));
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
  connection.socket.write(Buffer.alloc(100_000_000));
  await connection.gone();
});

check("an upstream that sends little is not the client's fault", async (rig) => {
  const client = await rig.start({ min_response_rate: '10MiB' });
  client.write(requestText('GET', '/'));
  const connection = await rig.upstream.connection(1);
  await connection.heads(1);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n');
  for (let sent = 0; sent < 60; sent++) {
    connection.write('x');
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  expect((await client.read()).body).toHaveLength(60);
});
