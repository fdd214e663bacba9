// The load test's judgement, against a small server that checks tokens with another JWT library.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import jwt from 'jsonwebtoken';
import { afterEach, describe, expect, it } from 'vitest';
import { runScenario } from '../../../bench/load/run-scenario.ts';
import { comparable, judge, makeScenarios, matches } from '../../../bench/load/scenarios.ts';

const secret = 'a secret of at least thirty-two bytes';
const binary = Uint8Array.from({ length: 70_000 }, (_, at) => (at * 7919) % 256);
const files = [
  { path: 'a.m3u8', bytes: Buffer.from('#EXTM3U\nsegment-0.m4s\n') },
  { path: 'low/segment-0.m4s', bytes: binary },
];
const scenarios = makeScenarios(files, { secret, expires: 4_102_444_800, expired: 1_000_000_000, users: 8 });
const named = (title: string) => {
  const found = scenarios.find((scenario) => scenario.title.startsWith(title));
  if (found === undefined) throw new Error(`no scenario ${title}`);
  return found;
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function startSite(decide: (token: string) => number, content = (bytes: Uint8Array) => bytes): Promise<number> {
  const server = createServer((request, response) => {
    const status = decide((request.headers.authorization ?? '').replace('Bearer ', ''));
    const file = files.find((candidate) => request.url === `/vod/${candidate.path}`);
    const body = status === 200 && file !== undefined ? content(file.bytes) : Buffer.from('refused');
    response.writeHead(status, { 'content-length': body.length }).end(body);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function check(token: string): number {
  try {
    const claims = jwt.verify(token, secret);
    return typeof claims === 'object' && claims.paths?.includes('/vod/*') ? 200 : 403;
  } catch {
    return 401;
  }
}

describe('a scenario', () => {
  it('finds nothing wrong with a site that checks every token', async () => {
    const result = await runScenario(named('mixed'), await startSite(check), 4, 1);
    expect(result.problems).toEqual([]);
    expect(Object.keys(result.statuses)).toEqual(['200', '401', '403']);
  });
  it('finds a site that lets wrong tokens in', async () => {
    const result = await runScenario(named('mixed'), await startSite(() => 200), 4, 1);
    expect(result.problems.join()).toContain('answered 200, expected 401');
  });
  it('finds a site that changes one byte of a large file', async () => {
    const spoilt = (bytes: Uint8Array) => bytes.with(bytes.length - 1, 0x7e);
    const result = await runScenario(named('authorised'), await startSite(check, spoilt), 4, 1);
    expect(result.problems.join()).toContain('not the bytes of the file');
  });
});

describe('judge', () => {
  const refused = named('refused: no token').requests[0];

  it('does not take the file for a refusal, whatever the status says', () => {
    if (refused === undefined) throw new Error('the scenario is empty');
    expect(judge(refused, 401, 'sign in first')).toBeNull();
    expect(judge(refused, 401, '#EXTM3U\nsegment-0.m4s\n')).toContain('got the file');
  });
});

describe('matches', () => {
  it('is equality of what is compared', () => {
    expect(matches('aé€b', 'ab')).toBe(true);
    expect(matches('aéc', 'ab')).toBe(false);
    expect(matches('aé', 'ab')).toBe(false);
    expect(matches('aébc', 'ab')).toBe(false);
  });
});

describe('comparable', () => {
  it('does not depend on where a text was cut before it was decoded', () => {
    const bytes = Buffer.from('aé€b');
    const cut = (at: number) => bytes.subarray(0, at).toString() + bytes.subarray(at).toString();
    for (let at = 0; at <= bytes.length; at += 1) expect(comparable(cut(at))).toBe('ab');
  });
});
