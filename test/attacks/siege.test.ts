// Attacks on a whole gateway without any credential: strangers guess passwords on many connections, and replay one ClientHello on
// thousands. No edge is lost, a revocation is answered and holds, and a right password from elsewhere gets in.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { recordHello } from '../../bench/siege/gateway.ts';
import { askAdmin } from '../support/clients/admin-client.ts';
import { RecordingUpstream } from '../support/peers/recording-upstream.ts';
import { TestAuthority } from '../support/rigs/certificates.ts';
import { type ServeProcess, startServe } from '../support/rigs/serve-process.ts';

const wait = { timeout: 60_000 };
let upstream: RecordingUpstream;
let serve: ServeProcess;
let securePort: number;
const opened: Socket[] = [];

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  const { cert, key } = new TestAuthority().issue({ names: ['siege.test'] });
  const certificates = [{ cert_file: './tls.pem', key_file: './tls.key' }];
  serve = await startServe({
    users: { anna: 'a long pass phrase' },
    files: { 'tls.pem': cert, 'tls.key': key },
    config: {
      password_checks_per_second: 1,
      listeners: [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0', tls: { certificates } }],
      upstreams: { web: { servers: [upstream.url] } },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['token', 'password'] }],
    },
  });
  const ready = serve
    .printed()
    .split('\n')
    .find((line) => line.startsWith('{"ready":true'));
  securePort = JSON.parse(ready ?? '{}').listeners[1].port;
}, 60_000);

afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

afterAll(async () => {
  await serve?.dispose();
  await upstream?.close();
});

function open(port: number, localAddress: string): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  opened.push(socket);
  socket.on('error', () => undefined);
  return socket;
}

function basicRequest(user: string, password: string): string {
  const credentials = Buffer.from(`${user}:${password}`).toString('base64');
  return `GET / HTTP/1.1\r\nHost: siege.test\r\nAuthorization: Basic ${credentials}\r\n\r\n`;
}

/** Status of one request on a connection of its own. */
async function ask(user: string, password: string, from: string): Promise<number> {
  const socket = open(serve.port, from);
  socket.write(basicRequest(user, password));
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(bytes.toString('latin1', 9, 12));
}

function revoke(jti: string) {
  return askAdmin(join(serve.folder, 'data'), 'POST', 'revocations', { jti });
}

function edgesLost(): number {
  return serve
    .printed()
    .split('\n')
    .filter((line) => line.includes('a process ended') || line.includes('is ended')).length;
}

test('while 40 connections guess at ever new names, revocations are answered, no edge is lost, and a right password gets in', async () => {
  const statuses = new Set<string>();
  let guesses = 0;
  for (let at = 0; at < 40; at++) {
    const socket = open(serve.port, '127.0.0.2');
    const guess = () => {
      guesses += 1;
      socket.write(basicRequest(`nobody${guesses}`, 'x'));
    };
    socket.on('data', (bytes: Buffer) => {
      statuses.add(bytes.toString('latin1', 9, 12));
      guess();
    });
    guess();
  }
  await expect.poll(() => guesses, wait).toBeGreaterThan(400);
  for (let at = 0; at < 3; at++) expect((await revoke(`guessed-${at}`)).status).toBe(201);
  // one check a second: the turn of the other network comes, and it may be told to come again first
  await expect.poll(() => ask('anna', 'a long pass phrase', '127.0.0.3'), { ...wait, interval: 1000 }).toBe(200);
  expect(edgesLost()).toBe(0);
  expect(statuses.has('429')).toBe(true);
}, 120_000);

test('while 1500 connections replay one captured ClientHello, revocations are answered, and no edge is lost', async () => {
  const hello = await recordHello();
  const sockets: Socket[] = [];
  for (let at = 0; at < 1500; at += 100) {
    const some = Array.from({ length: 100 }, (_, number) => open(securePort, `127.0.4.${(at + number) % 250}`));
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    sockets.push(...some);
  }
  for (const socket of sockets) socket.write(hello);
  for (let at = 0; at < 3; at++) expect((await revoke(`replayed-${at}`)).status).toBe(201);
  expect(edgesLost()).toBe(0);
}, 120_000);
