// Many identities at once, each with a byte pattern of its own: not one byte of another's may ever arrive.
// Fast and slow readers, uploads, and clients that leave in the middle, all over the same few upstream connections.

import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { Pattern } from '../support/pattern.ts';

const identities = 24;
const rounds = 5;
const mebibyte = 1024 * 1024;
const patterns = Array.from({ length: identities }, (_, number) => Pattern.seeded(number + 1));

let upstream: Server;
let gateway: TestGateway;
const upstreamProblems: string[] = [];

beforeAll(async () => {
  upstream = createServer(serve).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const address = upstream.address();
  const port = typeof address === 'object' ? address?.port : 0;
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [`http://127.0.0.1:${port}`], max_idle_connections: 8 } },
      routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['token'] }],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

/** The upstream knows who asks by `X-Forwarded-User` alone; `/<bytes>/<framing>` says what to answer. */
function serve(incoming: IncomingMessage, answer: ServerResponse): void {
  const user = String(incoming.headers['x-forwarded-user']);
  const pattern = patternOf(user);
  const [, size = '0', framing = ''] = (incoming.url ?? '').split('/');
  answer.setHeader('X-Seen-User', user);
  if (incoming.method === 'POST') {
    let offset = 0;
    incoming.on('data', (chunk: Buffer) => {
      if (!pattern.matches(offset, chunk)) upstreamProblems.push(`foreign bytes in the upload of ${user}`);
      offset += chunk.length;
    });
    incoming.on('end', () => answer.end(String(offset)));
    return;
  }
  if (framing !== 'chunked') answer.setHeader('Content-Length', size);
  let sent = 0;
  const write = (): void => {
    while (sent < Number(size)) {
      const part = pattern.at(sent, Math.min(100_000, Number(size) - sent));
      sent += part.length;
      if (!answer.write(part)) return;
    }
    answer.end();
  };
  answer.on('drain', write);
  write();
}

function patternOf(user: string): Pattern {
  const pattern = patterns[Number(user.slice('user-'.length))];
  if (pattern === undefined) throw new Error(`nobody is called ${user}`);
  return pattern;
}

/** Numbers that look random and are the same in each run. */
function makeDice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

interface Visitor {
  readonly user: string;
  readonly token: string;
  readonly agent: Agent;
  readonly isSlow: boolean;
}

/** @returns what was wrong; null when nothing was. @param leaveAt  offset at which the client leaves */
function download(visitor: Visitor, size: number, framing: string, leaveAt: number): Promise<string | null> {
  const { user, agent } = visitor;
  const pattern = patternOf(user);
  return new Promise((resolve) => {
    const asked = request({
      agent,
      port: gateway.port,
      path: `/${size}/${framing}`,
      headers: { host: 'a', authorization: `Bearer ${visitor.token}` },
    });
    asked.on('error', (error) => resolve(error.message));
    asked.on('response', (answer) => {
      if (answer.statusCode !== 200) resolve(`${user} got ${answer.statusCode}`);
      if (answer.headers['x-seen-user'] !== user) resolve(`${user} was taken for ${answer.headers['x-seen-user']}`);
      let offset = 0;
      answer.on('data', (chunk: Buffer) => {
        if (!pattern.matches(offset, chunk)) resolve(`foreign bytes for ${user} at ${offset}`);
        offset += chunk.length;
        if (offset >= leaveAt) {
          asked.destroy();
          resolve(null);
        } else if (visitor.isSlow) {
          answer.pause();
          setTimeout(() => answer.resume(), 1);
        }
      });
      answer.on('error', (error) => resolve(error.message));
      answer.on('end', () => resolve(offset === size ? null : `${user} got ${offset} of ${size} bytes`));
    });
    asked.end();
  });
}

function upload(visitor: Visitor, size: number): Promise<string | null> {
  const { user, agent } = visitor;
  const pattern = patternOf(user);
  return new Promise((resolve) => {
    const asked = request({
      agent,
      method: 'POST',
      port: gateway.port,
      path: '/upload',
      headers: { host: 'a', authorization: `Bearer ${visitor.token}`, 'content-length': size },
    });
    asked.on('error', (error) => resolve(error.message));
    asked.on('response', async (answer) => {
      let text = '';
      for await (const part of answer.setEncoding('latin1')) text += part;
      const isRight = answer.headers['x-seen-user'] === user && text === String(size);
      resolve(isRight ? null : `the upload of ${user} was answered as ${answer.headers['x-seen-user']}: ${text}`);
    });
    let sent = 0;
    const write = (): void => {
      while (sent < size) {
        const part = pattern.at(sent, Math.min(100_000, size - sent));
        sent += part.length;
        if (!asked.write(part)) return;
      }
      asked.end();
    };
    asked.on('drain', write);
    write();
  });
}

async function visit(number: number): Promise<(string | null)[]> {
  const user = `user-${number}`;
  const dice = makeDice(number + 1);
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const visitor = { user, token: gateway.mint({ sub: user }), agent, isSlow: number % 4 === 0 };
  const problems: (string | null)[] = [];
  for (let round = 0; round < rounds; round++) {
    const size = mebibyte + dice(7 * mebibyte);
    const leaveAt = round === 2 ? dice(size) : Number.POSITIVE_INFINITY;
    // two at a time, so that one identity's connections are mixed with each other as well
    const both = [download(visitor, size, dice(2) === 0 ? 'chunked' : 'length', leaveAt)];
    both.push(round % 2 === 0 ? upload(visitor, dice(mebibyte)) : download(visitor, dice(20_000), 'length', Infinity));
    problems.push(...(await Promise.all(both)));
  }
  agent.destroy();
  return problems;
}

test('not one byte and not one name of another identity arrives', async () => {
  const visits = await Promise.all(Array.from({ length: identities }, (_, number) => visit(number)));
  expect(visits.flat().filter((problem) => problem !== null)).toEqual([]);
  expect(upstreamProblems).toEqual([]);
  expect(visits.flat()).toHaveLength(identities * rounds * 2);
  // nothing is left over from those who left in the middle
  const busy = async () => (await gateway.scrape()).match(/^latchkey_(connections|upstream_active).*\} [1-9]\d*$/gm);
  await expect.poll(busy).toBeNull();
});
