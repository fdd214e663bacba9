// `latchkey token inspect` against the routes of a file, and `latchkey check` about routes inside others.
// The command's verdict on a token is the answer that a gateway with that file would give.

import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mintToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { ConfigFolder } from '../../support/rigs/config-folder.ts';
import { runHere } from '../../support/run/run-here.ts';

// as the folder's key file has it
const secret = 'k'.repeat(32);
const key = buildKeyRing([
  { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret: Buffer.from(secret) },
]).signer('content');
const yaml = `
listeners: [{ address: 127.0.0.1:0 }]
common_keys: [{ id: k1, secret_file: k1.secret, state: signing }]
users_file: users
upstreams: { media: { servers: ["http://127.0.0.1:9"] } }
routes:
  - { name: vod, path: /vod/, upstream: media, accept: [token] }
  - { name: short, path: /vod/short/, upstream: media, accept: [token], max_token_ttl: 60s }
  - { name: app, host: app.example.org, path: /, upstream: media, accept: [token], audience: app }
  - { name: guarded, path: /guarded/, upstream: media, accept: [password] }
  - { name: inner, path: /guarded/inner/, upstream: media, accept: [token] }
  - { name: open, path: /guarded/open/, upstream: media, accept: [anyone] }
`;
const more = `
  - { name: read, path: /read/, upstream: media, accept: [token], methods: [GET, HEAD] }
  - { name: own, host: own.example.org, path: /vod/, upstream: media, accept: [token] }
  - { name: kids, path: /vod/kids/, upstream: media, accept: [token] }
`;

let folder: ConfigFolder;
let file: string;
beforeAll(() => {
  folder = new ConfigFolder();
  file = folder.file('latchkey.yaml');
  writeFileSync(file, yaml);
});
afterAll(() => folder.remove());

function mint(claims: object, type: 'outside' | 'pass' = 'outside'): string {
  if (key === null) throw new Error('no key');
  const now = epochSeconds();
  return mintToken({ sub: 'anna', iat: now, exp: now + 600, ...claims }, { key, type });
}

interface Inspected {
  readonly code: number;
  readonly said: {
    readonly holds: boolean;
    readonly reason: string | null;
    readonly detail: string | null;
    readonly routes: readonly { route: string; opens: boolean; reason: string | null; detail: string }[];
    readonly url: { route: string | null; opens: boolean; reason: string | null; detail: string } | null;
  };
}

async function inspect(token: string, ...more: string[]): Promise<Inspected> {
  const { code, stdout } = await runHere(['token', 'inspect', token, '--config', file, '--json', ...more]);
  return { code, said: JSON.parse(stdout) };
}

