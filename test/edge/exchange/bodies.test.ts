// Bodies of every size, both ways, through a gateway in processes of its own: all bytes arrive, and memory stays flat.
// Everything streams and is compared as it comes. Figures are printed.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestText } from '../../support/clients/raw-client.ts';
import { Pattern, sendPattern } from '../../support/pattern.ts';
import { SocketUpstream, type UpstreamSocket } from '../../support/peers/socket-upstream.ts';
import { watchPeakMemory } from '../../support/rigs/process-memory.ts';
import { type ServeProcess, startServe } from '../../support/rigs/serve-process.ts';

const gibibyte = 1024 ** 3;
// What the edge may grow by while any amount of bytes goes through it: its buffers, and the reads that V8 has not collected
// yet, which it lets be up to 64 MiB (kExternalAllocationSoftLimit).
const maxGrowthMiB = 96;
// each transfer has an upstream connection of its own
const ok = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
const pattern = Pattern.seeded(1);
// A whole chunk as it stands on the wire: canonical framing passes unchanged, so the stream of chunks is a pattern as well.
const chunks = new Pattern(Buffer.concat([Buffer.from('10001\r\n'), pattern.at(0, 0x10001), Buffer.from('\r\n')]));

let upstream: SocketUpstream;
let serve: ServeProcess;
let edgePid: number;

beforeAll(async () => {
  upstream = await SocketUpstream.start();
  serve = await startServe({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
    },
  });
  const ready = serve.printed().match(/\{[^\n]*"the edge is ready"[^\n]*\}/)?.[0] ?? '{}';
  edgePid = Number(JSON.parse(ready).pid);
  // buffers, code and heap that come with the first megabytes
  await download(64 * 1024 * 1024);
  await upload(64 * 1024 * 1024);
});
afterAll(async () => {
  await serve.dispose();
  await upstream.close();
});

/** Opens a client, sends a head, and waits for the upstream connection on which it arrives. */
async function ask(head: string): Promise<{ client: Socket; connection: UpstreamSocket }> {
  const number = upstream.connections.length + 1;
  const client = connect({ port: serve.port, host: '127.0.0.1', noDelay: true });
  client.on('error', () => undefined);
  client.write(head, 'latin1');
  const connection = await upstream.connection(number);
  await connection.heads(1);
  return { client, connection };
}

/** Compares everything behind the head with the pattern. @returns resolves once `total` bytes came, with the mismatches */
function receive(socket: Socket, expected: Pattern, total: number, skipsHead: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    let offset = skipsHead ? -1 : 0;
    let mismatches = 0;
    socket.on('data', (chunk: Buffer) => {
      let bytes = chunk;
      if (offset < 0) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) return;
        bytes = bytes.subarray(end + 4);
        offset = 0;
      }
      if (!expected.matches(offset, bytes)) mismatches++;
      offset += bytes.length;
      if (offset >= total) resolve(mismatches);
    });
    socket.once('close', () => reject(new Error(`the connection ended after ${offset} of ${total} bytes`)));
    if (total === 0) resolve(0);
  });
}

async function download(size: number): Promise<number> {
  const { client, connection } = await ask(requestText('GET', '/', ['Connection: close']));
  const ended = once(client, 'end');
  const received = receive(client, pattern, size, true);
  connection.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
  const [mismatches] = await Promise.all([received, sendPattern(connection.socket, pattern, size)]);
  await ended;
  client.destroy();
  return mismatches;
}

async function upload(size: number): Promise<number> {
  const { client, connection } = await ask(requestText('POST', '/', [`Content-Length: ${size}`, 'Connection: close']));
  connection.drop();
  const received = receive(connection.socket, pattern, size, false);
  const [mismatches] = await Promise.all([received, sendPattern(client, pattern, size)]);
  connection.write(ok);
  const [answer] = await once(client, 'data');
  expect(String(answer)).toContain('HTTP/1.1 200 OK\r\n');
  client.destroy();
  return mismatches;
}

test.each([
  ['0 B', 0],
  ['1 B', 1],
  ['64 KiB', 64 * 1024],
])('a body of %s arrives both ways', async (_name, size) => {
  expect(await download(size)).toBe(0);
  expect(await upload(size)).toBe(0);
});

test.runIf(process.platform === 'linux').each([
  ['download', download],
  ['upload', upload],
])('a %s of 1 GiB arrives, with flat memory', async (name, transfer) => {
  const growth = watchPeakMemory(edgePid);
  const started = performance.now();
  expect(await transfer(gibibyte)).toBe(0);
  report(`${name} of 1 GiB in ${((performance.now() - started) / 1000).toFixed(1)} s`, growth());
});

test.runIf(process.platform === 'linux')(
  'an endless chunked answer passes with flat memory until the client leaves',
  async () => {
    const growth = watchPeakMemory(edgePid);
    const { client, connection } = await ask(requestText('GET', '/'));
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const sending = sendPattern(connection.socket, chunks, Number.POSITIVE_INFINITY);
    expect(await receive(client, chunks, 300_000_000, true)).toBe(0);
    client.destroy();
    expect(await sending).toBeGreaterThan(300_000_000);
    report('300 MB of an endless answer', growth());
  },
);

test.runIf(process.platform === 'linux')(
  'an endless chunked upload passes with flat memory until the upstream leaves',
  async () => {
    const growth = watchPeakMemory(edgePid);
    const { client, connection } = await ask(requestText('POST', '/', ['Transfer-Encoding: chunked']));
    connection.drop();
    const sending = sendPattern(client, chunks, Number.POSITIVE_INFINITY);
    expect(await receive(connection.socket, chunks, 300_000_000, false)).toBe(0);
    const answered = once(client, 'data');
    connection.socket.destroy();
    expect(String(await answered)).toContain('HTTP/1.1 502 ');
    // that a client which goes on is heard for 30 s at most is the matter of timeouts.test.ts
    client.destroy();
    expect(await sending).toBeGreaterThan(300_000_000);
    report('300 MB of an endless upload', growth());
  },
);

function report(what: string, growthMiB: number): void {
  console.info(`${what}: the edge grew by at most ${growthMiB.toFixed(1)} MiB (allowed: ${maxGrowthMiB})`);
  expect(growthMiB).toBeLessThan(maxGrowthMiB);
}
