// The configuration loader on invalid files: every problem at once, each with its place and a hint.

import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileRefusal } from '../../../gateway/config/files/named-file.ts';
import { loadConfig } from '../../../gateway/config/load.ts';
import { formatProblem } from '../../../gateway/config/problems/format.ts';
import { ConfigFolder, minimalYaml, yamlWithRoute } from '../../support/rigs/config-folder.ts';

let folder: ConfigFolder;

beforeEach(() => {
  folder = new ConfigFolder();
});

afterEach(() => {
  folder.remove();
});

describe('an invalid file', () => {
  test('all problems are reported at once, whatever phase finds them', () => {
    const found = folder.problems(`
listeners: [{ address: 127.0.0.1 }]
listners: []
data_dir: $\{NOT_SET}
common_keys: [{ id: k1, secret_file: ./none.secret, state: signing }]
upstreams: { web: { servers: ["ftp://127.0.0.1:9000"] } }
routes:
  - { name: app, path: /, upstream: wbe, accept: [tokn] }
  - { name: app, path: vod/, upstream: web, accept: [password], max_token_ttl: 15 }
`);
    expect(found.sort()).toEqual(
      [
        'common_keys[0].secret_file: FOLDER/none.secret does not exist (make one with: latchkey common-key generate --out FOLDER/none.secret)',
        'data_dir: environment variable NOT_SET is not set (set NOT_SET before starting latchkey)',
        'listeners[0].address: "127.0.0.1" is not an address to listen on (write 127.0.0.1:8080, [::1]:8080, or :8080 for every address)',
        'listners: unknown key (did you mean "listeners"?)',
        'routes[0].accept[0]: unknown kind "tokn" (did you mean "token"?)',
        'routes[0].upstream: unknown upstream "wbe" (did you mean "web"?)',
        'routes[1].accept[0]: password needs users_file (set users_file, and fill it with: latchkey user add)',
        'routes[1].max_token_ttl: expected a duration like 15m, 10s or 1h30m, found 15',
        'routes[1].name: route name "app" is taken by routes[0] (names are labels in metrics and logs; give each route its own)',
        'routes[1].path: path "vod/" does not start with / (write "/vod/")',
        'upstreams.web.servers[0]: "ftp://127.0.0.1:9000" is no address of a server (write http://host:port, https://host, host:port or unix:/path/to.sock)',
      ]
        .map((line) => line.replaceAll('FOLDER', folder.path))
        .sort(),
    );
  });

  test('an upstream may not take the name of the gateway itself', () => {
    const yaml = minimalYaml.replace('{ web:', '{ latchkey: { servers: ["http://127.0.0.1:9009"] }, web:');
    expect(folder.problems(yaml)).toEqual([
      'upstreams.latchkey: the name is taken ("latchkey" stands for the gateway\'s own pages in metrics and logs; choose another name)',
    ]);
  });

  test('broken YAML is reported with line and column', () => {
    expect(folder.problems('listeners: [\nroutes: }\n')[0]).toMatch(
      /^line \d+, column \d+: .+ \(fix the YAML first\)$/,
    );
    expect(folder.problems('edges: 1\nedges: 2\n')).toEqual([
      'line 2, column 1: the key edges stands here a second time, first in line 1 (keep one of them)',
    ]);
  });

  test('an empty file, a list, a missing file and bytes that are no UTF-8 are refused', () => {
    expect(folder.problems('# nothing\n')).toEqual(['the file is empty (start from config/minimal.yaml)']);
    expect(folder.problems('[1, 2]')).toEqual(['the file is not a mapping (start from config/minimal.yaml)']);
    const missing = loadConfig(folder.file('none.yaml'), () => undefined);
    expect(missing.kind === 'invalid' && missing.problems[0]?.problem).toContain('does not exist');
    writeFileSync(folder.file('latin1.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff]));
    const latin1 = loadConfig(folder.file('latin1.yaml'), () => undefined);
    expect(latin1.kind === 'invalid' && latin1.problems[0]?.problem).toContain('is not UTF-8');
  });

  test('a required key that is missing is named', () => {
    expect(folder.problems('edges: 1')).toEqual([
      'listeners: is missing (add "listeners")',
      'upstreams: is missing (add "upstreams")',
      'routes: is missing (add "routes")',
    ]);
    expect(folder.problems(yamlWithRoute('path: /, accept: []'))).toEqual([
      'routes[0].accept: is empty (name at least one)',
    ]);
  });

  test('routes for people who are signed in need a portal', () => {
    expect(folder.problems(yamlWithRoute('path: /, accept: [session, member]'))).toEqual([
      'routes[0].accept[0]: session needs portal (people sign in there: portal: { public_url: https://portal.example.org })',
      'routes[0].accept[1]: member needs portal (people sign in there: portal: { public_url: https://portal.example.org })',
    ]);
    const portal = 'portal: { public_url: https://portal.example.org }\ntrusted_proxies: [127.0.0.1]\n';
    expect(folder.problems(`${portal}${yamlWithRoute('path: /, accept: [session, member]')}`)).toEqual([]);
  });

  test.each([
    ['/.latchkey/x', 'is under /.latchkey/'],
    ['/.latchkey', 'is under /.latchkey/'],
    ['/.t/', 'is under /.t/'],
    ['/a//b', 'empty segment'],
    ['/a/../b', 'dot segment'],
    ['/a/.', 'dot segment'],
    ['/a%2fb', 'encoded slash'],
    ['/a%2Fb', 'encoded slash'],
    ['/%41', 'write "/A"'],
    ['/a b', 'unencoded'],
    ['/é', 'unencoded'],
    ['/a*', 'wildcard'],
    ['/a?b', 'a query'],
    ['/a\\b', 'unencoded'],
    ['/%e2%82%ac', 'write "/%E2%82%AC"'],
    ['/%ff', 'not UTF-8'],
  ])('the route path %s is refused', (path, part) => {
    expect(folder.problems(yamlWithRoute(`path: ${JSON.stringify(path)}, accept: [token]`))).toEqual([
      expect.stringContaining(part),
    ]);
  });

  test.each(['example.org:8080', 'a b', '*', 'a.*.org', '*.127.0.0.1', '', '1.2.3', '-a.org', 'a..b'])(
    'the route host %j is refused',
    (host) => {
      expect(folder.problems(yamlWithRoute(`path: /, accept: [token], host: ${JSON.stringify(host)}`))).toEqual([
        expect.stringMatching(/^routes\[0\]\.host: /),
      ]);
    },
  );

  test.each([
    ['http://127.0.0.1:9000/', 'has a path'],
    ['http://user:pw@127.0.0.1', 'user name'],
    ['http://127.0.0.1:0', 'not between'],
    ['http://127.0.0.1:99999', 'not between'],
    ['http://', 'no valid host'],
    ['http://256.1.1.1', 'no valid host'],
    ['127.0.0.1', 'has no port'],
    ['https://', 'no valid host'],
    ['ws://127.0.0.1:9000', 'no address of a server'],
    ['unix:', 'names no socket'],
    ['unix:/run/', 'names no socket'],
    [`unix:/${'x'.repeat(107)}`, 'has 108 bytes'],
  ])('the server %s is refused', (server, part) => {
    const found = folder.problems(minimalYaml.replace('http://127.0.0.1:9000', server));
    expect(found).toEqual([expect.stringContaining(part)]);
    expect(found[0]).toMatch(/^upstreams\.web\.servers\[0\]: /);
  });

  test('two routes with the same host and path are refused, whatever the case of the host', () => {
    const yaml = `
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes:
  - { name: a, host: a.org, path: /, upstream: web, accept: [token] }
  - { name: b, host: A.org, path: /, upstream: web, accept: [token] }
  - { name: c, path: /, upstream: web, accept: [token] }
`;
    expect(folder.problems(yaml)).toEqual([
      'routes[1].path: same host and path as routes[0] (one of them would never be reached)',
    ]);
  });

  test('two listeners on one port are refused, also when one of them takes every address', () => {
    const yaml = minimalYaml.replace(
      '[{ address: 127.0.0.1:0 }]',
      '[{ address: 127.0.0.1:8080 }, { address: ":8080" }, { address: 127.0.0.1:9180 }]',
    );
    expect(folder.problems(yaml)).toEqual([
      expect.stringContaining('listeners[1].address: port 8080 is taken by listeners[0].address'),
      expect.stringContaining('operations.address: port 9180 is taken by listeners[2].address'),
    ]);
  });

  test('keys need distinct ids and exactly one that signs', () => {
    const keys = (states: string[]) =>
      `${minimalYaml}\ncommon_keys: [${states.map((state, at) => `{ id: k${at}, secret_file: k1.secret, state: ${state} }`).join(', ')}]`;
    expect(folder.problems(keys(['verifying', 'retired']))).toEqual([
      'common_keys: no key has the state signing (set one of them to signing)',
    ]);
    expect(folder.problems(keys(['signing', 'signing']))).toEqual([
      expect.stringContaining('common_keys[1].state: a second signing key'),
    ]);
    expect(folder.problems(keys(['signing', 'verifying']).replace('k1,', 'k0,'))).toEqual([
      expect.stringContaining('common_keys[1].id: key id "k0" is taken'),
    ]);
  });

  test('a short secret is refused and an open one is a warning', () => {
    const yaml = `${minimalYaml}\ncommon_keys: [{ id: k1, secret_file: k1.secret, state: signing }]`;
    chmodSync(folder.file('k1.secret'), 0o644);
    const open = folder.load(yaml);
    expect(open.kind === 'loaded' && open.warnings.map(formatProblem)).toEqual([
      expect.stringContaining('common_keys[0].secret_file: '),
    ]);
    // 31 bytes and the newline are not 32 bytes of key.
    writeFileSync(folder.file('k1.secret'), `${'k'.repeat(31)}\n`);
    expect(folder.problems(yaml)).toEqual([expect.stringContaining('holds 31 bytes, a key needs at least 32')]);
    rmSync(folder.file('k1.secret'));
    mkdirSync(folder.file('k1.secret'));
    expect(folder.problems(yaml)).toEqual([expect.stringContaining('is not a regular file')]);
  });

  test('a users file that is not there is refused, unless the files are not checked', () => {
    rmSync(folder.file('users'));
    const yaml = `${yamlWithRoute('path: /, accept: [password]')}\nusers_file: users`;
    expect(folder.problems(yaml)).toEqual([expect.stringContaining('users_file: ')]);
    expect(loadConfig(folder.file('latchkey.yaml'), () => undefined, { files: 'skip' }).kind).toBe('loaded');
  });

  test('custom identity names must be free, distinct, and no fields with a meaning of their own', () => {
    const custom = '{ sub: Cookie, email: X_Mail, groups: X-User, name: x-user, preferred_username: X-Latchkey-Me }';
    expect(
      folder
        .problems(yamlWithRoute(`path: /, accept: [token], identity: { custom: ${custom} }`))
        .map((line) => line.split(': ')[0]),
    ).toEqual(['sub', 'email', 'name', 'preferred_username'].map((claim) => `routes[0].identity.custom.${claim}`));
    expect(folder.problems(yamlWithRoute('path: /, accept: [token], identity: { custom: {} }'))).toEqual([
      expect.stringContaining('names no header'),
    ]);
    expect(folder.problems(yamlWithRoute('path: /, accept: [token], identity: oauth-proxy'))).toEqual([
      'routes[0].identity: unknown identity preset "oauth-proxy" (did you mean "oauth2-proxy"?)',
    ]);
  });

  test('trusted proxies are addresses or CIDR blocks, written out', () => {
    const yaml = `${minimalYaml}\ntrusted_proxies: [10.0.0.0/8, 10.1/16, 1.2.3.4/33, everyone, "::1/129"]`;
    expect(folder.problems(yaml).map((line) => line.split(':')[0])).toEqual(
      [1, 2, 3, 4].map((at) => `trusted_proxies[${at}]`),
    );
  });

  test('a number, a list or nothing where a text is expected is named as such', () => {
    expect(folder.problems(`${minimalYaml}\ndata_dir: 5`)).toEqual(['data_dir: expected text, found 5']);
    expect(folder.problems(`${minimalYaml}\ntokens: []`)).toEqual(['tokens: expected a mapping, found a list']);
    expect(folder.problems(`${minimalYaml}\nedges: 0`)).toEqual(['edges: 0 is too small (at least 1)']);
    expect(folder.problems(`${minimalYaml}\nedges: many`)).toEqual(['edges: unknown value "many" (one of auto)']);
    expect(folder.problems(`${minimalYaml}\ntokens: { clock_skew: 31s }`)).toEqual([
      'tokens.clock_skew: 31s is too long (at most 30s)',
    ]);
  });

  test('names of members that every JavaScript object has are unknown keys', () => {
    expect(folder.problems(`${minimalYaml}\n__proto__: { edges: 1 }\nconstructor: 1`)).toHaveLength(2);
  });
});

describe('what people write first', () => {
  test.each([
    [yamlWithRoute('path: /, accept: token'), 'routes[0].accept: expected a list, found "token" (write [token])'],
    [
      minimalYaml.replace('127.0.0.1:0', '"::1:8080"'),
      'listeners[0].address: "::1:8080" is not an address to listen on (an IPv6 address needs brackets and a port: [::1:8080]:8080, or [::1]:8080 if 8080 is the port)',
    ],
    [
      minimalYaml.replace('127.0.0.1:0', '"::"'),
      'listeners[0].address: "::" is not an address to listen on (an IPv6 address needs brackets and a port: [::]:8080)',
    ],
    [
      `${minimalYaml}edges: 1\nlogs:\n  level: info\n  level: warn\n`,
      'line 8, column 3: the key level stands here a second time, first in line 7 (keep one of them)',
    ],
    [
      yamlWithRoute('path: /, accept: [session]'),
      'routes[0].accept[0]: session needs portal (people sign in there: portal: { public_url: https://portal.example.org })',
    ],
    [yamlWithRoute('path: /, accept: [token], x-note: 1'), 'routes[0].x-note: unknown key'],
  ])('%s', (yaml, problem) => {
    expect(folder.problems(yaml).join('\n')).toContain(problem);
  });

  test('a top-level member x-… holds anchors, and << merges them', () => {
    const config = folder.config(`
x-people: &people { accept: [token], max_token_ttl: 1h }
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes:
  - { <<: *people, name: app, path: /, upstream: web }
  - { <<: *people, name: more, path: /more/, upstream: web, max_token_ttl: 2h }
`);
    expect(config.routes.map(({ accept, maxTokenTtlSeconds }) => [accept, maxTokenTtlSeconds])).toEqual([
      [['token'], 3600],
      [['token'], 7200],
    ]);
  });

  test('a host that cannot be read is one problem, and causes no untrue one', () => {
    expect(
      folder.problems(`
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes:
  - { name: all, path: /, upstream: web, accept: [token] }
  - { name: app, host: "http://app.example", path: /, upstream: web, accept: [token] }
`),
    ).toEqual([expect.stringMatching(/^routes\[1\]\.host: "http:\/\/app\.example" is not a host/)]);
  });

  test('a data folder that others can open is a warning', () => {
    mkdirSync(folder.file('data'));
    chmodSync(folder.file('data'), 0o755);
    const loaded = folder.load(minimalYaml);
    expect(loaded.kind === 'loaded' ? loaded.warnings.map(formatProblem) : []).toEqual([
      expect.stringMatching(
        /^data_dir: .*data can be opened by other accounts of this machine \(mode 0755\) \(chmod 700 /,
      ),
    ]);
  });

  test('a certificate and its key that are both missing are both named', () => {
    const tls = 'tls: { certificates: [{ cert_file: ./a.pem, key_file: ./a.key }] }';
    const found = folder.problems(minimalYaml.replace('address: 127.0.0.1:0', `address: 127.0.0.1:0, ${tls}`));
    expect(found).toEqual([
      expect.stringMatching(/key_file: .*a\.key does not exist/),
      expect.stringMatching(/cert_file: .*a\.pem does not exist/),
    ]);
  });

  test('a disk that is mounted read-only is not a missing file', () => {
    const error = Object.assign(new Error('read-only'), { code: 'EROFS' });
    expect(fileRefusal('/media/key', error, 'make it').problem).toBe(
      '/media/key is on a disk that is mounted read-only',
    );
  });
});
