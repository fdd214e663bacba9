// Ends of connections with bytes still to go: a refusal reaches a client that is busy sending, and what a site sent before it
// broke off reaches the client, who can still tell that it is not the whole. Rules: RFC 9112 §9.6, §8.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTlsSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Ticker } from '../../../gateway/edge/engine/ticker.ts';
import { ClientDeadlines } from '../../../gateway/edge/exchange/client-deadlines.ts';
import { Lingering } from '../../../gateway/edge/exchange/lingering.ts';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream, type UpstreamSocket } from '../../support/peers/socket-upstream.ts';
import { CertificateFolder } from '../../support/rigs/certificate-folder.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const runs = 10;
let folder: CertificateFolder;
let upstream: SocketUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  folder = new CertificateFolder();
  const { certFile, keyFile } = folder.issue({ names: ['media.example'] });
  upstream = await SocketUpstream.start();
  const place = (name: string) => ({ name, path: `/${name}/`, upstream: 'web' });
  gateway = await startGateway({
    config: {
      listeners: [
        { address: '127.0.0.1:0' },
        { address: '127.0.0.1:0', tls: { certificates: [{ cert_file: certFile, key_file: keyFile }] } },
      ],
      upstreams: { web: { servers: [upstream.url] } },
      routes: [
        { ...place('open'), accept: ['anyone'] },
        { ...place('closed'), accept: ['password'] },
        { ...place('small'), accept: ['anyone'], limits: { max_body: '1KiB' } },
        { ...place('often'), accept: ['anyone'], rate_limit: { by: 'address', rate: '1/h' } },
      ],
    },
    users: { anna: 'a long pass phrase' },
  });
});
afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
  folder?.remove();
});

const ways = ['plain', 'TLS'] as const;
type Way = (typeof ways)[number];

async function open(way: Way): Promise<Socket> {
  const port = gateway.edge.listening[way === 'plain' ? 0 : 1]?.port ?? 0;
  const socket =
    way === 'plain'
      ? connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      : connectTlsSocket({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'media.example' });
  await once(socket, way === 'plain' ? 'connect' : 'secureConnect');
  return socket;
}

/** Sends everything before it looks at what comes back, as `http.client` of Python does. @returns what came, and any error */
async function sendThenRead(way: Way, head: string, bodyBytes: number): Promise<string> {
  const socket = await open(way);
  let trouble = '';
  socket.on('error', (error) => {
    trouble = error.message;
  });
  const piece = Buffer.alloc(64 * 1024, 0x61);
  socket.write(head, 'latin1');
  for (let sent = 0; sent < bodyBytes && trouble === ''; sent += piece.length) {
    await new Promise((resolve) => socket.write(piece, resolve));
  }
  let got = '';
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1');
  });
  await once(socket, 'end').catch(() => undefined);
  socket.destroy();
  return trouble === '' ? got : `${trouble}: ${got}`;
}

// more than all the kernels in between hold
const bodyBytes = 12 * 1024 * 1024;
const post = (target: string, ...fields: string[]) =>
  requestText('POST', target, [`Content-Length: ${bodyBytes}`, ...fields]);
const early: readonly (readonly [what: string, status: number, head: string])[] = [
  ['nobody may', 401, post('/closed/a')],
  ['a wrong password may not', 401, post('/closed/a', `Authorization: Basic ${btoa('anna:wrong')}`)],
  ['is too large', 413, post('/small/a')],
  ['goes nowhere', 404, post('/nowhere')],
  ['has two lengths', 400, post('/open/a', 'Content-Length: 1')],
  ['has too many fields', 431, post('/open/a', ...Array.from({ length: 120 }, (_, index) => `X-${index}: 1`))],
  ['expects something', 417, post('/open/a', 'Expect: the-impossible')],
];

