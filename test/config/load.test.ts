// The configuration loader as `serve` and `check` see it: real files in, a Config or every problem out.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../gateway/config/config.ts';
import { formatProblem } from '../../gateway/config/format.ts';
import { loadConfig } from '../../gateway/config/load.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-config-'));
  writeFileSync(join(folder, 'k1.secret'), `${'k'.repeat(32)}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'users'), '', { mode: 0o600 });
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const minimal = `
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes: [{ name: app, path: /, upstream: web, accept: [token] }]
`;

function load(yaml: string, environment: Record<string, string> = {}) {
  const file = join(folder, 'latchkey.yaml');
  writeFileSync(file, yaml);
  return loadConfig(file, (name) => environment[name], { cores: 3 });
}

function config(yaml: string, environment: Record<string, string> = {}): Config {
  const loaded = load(yaml, environment);
  if (loaded.kind === 'invalid') throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}

function problems(yaml: string, environment: Record<string, string> = {}): string[] {
  const loaded = load(yaml, environment);
  return loaded.kind === 'invalid' ? loaded.problems.map(formatProblem) : [];
}

/** The minimal file with one route's fields replaced. */
function withRoute(fields: string, rest = ''): string {
  return `
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes: [{ name: app, upstream: web, ${fields} }]
${rest}`;
}

describe('a file that holds', () => {
  test('the sample of the documentation works as written', () => {
    const loaded = config(`
listeners:
  - address: 127.0.0.1:8080
operations:
  address: 127.0.0.1:9180
data_dir: ./data
edges: auto                       # or a number; auto is one per core
common_keys:                      # optional: without it a content key is made on the first run and kept in data_dir, mode 0600
  - { id: k1, secret_file: ./k1.secret, state: signing }     # signing | verifying | retired
users_file: ./users               # optional, for accept: password
upstreams:
  media: { servers: ["http://127.0.0.1:9000"] }
  web:   { servers: ["http://127.0.0.1:9001"] }
routes:
  - { name: vod, path: /vod/, upstream: media, accept: [token, password] }
  - { name: app, host: app.localhost, path: /, upstream: web, accept: [token], identity: oauth2-proxy, assertion: true }
  - { name: public, path: /assets/, upstream: web, accept: [anyone] }
`);
    expect(loaded.listeners).toEqual([{ at: 'listeners[0].address', host: '127.0.0.1', port: 8080 }]);
    expect(loaded.dataDir).toBe(join(folder, 'data'));
    expect(loaded.edges).toBe(3);
    expect(loaded.commonKeys).toEqual([{ id: 'k1', secretFile: join(folder, 'k1.secret'), state: 'signing' }]);
    expect(loaded.usersFile).toBe(join(folder, 'users'));
    expect(loaded.upstreams[1]?.servers).toEqual([{ host: '127.0.0.1', port: 9001, authority: '127.0.0.1:9001' }]);
    expect(loaded.routes.map((route) => [route.name, route.host, route.path, route.assertion])).toEqual([
      ['vod', null, '/vod/', false],
      ['app', 'app.localhost', '/', true],
      ['public', null, '/assets/', false],
    ]);
  });

  test('every default is filled in', () => {
    const loaded = config(minimal);
    expect({ ...loaded, listeners: [], upstreams: [], routes: [] }).toEqual({
      listeners: [],
      operations: { at: 'operations.address', host: '127.0.0.1', port: 9180 },
      dataDir: join(folder, 'data'),
      edges: 3,
      commonKeys: [],
      usersFile: null,
      upstreams: [],
      routes: [],
      trustedProxies: [],
      reservedPrefix: '/.latchkey/',
      tokens: { parameter: 'token', pathPrefix: '/.t/', clockSkewSeconds: 5, passTtlSeconds: 3600, issuer: 'latchkey' },
      logs: { level: 'info', access: { kind: 'stdout' }, decisions: { kind: 'stdout' } },
      limits: {
        headMs: 10_000,
        clientKeepAliveMs: 65_000,
        upstreamKeepAliveMs: 4_000,
        maxConnections: 16_384,
        drainMs: 10_000,
      },
      decisionCache: { entries: 65_536, bytes: 64 * 1024 * 1024 },
      passwordChecksPerSecond: 20,
    });
    expect(loaded.upstreams[0]).toMatchObject({ maxConnections: 512, maxIdleConnections: 64 });
    expect(loaded.routes[0]).toEqual({
      name: 'app',
      host: null,
      path: '/',
      upstream: 'web',
      accept: ['token'],
      identity: { preset: 'oauth2-proxy' },
      assertion: false,
      audience: [],
      unscopedTokens: 'refuse',
      maxTokenTtlSeconds: 86_400,
      forwardAuthorization: false,
      timeouts: {
        requestBodyIdleMs: 30_000,
        upstreamConnectMs: 3_000,
        upstreamFirstByteMs: 60_000,
        upstreamIdleMs: 60_000,
        clientWriteIdleMs: 60_000,
      },
    });
  });

  test('every key of the contract can be set', () => {
    const loaded = config(`
listeners: [{ address: "[::1]:8080" }, { address: ":8081" }, { address: localhost:8082 }]
operations: { address: 127.0.0.1:0 }
data_dir: /var/lib/latchkey
edges: 2
users_file: users
upstreams:
  web: { servers: ["http://web.internal", "http://[::1]:9001"], max_connections: 7, max_idle_connections: 0 }
routes:
  - name: app
    host: "*.Example.org"
    path: /a%20b/
    upstream: web
    accept: [token, password]
    identity: { custom: { sub: X-User, groups: X-Groups } }
    assertion: true
    audience: site
    unscoped_tokens: allow
    max_token_ttl: 1h30m
    forward_authorization: true
    timeouts: { upstream_first_byte: 5m }
  - { name: two, path: /two, upstream: web, accept: [anyone], identity: authelia, audience: [a, b] }
trusted_proxies: [10.0.0.0/8, 192.0.2.7, "2001:db8::/32"]
reserved_prefix: /_latchkey/
timeouts:
  { request_body_idle: 1s, upstream_connect: 250ms, upstream_first_byte: 3s, upstream_idle: 4s, client_write_idle: 5s }
limits: { head_timeout: 1s, client_keep_alive: 2s, upstream_keep_alive: 3s, max_connections: 9, drain_timeout: 4s }
tokens: { parameter: t, path_prefix: /_t/, clock_skew: 0s, pass_ttl: 2h, issuer: here }
logs: { level: debug, access: "off", decisions: logs/decisions.jsonl }
decision_cache: { entries: 0, bytes: 64KiB }
password_checks_per_second: 3
`);
    expect(loaded.listeners.map(({ host, port }) => [host, port])).toEqual([
      ['::1', 8080],
      ['::', 8081],
      ['localhost', 8082],
    ]);
    expect(loaded.operations.port).toBe(0);
    expect(loaded.dataDir).toBe('/var/lib/latchkey');
    expect(loaded.edges).toBe(2);
    expect(loaded.upstreams[0]).toEqual({
      name: 'web',
      servers: [
        { host: 'web.internal', port: 80, authority: 'web.internal' },
        { host: '::1', port: 9001, authority: '[::1]:9001' },
      ],
      maxConnections: 7,
      maxIdleConnections: 0,
    });
    expect(loaded.routes[0]).toEqual({
      name: 'app',
      host: '*.example.org',
      path: '/a%20b/',
      upstream: 'web',
      accept: ['token', 'password'],
      identity: { preset: 'custom', headers: { sub: 'X-User', groups: 'X-Groups' } },
      assertion: true,
      audience: ['site'],
      unscopedTokens: 'allow',
      maxTokenTtlSeconds: 5400,
      forwardAuthorization: true,
      timeouts: {
        requestBodyIdleMs: 1000,
        upstreamConnectMs: 250,
        upstreamFirstByteMs: 300_000,
        upstreamIdleMs: 4000,
        clientWriteIdleMs: 5000,
      },
    });
    expect(loaded.routes[1]).toMatchObject({
      audience: ['a', 'b'],
      identity: { preset: 'authelia' },
      timeouts: { upstreamFirstByteMs: 3000 },
    });
    expect(loaded.trustedProxies).toEqual(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
    expect(loaded.reservedPrefix).toBe('/_latchkey/');
    expect(loaded.limits).toEqual({
      headMs: 1000,
      clientKeepAliveMs: 2000,
      upstreamKeepAliveMs: 3000,
      maxConnections: 9,
      drainMs: 4000,
    });
    expect(loaded.tokens).toEqual({
      parameter: 't',
      pathPrefix: '/_t/',
      clockSkewSeconds: 0,
      passTtlSeconds: 7200,
      issuer: 'here',
    });
    expect(loaded.logs).toEqual({
      level: 'debug',
      access: { kind: 'off' },
      decisions: { kind: 'file', path: join(folder, 'logs/decisions.jsonl') },
    });
    expect(loaded.decisionCache).toEqual({ entries: 0, bytes: 65_536 });
    expect(loaded.passwordChecksPerSecond).toBe(3);
  });

  test('a loaded configuration is plain JSON data', () => {
    const loaded = config(minimal);
    expect(JSON.parse(JSON.stringify(loaded))).toEqual(loaded);
  });

  test('environment variables stand for text, numbers and parts of text', () => {
    const loaded = config(`${minimal}\nedges: $\{EDGES}\ndata_dir: $\{ROOT}/data\ntokens: { issuer: "$$\{x}" }`, {
      EDGES: '4',
      ROOT: '/srv',
    });
    expect(loaded.edges).toBe(4);
    expect(loaded.dataDir).toBe('/srv/data');
    expect(loaded.tokens.issuer).toBe('$' + '{x}');
  });
});

describe('a file that does not hold', () => {
  test('all problems are reported at once, whatever phase finds them', () => {
    const found = problems(`
listeners: [{ address: 127.0.0.1 }]
listners: []
data_dir: $\{NOT_SET}
common_keys: [{ id: k1, secret_file: ./none.secret, state: signing }]
upstreams: { web: { servers: ["https://127.0.0.1:9000"] } }
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
        'upstreams.web.servers[0]: https:// servers are not supported (TLS to upstreams is not there yet; use http:// on a trusted network)',
      ]
        .map((line) => line.replaceAll('FOLDER', folder))
        .sort(),
    );
  });

  test('broken YAML is reported with line and column', () => {
    expect(problems('listeners: [\nroutes: }\n')[0]).toMatch(/^line \d+, column \d+: .+ \(fix the YAML first\)$/);
    expect(problems('edges: 1\nedges: 2\n')).toEqual([
      'line 2, column 1: map keys must be unique (fix the YAML first)',
    ]);
  });

  test('an empty file, a list, a missing file and bytes that are no UTF-8 are refused', () => {
    expect(problems('# nothing\n')).toEqual(['the file is empty (start from config/minimal.yaml)']);
    expect(problems('[1, 2]')).toEqual(['the file is not a mapping (start from config/minimal.yaml)']);
    const missing = loadConfig(join(folder, 'none.yaml'), () => undefined);
    expect(missing.kind === 'invalid' && missing.problems[0]?.problem).toContain('does not exist');
    writeFileSync(join(folder, 'latin1.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff]));
    const latin1 = loadConfig(join(folder, 'latin1.yaml'), () => undefined);
    expect(latin1.kind === 'invalid' && latin1.problems[0]?.problem).toContain('is not UTF-8');
  });

  test('what is required and missing is named', () => {
    expect(problems('edges: 1')).toEqual([
      'listeners: is missing (add "listeners")',
      'upstreams: is missing (add "upstreams")',
      'routes: is missing (add "routes")',
    ]);
    expect(problems(withRoute('path: /, accept: []'))).toEqual(['routes[0].accept: is empty (name at least one)']);
  });

  test.each([
    ['/.latchkey/x', 'is under /.latchkey/'],
    ['/.latchkey', 'is under /.latchkey/'],
    ['/.t/', 'is under /.t/'],
    ['/a//b', 'empty segment'],
    ['/a/../b', 'dot segment'],
    ['/a/.', 'dot segment'],
    ['/a%2fb', 'bad escape'],
    ['/a%2Fb', 'may not carry'],
    ['/%41', 'escapes "A"'],
    ['/a b', 'printable ASCII'],
    ['/é', 'printable ASCII'],
    ['/a*', 'wildcard'],
    ['/a?b', 'a query'],
    ['/a\\b', 'backslash'],
  ])('the route path %s is refused', (path, part) => {
    expect(problems(withRoute(`path: ${JSON.stringify(path)}, accept: [token]`))).toEqual([
      expect.stringContaining(part),
    ]);
  });

  test.each(['example.org:8080', 'a b', '*', 'a.*.org', '*.127.0.0.1', '', '1.2.3', '-a.org', 'a..b'])(
    'the route host %j is refused',
    (host) => {
      expect(problems(withRoute(`path: /, accept: [token], host: ${JSON.stringify(host)}`))).toEqual([
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
    ['127.0.0.1:9000', 'not an http:// address'],
    ['unix:/run/x', 'unix:'],
  ])('the server %s is refused', (server, part) => {
    const found = problems(minimal.replace('http://127.0.0.1:9000', server));
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
    expect(problems(yaml)).toEqual([
      'routes[1].path: same host and path as routes[0] (one of them would never be reached)',
    ]);
  });

  test('two listeners on one port are refused, also when one of them takes every address', () => {
    const yaml = minimal.replace(
      '[{ address: 127.0.0.1:0 }]',
      '[{ address: 127.0.0.1:8080 }, { address: ":8080" }, { address: 127.0.0.1:9180 }]',
    );
    expect(problems(yaml)).toEqual([
      expect.stringContaining('listeners[1].address: port 8080 is taken by listeners[0].address'),
      expect.stringContaining('operations.address: port 9180 is taken by listeners[2].address'),
    ]);
  });

  test('keys need distinct ids and exactly one that signs', () => {
    const keys = (states: string[]) =>
      `${minimal}\ncommon_keys: [${states.map((state, at) => `{ id: k${at}, secret_file: k1.secret, state: ${state} }`).join(', ')}]`;
    expect(problems(keys(['verifying', 'retired']))).toEqual([
      'common_keys: no key has the state signing (set one of them to signing)',
    ]);
    expect(problems(keys(['signing', 'signing']))).toEqual([
      expect.stringContaining('common_keys[1].state: a second signing key'),
    ]);
    expect(problems(keys(['signing', 'verifying']).replace('k1,', 'k0,'))).toEqual([
      expect.stringContaining('common_keys[1].id: key id "k0" is taken'),
    ]);
  });

  test('a short secret is refused and an open one is a warning', () => {
    const yaml = `${minimal}\ncommon_keys: [{ id: k1, secret_file: k1.secret, state: signing }]`;
    chmodSync(join(folder, 'k1.secret'), 0o644);
    const open = load(yaml);
    expect(open.kind === 'loaded' && open.warnings.map(formatProblem)).toEqual([
      expect.stringContaining('common_keys[0].secret_file: '),
    ]);
    // 31 bytes and the newline are not 32 bytes of key.
    writeFileSync(join(folder, 'k1.secret'), `${'k'.repeat(31)}\n`);
    expect(problems(yaml)).toEqual([expect.stringContaining('holds 31 bytes, a key needs at least 32')]);
    rmSync(join(folder, 'k1.secret'));
    mkdirSync(join(folder, 'k1.secret'));
    expect(problems(yaml)).toEqual([expect.stringContaining('is not a regular file')]);
  });

  test('a users file that is not there is refused, unless files are not to be looked at', () => {
    rmSync(join(folder, 'users'));
    const yaml = `${withRoute('path: /, accept: [password]')}\nusers_file: users`;
    expect(problems(yaml)).toEqual([expect.stringContaining('users_file: ')]);
    expect(loadConfig(join(folder, 'latchkey.yaml'), () => undefined, { files: 'skip' }).kind).toBe('loaded');
  });

  test('trusted proxies are addresses or CIDR blocks, written out', () => {
    const yaml = `${minimal}\ntrusted_proxies: [10.0.0.0/8, 10.1/16, 1.2.3.4/33, everyone, "::1/129"]`;
    expect(problems(yaml).map((line) => line.split(':')[0])).toEqual(
      [1, 2, 3, 4].map((at) => `trusted_proxies[${at}]`),
    );
  });

  test('a number, a list or nothing in the place of text is named as such', () => {
    expect(problems(`${minimal}\ndata_dir: 5`)).toEqual(['data_dir: expected text, found 5']);
    expect(problems(`${minimal}\ntokens: []`)).toEqual(['tokens: expected a mapping, found a list']);
    expect(problems(`${minimal}\nedges: 0`)).toEqual(['edges: 0 is too small (at least 1)']);
    expect(problems(`${minimal}\nedges: many`)).toEqual(['edges: unknown value "many" (one of auto)']);
    expect(problems(`${minimal}\ntokens: { clock_skew: 31s }`)).toEqual([
      'tokens.clock_skew: 31s is too long (at most 30s)',
    ]);
  });

  test('keys that objects have by nature are unknown keys', () => {
    expect(problems(`${minimal}\n__proto__: { edges: 1 }\nconstructor: 1`)).toHaveLength(2);
  });
});

test('listeners beyond loopback and open metrics are warned about', () => {
  const loaded = load(`${minimal.replace('127.0.0.1:0', '0.0.0.0:8080')}\noperations: { address: ":9180" }`);
  expect(loaded.kind === 'loaded' && loaded.warnings.map((warning) => warning.path)).toEqual([
    'listeners[0].address',
    'operations.address',
  ]);
});
