// Floods before HTTP begins: recorded ClientHellos, connections that say nothing. They hold up nobody who does neither.

import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { HandshakeQueue } from '../../../gateway/edge/listen/handshake-queue.ts';
import { RecentHellos } from '../../../gateway/edge/listen/recent-hellos.ts';
import { askTls } from '../../support/clients/tls-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { CertificateFolder } from '../../support/rigs/certificate-folder.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let folder: CertificateFolder;
let upstream: RecordingUpstream;
let gateway: TestGateway;
const opened: Socket[] = [];

beforeAll(async () => {
  folder = new CertificateFolder();
  upstream = await RecordingUpstream.start();
  const { certFile, keyFile } = folder.issue({ names: ['first.test'] });
  gateway = await startGateway({
    config: {
      listeners: [{ address: '127.0.0.1:0', tls: { certificates: [{ cert_file: certFile, key_file: keyFile }] } }],
      limits: { max_connections: 4000 },
      upstreams: { web: { servers: [upstream.url] } },
      routes: [{ name: 'open', path: '/', upstream: 'web', accept: ['anyone'] }],
    },
  });
});

afterEach(() => {
  // a reset, because a handshake whose client only closes goes on for its time
  for (const socket of opened.splice(0)) socket.resetAndDestroy();
});

afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
  folder?.remove();
});

/** A connection from an address of the loopback network; ends with the test. */
async function open(localAddress: string, bytes?: Buffer): Promise<Socket> {
  const socket = connect({ port: gateway.port, host: '127.0.0.1', localAddress });
  opened.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}

async function recordClientHello(): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const client = connectSecure({ port, host: '127.0.0.1', servername: 'first.test' });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  client.destroy();
  server.close();
  return hello;
}

/** The same with another random: it stands behind the headers of record and message, and the version. */
function withFreshRandom(hello: Buffer): Buffer {
  return randomFillSync(Buffer.from(hello), 11, 32);
}

/** One turn of the event loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

function begunBy(isOverloaded: boolean, nowMs: () => number) {
  let begun = 0;
  let cut = 0;
  const queue = new HandshakeQueue({ isOverloaded: () => isOverloaded, nowMs });
  const push = (network: string, begin: () => void = () => undefined) =>
    queue.push(network, {
      begin: () => {
        begun += 1;
        begin();
      },
      cut: () => {
        cut += 1;
      },
    });
  return { queue, push, begun: () => begun, cut: () => cut };
}

test('of thousands of ClientHellos in one turn a few are answered in it, and the others in turns of their own', async () => {
  const { push, begun } = begunBy(false, () => 0);
  for (let at = 0; at < 40; at++) push('flood');
  expect(begun()).toBe(0);
  await turn();
  expect(begun()).toBe(8);
  await turn();
  expect(begun()).toBe(16);
});

test('a turn takes no more handshakes once a millisecond is over, and one at a time when the edge is overloaded', async () => {
  let now = 0;
  const slow = begunBy(false, () => now);
  for (let at = 0; at < 10; at++) {
    slow.push('flood', () => {
      now += 0.6;
    });
  }
  const overloaded = begunBy(true, () => 0);
  for (let at = 0; at < 10; at++) overloaded.push('flood');
  await turn();
  expect([slow.begun(), overloaded.begun()]).toEqual([2, 1]);
});

test('while many wait, handshakes rest for as long as they took, and when few do they do not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  try {
    let now = 0;
    const { queue, push, begun } = begunBy(false, () => now);
    for (let at = 0; at < 70; at++) {
      push('flood', () => {
        now += 5;
      });
    }
    for (let at = 0; at < 4; at++) await turn();
    expect([begun(), queue.size]).toEqual([1, 69]);
    for (let at = 0; at < 5; at++) vi.advanceTimersByTime(5);
    expect([begun(), queue.size]).toEqual([6, 64]);
    await turn();
    await turn();
    expect(begun()).toBe(8);
  } finally {
    vi.useRealTimers();
  }
});

test('one network does not wait behind the flood of another, and connections without a place are cut and counted', async () => {
  const { queue, push, begun, cut } = begunBy(false, () => 0);
  for (let at = 0; at < 2500; at++) push(`flood ${at % 3}`);
  expect([queue.size, cut()]).toEqual([1024, 2500 - 1024]);
  let isDone = false;
  push('visitor', () => {
    isDone = true;
  });
  expect([queue.size, cut()]).toEqual([1024, 2500 - 1023]);
  await turn();
  expect([begun(), isDone]).toEqual([8, true]);
});

test('a ClientHello that was seen before is reset without a handshake, from wherever it comes, and its sender shakes hands with a new one', async () => {
  const hello = await recordClientHello();
  const { metrics } = gateway;
  const [replayed, failed] = [metrics.tlsHellosReplayed, metrics.tlsHandshakesFailed];
  const [answer] = (await once(await open('127.0.0.2', hello), 'data')) as [Buffer];
  // a ServerHello
  expect(answer[0]).toBe(22);
  for (const from of ['127.0.0.2', '127.0.0.3']) {
    const again = await open(from, hello);
    again.on('data', () => expect.unreachable('a replay was answered'));
    await new Promise((resolve) => again.once('close', resolve));
  }
  const other = await open('127.0.0.2', withFreshRandom(hello));
  expect((await once(other, 'data'))[0][0]).toBe(22);
  expect([metrics.tlsHellosReplayed - replayed, metrics.tlsHandshakesFailed - failed]).toEqual([2, 0]);
});

test('the latest randoms are remembered, and a random that keeps coming is not forgotten', () => {
  const recent = new RecentHellos(2);
  expect(['a', 'b', 'a', 'c', 'd', 'a', 'e'].map((random) => recent.isRepeated(random))).toEqual([
    false,
    false,
    true,
    false,
    false,
    true,
    false,
  ]);
  expect(recent.isRepeated('b')).toBe(false);
});

test('unfinished handshakes keep no places: the oldest of the network with most of them go, and a visitor shakes hands', async () => {
  const hello = await recordClientHello();
  const before = gateway.metrics.earlyConnectionsCut;
  for (let at = 0; at < 700; at += 50)
    await Promise.all(Array.from({ length: 50 }, () => open('127.0.0.2', withFreshRandom(hello))));
  // 512 handshakes may wait for their clients
  await expect.poll(() => gateway.metrics.earlyConnectionsCut - before).toBe(188);
  const answer = await askTls(
    gateway.port,
    { localAddress: '127.0.0.3' },
    'GET / HTTP/1.1\r\nHost: first.test\r\n\r\n',
  );
  expect(answer.status).toBe(200);
});

test('silent connections make room before they shake hands, those of the network that has most, oldest first', async () => {
  const alone = await open('127.0.0.3');
  const oldest = await open('127.0.0.2');
  let left = 0;
  const gone = once(oldest, 'close');
  alone.on('close', () => {
    left += 1;
  });
  // a quarter of 4000 places
  for (let at = 0; at < 1000; at += 50) await Promise.all(Array.from({ length: 50 }, () => open('127.0.0.2')));
  await gone;
  expect(left).toBe(0);
  const answer = await askTls(
    gateway.port,
    { localAddress: '127.0.0.4' },
    'GET / HTTP/1.1\r\nHost: first.test\r\n\r\n',
  );
  expect(answer.status).toBe(200);
});