describe.each(ways)('%s: an early answer', (way) => {
  test.each(early)('reaches a client that is still sending what %s: %i', async (_what, status, head) => {
    const answers = await Promise.all([0, 1].map(() => sendThenRead(way, head, bodyBytes)));
    for (const answer of answers) expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test('reaches a client that sends a chunked body that grows too large: 413', async () => {
    const head = requestText('POST', '/small/a', ['Transfer-Encoding: chunked']);
    expect(await sendThenRead(way, `${head}1000000\r\n`, bodyBytes)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('reaches a client that asks too often: 429', async () => {
    const first = await open(way);
    first.write(requestText('GET', `/often/${way}`), 'latin1');
    await Promise.race([findConnection(`/often/${way}`), once(first, 'data')]);
    first.destroy();
    expect(await sendThenRead(way, post('/often/a'), bodyBytes)).toMatch(/^HTTP\/1\.1 429 /);
  });

  test('of the site reaches a client that is still sending', async () => {
    const number = upstream.connections.length + 1;
    const answered = sendThenRead(way, post('/open/a'), bodyBytes);
    const connection = await upstream.connection(number);
    await connection.heads(1);
    connection.drop();
    connection.socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno', 'latin1');
    expect(await answered).toMatch(/^HTTP\/1\.1 403 .*\r\n\r\nno$/s);
  });
});

describe('a closing connection', () => {
  class Closing extends ClientDeadlines {
    readonly ends: number[] = [];
    constructor(ticker: Ticker) {
      super({ writableLength: 0 } as Socket, ticker, 1000);
    }
    override onDeadline(): void {
      this.ends.push(this.ticker.nowMs);
    }
    begin(): void {
      this.linger();
    }
    more(): void {
      this.lingerOn();
    }
  }
  const closing = () => {
    const ticker = new Ticker();
    ticker.nowMs = 0;
    return { ticker, connection: new Closing(ticker) };
  };

  test('ends after five seconds in which nothing comes', () => {
    const { ticker, connection } = closing();
    connection.begin();
    expect(connection.deadlineMs).toBe(5000);
    ticker.nowMs = 4000;
    connection.more();
    expect(connection.deadlineMs).toBe(9000);
  });

  test('ends after thirty seconds, however much comes', () => {
    const { ticker, connection } = closing();
    connection.begin();
    for (ticker.nowMs = 0; ticker.nowMs < 30_000; ticker.nowMs += 1000) {
      connection.more();
      expect(connection.deadlineMs).toBeLessThanOrEqual(30_000);
    }
  });

  test('makes room for the next one beyond their bound: the longest lingering one ends', () => {
    const lingering = new Lingering();
    const gone: number[] = [];
    const connections = Array.from({ length: 4100 }, (_, index) => ({ abandon: () => gone.push(index) }));
    for (const connection of connections) lingering.enter(connection);
    expect([lingering.count, gone]).toEqual([4096, [0, 1, 2, 3]]);
    for (const connection of connections) lingering.leave(connection);
    expect(lingering.count).toBe(0);
  });

  test('is counted as lingering', async () => {
    const socket = await open('plain');
    socket.on('error', () => undefined);
    socket.write(post('/closed/a'), 'latin1');
    await expect.poll(() => gateway.scrape()).toMatch(/latchkey_connections\{state="lingering"\} 1/);
    socket.destroy();
    await expect.poll(() => gateway.scrape()).toMatch(/latchkey_connections\{state="lingering"\} 0/);
  });
});

const half = 500_000;
const ends = {
  'a FIN': (connection: UpstreamSocket) => connection.socket.end(),
  'a reset': (connection: UpstreamSocket) => {
    // once the gateway's kernel has all of it: a reset throws away what the sender's still holds
    setTimeout(() => connection.socket.resetAndDestroy(), 300);
  },
};
const framings = {
  'a length': (bytes: Buffer) => ['Content-Length: 1000000\r\n', bytes] as const,
  chunks: (bytes: Buffer) =>
    ['Transfer-Encoding: chunked\r\n', Buffer.concat([Buffer.from('f4240\r\n'), bytes])] as const,
};

describe.each(ways)('%s: an answer that breaks off after half of it', (way) => {
  for (const [framing, frame] of Object.entries(framings)) {
    for (const [ending, end] of Object.entries(ends)) {
      // behind a slow client it is the site's own kernel that holds the rest, and its reset throws that away
      for (const isSlow of ending === 'a reset' ? [false] : [false, true]) {
        const who = isSlow ? 'a slow client' : 'the client';
        test.concurrent(`with ${framing}, by ${ending}: ${who} gets that half, and no end`, async () => {
          const got = await Promise.all(Array.from({ length: runs }, () => takeHalf(frame, end, isSlow)));
          for (const { body, isWhole } of got) expect([body, isWhole]).toEqual([half, false]);
        });
      }
    }
  }

  async function takeHalf(
    frame: (bytes: Buffer) => readonly [line: string, bytes: Buffer],
    end: (connection: UpstreamSocket) => void,
    isSlow: boolean,
  ): Promise<{ body: number; isWhole: boolean }> {
    const socket = await open(way);
    socket.on('error', () => undefined);
    const path = `/open/${Math.random()}`;
    socket.write(requestText('GET', path), 'latin1');
    const connection = await findConnection(path);
    const [line, bytes] = frame(Buffer.alloc(half, 0x61));
    connection.socket.write(`HTTP/1.1 200 OK\r\n${line}\r\n`);
    connection.socket.write(bytes, () => end(connection));
    const pieces: Buffer[] = [];
    if (isSlow) await new Promise((resolve) => setTimeout(resolve, 600));
    socket.on('data', (chunk: Buffer) => pieces.push(chunk));
    await Promise.race([once(socket, 'end'), once(socket, 'close')]).catch(() => undefined);
    socket.destroy();
    const text = Buffer.concat(pieces).toString('latin1');
    const body = text.slice(text.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n/, '');
    return { body: body.length, isWhole: body.length >= 1_000_000 || /\r\n0\r\n/.test(body) };
  }
});

async function findConnection(path: string): Promise<UpstreamSocket> {
  for (;;) {
    const found = upstream.connections.find(({ received }) => received.includes(path));
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a 1.0 client, which takes any end for the end, gets half an answer and then a reset', async () => {
  const socket = await open('plain');
  const reset = once(socket, 'error').catch((error: unknown) => [error]);
  socket.write('GET /open/old HTTP/1.0\r\nHost: media.example\r\n\r\n');
  const connection = await findConnection('/open/old');
  connection.socket.end(
    Buffer.concat([
      Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\nf4240\r\n'),
      Buffer.alloc(half, 0x61),
    ]),
  );
  let got = 0;
  socket.on('data', (chunk: Buffer) => {
    got += chunk.filter((byte) => byte === 0x61).length;
  });
  expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
  expect(got).toBeGreaterThanOrEqual(half);
});

test('the line of the last chunk is not passed on before the end behind it', async () => {
  const client = await RawClient.connect(gateway.port);
  client.write(requestText('GET', '/open/last'));
  const connection = await findConnection('/open/last');
  connection.socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n', 'latin1');
  expect((await client.ended()).toString('latin1')).toMatch(/\r\n\r\n5\r\nhello\r\n$/);
  client.destroy();
});

test('a client that breaks off behind the line of its last chunk has sent no whole request', async () => {
  const client = await RawClient.connect(gateway.port);
  client.write(`${requestText('POST', '/open/lastly', ['Transfer-Encoding: chunked'])}5\r\nhello\r\n0\r\n`);
  const connection = await findConnection('/open/lastly');
  await connection.until('hello\r\n');
  client.destroy();
  await connection.gone();
  expect(connection.received).toMatch(/\r\n\r\n5\r\nhello\r\n$/);
});
