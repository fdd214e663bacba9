// Tokens and signed URLs from the command line, checked by the gateway's own verifier and by another JWT library.

import { writeFileSync } from 'node:fs';
import { jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkScope, checkTimes, verifyToken } from '../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../gateway/core/token/key-ring.ts';
import { epochSeconds } from '../../gateway/telemetry/clock.ts';
import { ConfigFolder, minimalYaml } from '../support/rigs/config-folder.ts';
import { runHere } from '../support/run/run-here.ts';
import { runLatchkey } from '../support/run/run-latchkey.ts';

let folder: ConfigFolder;
let config: string[];
const secret = new Uint8Array(32).fill(0x6b);

beforeEach(() => {
  folder = new ConfigFolder();
  config = ['--config', folder.file('latchkey.yaml')];
  writeFileSync(
    folder.file('latchkey.yaml'),
    `${minimalYaml}\ncommon_keys: [{ id: k1, secret_file: k1.secret, state: signing }]`,
  );
});

afterEach(() => {
  folder.remove();
});

const ring = buildKeyRing([{ id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret }]);

async function lines(args: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await runHere(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trimEnd().split('\n');
}

async function mint(...args: string[]): Promise<string> {
  const [token = ''] = await lines(['token', 'mint', ...config, ...args]);
  return token;
}

/** Whether the token opens the path at the gateway; a reason when it does not. */
function opens(token: string, path: string, method = 'GET'): string {
  const verified = verifyToken(token, ring);
  if (verified.kind === 'refused') return verified.reason;
  const route = { unscopedTokens: 'refuse', audience: [] } as const;
  const facts = { method, host: 'media.example.org', path, clientAddress: '127.0.0.1' };
  return checkTimes(verified, epochSeconds(), 5, 86_400) ?? checkScope(verified, route, facts) ?? 'opens';
}

describe('token mint', () => {
  test('a minted token is valid for the gateway and for another JWT library', async () => {
    const before = epochSeconds();
    const token = await mint('--sub', 'user-1', '--paths', '/vod/*', '--ttl', '15m');
    expect(opens(token, '/vod/a.m3u8')).toBe('opens');
    expect(opens(token, '/else')).toBe('outside-path');
    const { payload, protectedHeader } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
    expect(protectedHeader).toMatchObject({ alg: 'HS256', kid: 'k1' });
    expect(payload).toMatchObject({ sub: 'user-1', paths: ['/vod/*'], jti: expect.any(String) });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900);
    expect(payload.iat).toBeGreaterThanOrEqual(before);
  });

  test('every limit and further claims end up in the token', async () => {
    const token = await mint(
      ...[
        '--paths',
        '/a,b/*',
        '--paths',
        '/c',
        '--methods',
        'get,post',
        '--hosts',
        'Media.example.org',
        '--ips',
        '10.0.0.0/8',
      ],
      ...[
        '--aud',
        'one,two',
        '--claims',
        '{"email":"anna@example.org","groups":["staff"],"sub":"overruled"}',
        '--sub',
        'anna',
      ],
    );
    const { payload } = await jwtVerify(token, secret, { audience: 'one' });
    expect(payload).toMatchObject({
      sub: 'anna',
      email: 'anna@example.org',
      groups: ['staff'],
      paths: ['/a,b/*', '/c'],
      methods: ['GET', 'POST'],
      hosts: ['media.example.org'],
      ips: ['10.0.0.0/8'],
      aud: ['one', 'two'],
    });
  });

  test('without common_keys a key in data_dir is made once and used by the next command', async () => {
    writeFileSync(folder.file('latchkey.yaml'), minimalYaml);
    const first = await runLatchkey(['token', 'mint', ...config, '--paths', '/*']);
    expect(first.stderr).toMatch(/a content key was made: k_\w{8}, in the store\n$/);
    const inspected = await runHere(['token', 'inspect', first.stdout.trim(), ...config]);
    expect(inspected.code).toBe(0);
    const second = await runHere(['token', 'mint', ...config, '--paths', '/*', '--json']);
    expect(second.stderr).toBe('');
    expect(first.stderr).toContain(JSON.parse(second.stdout).kid);
  });

  test.each([
    [['--sub', 'x'], 2, "add --paths '/vod/*'"],
    [['--paths', '/*', '--unscoped'], 2, 'exclude each other'],
    [['--paths', '/*', '--ttl', '15'], 2, 'not a duration'],
    [['--paths', '/*', '--ttl', '1500ms'], 2, 'not a duration'],
    [['--paths', 'vod/*'], 2, 'paths has an entry'],
    [['--paths', '/*', '--ips', 'here'], 2, 'ips has an entry'],
    [['--paths', '/*', '--claims', '[1]'], 2, 'not a JSON object'],
    [['--paths', '/*', '--claims', '{"groups":["a,b"]}'], 2, 'comma'],
    [['--paths', '/*', '--key', 'k9'], 1, 'keys: k1 (signing)'],
  ])('%j is refused', async (args, exitCode, part) => {
    const { code, stdout, stderr } = await runHere(['token', 'mint', ...config, ...args]);
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toContain(part);
  });

  test('a token that lives too long for every route comes with a warning', async () => {
    const { code, stderr } = await runHere(['token', 'mint', ...config, '--paths', '/*', '--ttl', '48h']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: --ttl: no route takes a token that lives 172800 s/);
  });

  test('all problems of a bad configuration are reported', async () => {
    writeFileSync(folder.file('latchkey.yaml'), 'edges: 0');
    const { code, stderr } = await runLatchkey(['token', 'mint', ...config, '--paths', '/*']);
    expect(code).toBe(1);
    expect(stderr).toContain('has 4 problems');
    expect(stderr).toContain('listeners: is missing');
  });
});