describe('token inspect', () => {
  test('tells per route whether the token would open anything there, and why not', async () => {
    const { code, said } = await inspect(mint({ paths: ['/vod/*'] }));
    expect(code).toBe(0);
    expect(said.routes).toEqual([
      { route: 'vod', opens: true, reason: null, detail: '/vod/*' },
      {
        route: 'short',
        opens: false,
        reason: 'token-lives-too-long',
        detail: 'lives 10 min, the route takes 1 min',
      },
      {
        route: 'app',
        opens: false,
        reason: 'token-wrong-audience',
        detail: 'aud is missing, the route wants app',
      },
      expect.objectContaining({ route: 'guarded', opens: false, reason: 'credential-not-accepted' }),
      expect.objectContaining({ route: 'inner', opens: false, reason: 'outside-path' }),
      expect.objectContaining({ route: 'open', opens: false, reason: 'credential-not-accepted' }),
    ]);
  });

  test.each([
    ['for a path of no route', { paths: ['/other/*'] }, 'outside-path'],
    ['without paths', {}, 'token-unscoped'],
    ['with an empty list of paths', { paths: [] }, 'outside-path'],
    ['for an audience that no route has', { paths: ['/*'], aud: 'other' }, 'token-wrong-audience'],
    [
      'that lives longer than any route takes',
      { paths: ['/*'], exp: epochSeconds() + 30 * 86_400 },
      'token-lives-too-long',
    ],
  ])('opens nothing where every route refuses it: %s', async (_what, claims, reason) => {
    const { code, said } = await inspect(mint(claims));
    expect([code, said.holds, said.reason]).toEqual([1, false, reason]);
    expect(said.routes.every(({ opens }) => !opens)).toBe(true);
  });

  test('shows the part of a route that the token’s limits leave open', async () => {
    const wide = await inspect(mint({ paths: ['/*'], methods: ['GET'], ips: ['192.0.2.0/24'] }));
    expect(wide.said.routes.filter(({ opens }) => opens).map(({ route, detail }) => [route, detail])).toEqual([
      ['vod', '/* by GET from 192.0.2.0/24'],
      ['inner', '/* by GET from 192.0.2.0/24'],
    ]);
    const host = await inspect(mint({ paths: ['/a/*.ts'], hosts: ['app.example.org'], aud: ['app'] }));
    expect(host.said.routes.filter(({ opens }) => opens).map(({ route }) => route)).toEqual(['app']);
    // a longer route has all of what it names
    const shadowed = await inspect(mint({ paths: ['/vod/short/a.ts'] }));
    expect([shadowed.said.holds, shadowed.said.reason]).toEqual([false, 'outside-path']);
  });

  test.each([
    ['none by a method that the route does not take', { paths: ['/read/*'], methods: ['POST', 'PUT'] }, []],
    ['those by one of several that it takes', { paths: ['/read/*'], methods: ['POST', 'GET'] }, ['read']],
    ['none without a host, where its own host has others', { paths: ['/vod/a'], hosts: ['own.example.org'] }, ['own']],
    ['those whose names a star stands for', { paths: ['/vod/*/index.m3u8'] }, ['vod', 'own', 'kids']],
  ])('opens routes: %s', async (_what, claims, routes) => {
    writeFileSync(file, yaml + more.slice(1));
    try {
      const { said } = await inspect(mint(claims));
      expect(said.routes.filter(({ opens }) => opens).map(({ route }) => route)).toEqual(routes);
    } finally {
      writeFileSync(file, yaml);
    }
  });

  test('judges a pass by the access answer that it was made from', async () => {
    const place = { hosts: ['media.example'], paths: ['/guarded/*'], n: ['cr_c'], v: ['e', 1] };
    const { said } = await inspect(mint({ ...place, cred: { id: 'c', v: 1 } }, 'pass'));
    expect(said.routes.filter(({ opens }) => opens).map(({ route }) => route)).toEqual(['guarded']);
    expect(said.routes.find(({ route }) => route === 'inner')).toMatchObject({
      reason: 'credential-not-accepted',
      detail: 'a pass for a password, which the route does not take',
    });
  });

  test('--url decides as the gateway would', async () => {
    const token = mint({ paths: ['/vod/*'], methods: ['GET'] });
    const at = async (url: string, ...more: string[]) => {
      const { code, said } = await inspect(token, '--url', url, ...more);
      return [code, said.holds, said.url?.route, said.url?.reason];
    };
    expect(await at('https://media.example/vod/a.ts?x=1#y')).toEqual([0, true, 'vod', null]);
    expect(await at('http://media.example:8080/vod/a.ts', '--method', 'HEAD')).toEqual([0, true, 'vod', null]);
    expect(await at('https://media.example/vod/a.ts', '--method', 'POST')).toEqual([1, false, 'vod', 'outside-method']);
    expect(await at('https://media.example/vod/short/a')).toEqual([1, false, 'short', 'token-lives-too-long']);
    expect(await at('https://media.example/guarded/open/a')).toEqual([0, true, 'open', null]);
    expect(await at('https://media.example/nowhere')).toEqual([1, false, null, 'no-route']);
    expect(await at('https://app.example.org')).toEqual([1, false, 'app', 'token-wrong-audience']);
    const limited = mint({ paths: ['/vod/*'], ips: ['192.0.2.1'] });
    const url = ['--url', 'https://media.example/vod/a'];
    expect((await inspect(limited, ...url)).said.reason).toBe('outside-address');
    expect((await inspect(limited, ...url, '--client', '192.0.2.1')).said.holds).toBe(true);
  });

  test('--url refuses a text that is no URL, and needs a configuration', async () => {
    const token = mint({ paths: ['/vod/*'] });
    for (const url of [
      'media.example/vod/a',
      'ftp://media.example/',
      'https://media.example/a/../../b%00',
      'https://a@b/',
    ]) {
      const { code, stderr } = await runHere(['token', 'inspect', token, '--config', file, '--url', url]);
      expect([url, code, stderr]).toEqual([url, 2, expect.stringContaining('--url')]);
    }
    expect((await runHere(['token', 'inspect', token, '--url', 'https://a/'])).code).toBe(2);
  });

  test('without --json the same verdicts are printed as lines', async () => {
    const { stdout } = await runHere(['token', 'inspect', mint({ paths: ['/vod/*'] }), '--config', file]);
    expect(stdout).toMatch(/\nroute {3}vod {6}opens: \/vod\/\*\n/);
    expect(stdout).toMatch(
      /\nroute {3}short {4}refuses: lives 10 min, the route takes 1 min \(token-lives-too-long\)\n/,
    );
    expect(stdout).toMatch(/\nopens something\n$/);
  });
});

test('check lists routes inside another route with another accept, and still passes', async () => {
  const { code, stdout, stderr } = await runHere(['check', file]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/ is valid \(/)]);
  expect(stderr.split('\n').filter((line) => line.startsWith('note: '))).toEqual([
    expect.stringMatching(/routes\[4\]\.accept: route inner .*inside route guarded .*password does not open it/),
    expect.stringMatching(/routes\[5\]\.accept: route open .*inside route guarded .*everybody gets in there/),
  ]);
  const asJson = await runHere(['check', '--json', file]);
  expect(JSON.parse(asJson.stdout).notes).toHaveLength(2);
});
