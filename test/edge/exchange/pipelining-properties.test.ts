// A model of pipelining to an upstream under chance: pieces of any size, pauses, ends with and without a word, resets,
// clients that leave. Whatever happens, an answer that a client gets whole is the one to its own request.
// Rule: RFC 9112 §9.3.2; the seed of a run that failed is in the message.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream, type UpstreamSocket } from '../../support/peers/socket-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const clientCount = 16;
const turn = () => new Promise((resolve) => setImmediate(resolve));

type Chance = (below: number) => number;

function chanceFrom(seed: number): Chance {
  let state = seed | 1;
  return (below) => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** What the answer to a path says: long enough for some that spans take several reads. */
function bodyOf(path: string): string {
  const size = (path.length * 7919 + path.charCodeAt(path.length - 1) * 104_729) % 3000;
  return `${path} `.repeat(1 + (size % 5 === 0 ? size * 8 : size % 40));
}

let gateway: TestGateway;
let upstream: SocketUpstream;
let chance: Chance = chanceFrom(1);
/** Bodies that the upstream read where no client sent one, or heads that it could not read. */
const misread: string[] = [];

beforeAll(async () => {
  upstream = await SocketUpstream.start((connection) => void serve(connection));
  gateway = await startGateway({ config: configOf(256) });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** @param connections  at most; another number makes other pools of a reload */
function configOf(connections: number): FileInput {
  return {
    upstreams: { web: { servers: [upstream.url], pipelining: 8, max_connections: connections } },
    routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
  };
}

/** Answers in order, as an upstream may. */
async function serve(connection: UpstreamSocket): Promise<void> {
  for (;;) {
    const end = connection.received.indexOf('\r\n\r\n');
    if (end < 0) {
      if (connection.isGone) return;
      await turn();
      continue;
    }
    const head = connection.received.slice(0, end + 4);
    const [, method = '', path = ''] = /^(GET|HEAD|POST) (\/\S+) HTTP\/1\.1\r\n/.exec(head) ?? [];
    const length = Number(/^Content-Length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
    if (path === '') misread.push(head);
    while (connection.received.length < end + 4 + length && !connection.isGone) await turn();
    const sent = connection.received.slice(end + 4, end + 4 + length);
    if (length > 0 && sent.length === length && sent !== `${path}!`.slice(0, length)) misread.push(`${path}: ${sent}`);
    connection.received = connection.received.slice(end + 4 + length);
    for (let pause = chance(6); pause > 3; pause--) await turn();
    if (!(await answer(connection, method, path))) return;
  }
}

/** @returns false when the connection ended with it */
async function answer(connection: UpstreamSocket, method: string, path: string): Promise<boolean> {
  const fate = isCalm ? 5 + chance(35) : chance(80);
  if (fate === 0) {
    connection.socket.resetAndDestroy();
    return false;
  }
  if (fate === 1) {
    connection.socket.end();
    return false;
  }
  const says = fate === 2 ? 'Connection: close\r\n' : '';
  const body = bodyOf(path);
  const isChunked = fate % 5 === 0;
  const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
  const content = isChunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
  const text = `HTTP/1.1 200 OK\r\n${framing}\r\nX-For: ${path}\r\n${says}\r\n${method === 'HEAD' ? '' : content}`;
  // a cut in the middle, now and then for good
  const cut = chance(3) === 0 ? chance(text.length) : text.length;
  connection.write(text.slice(0, cut));
  if (cut < text.length) {
    for (let pause = chance(4); pause > 0; pause--) await turn();
    if (fate === 3) {
      connection.socket.destroy();
      return false;
    }
    connection.write(text.slice(cut));
  }
  if (fate === 2 || fate === 4) {
    connection.socket.end();
    return false;
  }
  return true;
}

/** @returns what was wrong with an answer; null when nothing was */
async function visit(client: RawClient, path: string, method: string, leaves: boolean): Promise<string | null> {
  if (method === 'POST') {
    const body = `${path}!`;
    client.write(requestText('POST', path, [`Content-Length: ${body.length}`]));
    // later than its head, so that others may come between
    for (let pause = chance(3); pause > 0; pause--) await turn();
    client.write(body);
  } else client.write(requestText(method, path));
  if (leaves) {
    for (let pause = chance(5); pause > 0; pause--) await turn();
    client.destroy();
    return null;
  }
  const response = await client.read(method).catch(() => null);
  // cut off in the middle, which it can tell
  if (response === null || response.status !== 200) return null;
  if (response.header('X-For') !== path) return `${path} got the head of ${response.header('X-For')}`;
  if (method !== 'HEAD' && response.text !== bodyOf(path)) return `${path} got ${response.text.slice(0, 60)}`;
  whole++;
  return null;
}

let whole = 0;
let isCalm = false;

const firstSeed = (Date.now() % 1_000_000) * 10;

test.each([
  [firstSeed + 1, 'a calm upstream'],
  [firstSeed + 2, 'a calm upstream'],
  [firstSeed + 3, 'a rough upstream'],
])('every answer is its own: seed %i, %s', async (seed, kind) => {
  isCalm = kind === 'a calm upstream';
  chance = chanceFrom(seed);
  whole = 0;
  const wrong: string[] = [];
  const requestsPerClient = isCalm ? 60 : 10;
  const arrived = Array.from({ length: requestsPerClient }, () => 0);
  const run = async (name: number): Promise<void> => {
    let client = await RawClient.connect(gateway.port);
    for (let number = 0; number < requestsPerClient; number++) {
      if (client.hasEnded || client.socket.destroyed) {
        client.destroy();
        client = await RawClient.connect(gateway.port);
      }
      // all in one turn: whatever one connection takes of that meets on it
      arrived[number] = (arrived[number] ?? 0) + 1;
      while (isCalm && (arrived[number] ?? 0) < clientCount) await turn();
      const method = ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST'][chance(6)] ?? 'GET';
      const problem = await visit(client, `/${seed}/${name}/${number}`, method, chance(25) === 0);
      if (problem !== null) wrong.push(problem);
    }
    client.destroy();
  };
  let isOver = false;
  const visits = Promise.all(Array.from({ length: clientCount }, (_, name) => run(name))).finally(() => {
    isOver = true;
  });
  // a failure stops pipelining for ten seconds; a new pool knows nothing of it
  for (let reload = 1; !isOver && !isCalm; reload++) await gateway.reload(configOf(256 + (reload % 200)));
  await visits;
  expect(wrong, `seed ${seed}`).toEqual([]);
  expect(misread, `seed ${seed}`).toEqual([]);
  // nothing is kept for anybody who is gone
  const deadline = Date.now() + 5000;
  while (!/^latchkey_upstream_active\{upstream="web"\} 0$/m.test(await gateway.scrape())) {
    if (Date.now() > deadline) throw new Error(`seed ${seed}: a connection is in use still`);
    await turn();
  }
  // chance breaks a few, and no more than a few
  expect(whole, `seed ${seed}`).toBeGreaterThan((clientCount * requestsPerClient) / 2);
});