describe('token inspect', () => {
  test('a good token is valid, and its claims are shown', async () => {
    const token = await mint('--sub', 'user-1', '--paths', '/vod/*');
    const { code, stdout, stderr } = await runHere(['token', 'inspect', token, ...config]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('"sub": "user-1"');
    expect(stdout).toMatch(/\nexp {5}20\d\d-.*Z\nopens something\n$/);
  });

  test('- reads the token from stdin', async () => {
    const token = await mint('--paths', '/vod/*');
    const { code, stdout } = await runLatchkey(['token', 'inspect', '-', '--json', ...config], { stdin: `${token}\n` });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      holds: true,
      reason: null,
      header: { kid: 'k1' },
      claims: { paths: ['/vod/*'] },
    });
  });

  test('a changed token, an unknown key and a text that is no token are invalid, each for its reason', async () => {
    const token = await mint('--paths', '/vod/*');
    const [header = '', , mac = ''] = token.split('.');
    const forged = `${header}.${Buffer.from('{"exp":9999999999}').toString('base64url')}.${mac}`;
    const other = `${Buffer.from('{"alg":"HS256","kid":"k9"}').toString('base64url')}.${token.split('.')[1]}.${mac}`;
    for (const [text, reason] of [
      [forged, 'token-bad-signature'],
      [other, 'token-unknown-key'],
      ['nonsense', 'token-malformed'],
    ] as const) {
      const { code, stdout, stderr } = await runHere(['token', 'inspect', text, '--json', ...config]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ holds: false, reason });
      expect(stderr).toMatch(/^error: /);
    }
  });

  test('a token whose exp is in milliseconds is invalid, and the output says so', async () => {
    const [header = ''] = (await mint('--paths', '/vod/*')).split('.');
    const { createHmac } = await import('node:crypto');
    const signed = `${header}.${Buffer.from(JSON.stringify({ exp: (epochSeconds() + 60) * 1000 })).toString('base64url')}`;
    const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    const { code, stdout, stderr } = await runHere(['token', 'inspect', token, '--json', ...config]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: /)]);
    expect(JSON.parse(stdout)).toMatchObject({
      reason: 'token-lives-too-long',
      detail: expect.stringContaining('exp looks like milliseconds'),
    });
  });

  test('an expired token is invalid, and the output says since when', async () => {
    const [header = ''] = (await mint('--paths', '/vod/*')).split('.');
    const { createHmac } = await import('node:crypto');
    const signed = `${header}.${Buffer.from(JSON.stringify({ exp: epochSeconds() - 3600 })).toString('base64url')}`;
    const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    const { code, stdout, stderr } = await runHere(['token', 'inspect', token, ...config]);
    expect(code).toBe(1);
    expect(stdout).toContain('opens nothing (token-expired)');
    expect(stderr).toMatch(/^error: expired 36\d\d s ago\n/);
  });

  test('a token of a retired key is invalid', async () => {
    const token = await mint('--paths', '/vod/*');
    writeFileSync(folder.file('k2.secret'), 'x'.repeat(40), { mode: 0o600 });
    const keys =
      '[{ id: k1, secret_file: k1.secret, state: retired }, { id: k2, secret_file: k2.secret, state: signing }]';
    writeFileSync(folder.file('latchkey.yaml'), `${minimalYaml}\ncommon_keys: ${keys}`);
    const { code, stdout } = await runHere(['token', 'inspect', token, ...config, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ reason: 'token-retired-key' });
  });

  test('without a configuration the claims are shown unverified', async () => {
    const token = await mint('--sub', 'user-1', '--paths', '/vod/*');
    const { code, stdout, stderr } = await runHere(['token', 'inspect', token]);
    expect(code).toBe(1);
    expect(stdout).toContain('"sub": "user-1"');
    expect(stdout).toContain('opens nothing (not-verified)');
    expect(stderr).toContain('--config FILE');
  });
});

describe('url sign', () => {
  const playlist = 'https://media.example.org/vod/film%20one/index.m3u8';

  test('a playlist gets the path form and opens its folder', async () => {
    const [signed = ''] = await lines(['url', 'sign', ...config, playlist]);
    const match = /^https:\/\/media\.example\.org\/\.t\/([^/]+)(\/vod\/film%20one\/index\.m3u8)$/.exec(signed);
    const token = match?.[1] ?? '';
    expect(opens(token, '/vod/film%20one/index.m3u8')).toBe('opens');
    expect(opens(token, '/vod/film%20one/720p/seg-1.ts')).toBe('opens');
    expect(opens(token, '/vod/film%20two/seg-1.ts')).toBe('outside-path');
    expect(opens(token, '/vod/film%20one/index.m3u8', 'POST')).toBe('outside-method');
  });

  test('a playlist with its token in the query is signed, with a word about its segments', async () => {
    const { code, stderr } = await runHere(['url', 'sign', ...config, '--in', 'query', playlist, '/vod/b']);
    expect(code).toBe(0);
    expect(stderr).toContain(`the segments of ${playlist} do not inherit a token in the query`);
    expect(stderr).not.toContain('/vod/b');
  });

  test('any other file gets the query form, which opens only that file; its own query and fragment stay', async () => {
    const [signed = ''] = await lines([
      'url',
      'sign',
      ...config,
      'https://media.example.org/a/report.pdf?x=%2F&y#page=2',
    ]);
    const match = /^https:\/\/media\.example\.org\/a\/report\.pdf\?x=%2F&y&token=([^&#]+)#page=2$/.exec(signed);
    expect(opens(match?.[1] ?? '', '/a/report.pdf')).toBe('opens');
    expect(opens(match?.[1] ?? '', '/a/report.pdf2')).toBe('outside-path');
  });

  test('--in, --paths, --sub and --ttl work for several URLs and bare paths', async () => {
    const args = [
      'url',
      'sign',
      ...config,
      '--in',
      'query',
      '--paths',
      '/vod/*',
      '--sub',
      'anna',
      '--ttl',
      '2h',
      '--json',
    ];
    const { stdout } = await runLatchkey([...args, playlist, '/vod/b']);
    const signed: unknown = JSON.parse(stdout);
    expect(signed).toEqual([
      {
        url: playlist,
        signed: expect.stringContaining(`${playlist}?token=`),
        paths: ['/vod/*'],
        expires: expect.any(Number),
      },
      {
        url: '/vod/b',
        signed: expect.stringMatching(/^\/vod\/b\?token=/),
        paths: ['/vod/*'],
        expires: expect.any(Number),
      },
    ]);
    const [inPath = ''] = await lines(['url', 'sign', ...config, '--in', 'path', 'http://localhost:8080/files/']);
    expect(opens(inPath.split('/')[4] ?? '', '/files/deep/er')).toBe('opens');
  });

  test('a path that is not canonical is signed for the canonical path that the gateway will see', async () => {
    const [signed = ''] = await lines(['url', 'sign', ...config, 'https://media.example.org/%7euser/a']);
    expect(signed).toContain('/%7euser/a?token=');
    expect(opens(signed.split('token=')[1] ?? '', '/~user/a')).toBe('opens');
  });

  test.each([
    ['ftp://media.example.org/a', 'not an http(s) URL'],
    ['media.example.org/a', 'not an http(s) URL'],
    ['https://media.example.org/a/../b', 'dot segment'],
    ['https://media.example.org/a?token=x', 'carries a token already'],
    ['https://media.example.org/.t/x/a', 'carries a token already'],
    ['https://media.example.org/a*', 'has a star'],
  ])('%s is refused', async (url, part) => {
    const { code, stdout, stderr } = await runHere(['url', 'sign', ...config, playlist, url]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(part);
  });
});
