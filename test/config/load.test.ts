// The configuration loader on valid files: every default, every key, every way to write them.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigFolder, minimalYaml } from '../support/rigs/config-folder.ts';

let folder: ConfigFolder;

beforeEach(() => {
  folder = new ConfigFolder();
});

afterEach(() => {
  folder.remove();
});

test('the sample of the documentation works as written', () => {
  const loaded = folder.config(`
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
  expect(loaded.listeners).toEqual([
    { at: 'listeners[0].address', host: '127.0.0.1', port: 8080, tls: null, redirectPort: null, proxyFrom: null },
  ]);
  expect(loaded.dataDir).toBe(folder.file('data'));
  expect(loaded.edges).toBe(3);
  expect(loaded.commonKeys).toEqual([{ id: 'k1', secretFile: folder.file('k1.secret'), state: 'signing' }]);
  expect(loaded.usersFile).toBe(folder.file('users'));
  expect(loaded.upstreams[1]?.servers).toEqual([
    { address: { kind: 'tcp', host: '127.0.0.1', port: 9001 }, isTls: false, authority: '127.0.0.1:9001', weight: 1 },
  ]);
  expect(loaded.routes.map((route) => [route.name, route.host, route.path, route.assertion])).toEqual([
    ['vod', null, '/vod/', false],
    ['app', 'app.localhost', '/', true],
    ['public', null, '/assets/', false],
  ]);
});

test('every default is filled in', () => {
  const loaded = folder.config(minimalYaml);
  expect({ ...loaded, listeners: [], upstreams: [], routes: [] }).toEqual({
    listeners: [],
    operations: { at: 'operations.address', host: '127.0.0.1', port: 9180 },
    dataDir: folder.file('data'),
    edges: 3,
    commonKeys: [],
    usersFile: null,
    upstreams: [],
    routes: [],
    trustedProxies: [],
    clientAddressHeader: null,
    saysVia: false,
    reservedPrefix: '/.latchkey/',
    tokens: { parameter: 'token', pathPrefix: '/.t/', clockSkewSeconds: 5, passTtlSeconds: 3600, issuer: 'latchkey' },
    logs: {
      level: 'info',
      access: { kind: 'stdout' },
      decisions: { kind: 'stdout' },
      format: 'json',
      refusals: 'once',
    },
    telemetry: { tracesRequests: false, otlp: null },
    limits: {
      headMs: 10_000,
      clientKeepAliveMs: 65_000,
      upstreamKeepAliveMs: 4_000,
      maxConnections: 16_384,
      maxConnectionsPerAddress: null,
      maxEventLoopDelayMs: 500,
      drainMs: 10_000,
      rateWindowMs: 30_000,
    },
    reload: { watch: true, intervalMs: 1000 },
    decisionCache: { entries: 65_536, bytes: 64 * 1024 * 1024 },
    explain: 'on',
    passwordChecksPerSecond: 20,
    store: { kind: 'sqlite', file: expect.stringMatching(/\/data\/latchkey\.db$/) },
    masterKeyFile: null,
    portal: null,
    accounts: {
      registration: 'by_link',
      domains: [],
      limits: { mailsPerHour: 500, requestsPerNetwork: 100, unverifiedAccounts: 10_000 },
    },
    mail: null,
    collections: [],
    links: { keyParameter: 'key', tokenParameter: 'authtoken', defaultAccessSeconds: null },
    sharing: {
      invite: 'anyone',
      reshareDepth: 0,
      expiresSeconds: 30 * 86_400,
      requestWindowSeconds: 900,
      resendSeconds: 60,
      perSender: { count: 50, seconds: 3600 },
      perAddress: { count: 10, seconds: 3600 },
    },
  });
  expect(loaded.upstreams[0]).toMatchObject({ maxConnections: 512, maxIdleConnections: 64 });
  expect(loaded.routes[0]).toEqual({
    name: 'app',
    host: null,
    path: '/',
    encodedSlash: 'refuse',
    paths: { slashes: 'refuse', notUtf8: 'refuse', encodedPercent: 'refuse', rawUtf8: 'refuse' },
    methods: null,
    upstream: 'web',
    accept: ['token'],
    allow: null,
    identity: { preset: 'oauth2-proxy', user: 'id' },
    assertion: false,
    audience: [],
    unscopedTokens: 'refuse',
    maxTokenTtlSeconds: 86_400,
    revocation: 'checked',
    maxStalenessMs: 10_000,
    forwardAuthorization: false,
    rewritesLocations: true,
    upgrade: ['websocket'],
    webSocketOrigins: [],
    timeouts: {
      requestBodyIdleMs: 30_000,
      upstreamConnectMs: 3_000,
      upstreamFirstByteMs: 60_000,
      upstreamIdleMs: 60_000,
      clientWriteIdleMs: 60_000,
      tunnelIdleMs: 3_600_000,
    },
    limits: { maxBodyBytes: 1024 ** 3, minRequestRate: 100, minResponseRate: 0 },
    request: { set: {}, remove: [], keep: [] },
    response: { set: {}, remove: [], securityHeaders: 'off', cache: 'private' },
    cors: null,
    rateLimits: [],
  });
});

test('a route has the limits of the file unless the route sets its own', () => {
  const loaded = folder.config(
    `${minimalYaml.replace(
      'accept: [token]',
      'accept: [token], limits: { max_body: unlimited, min_response_rate: 1KiB }',
    )}\nlimits: { max_body: 5MiB, min_request_rate: 0B, rate_window: 10s }\n`,
  );
  expect(loaded.routes[0]?.limits).toEqual({
    maxBodyBytes: Number.MAX_SAFE_INTEGER,
    minRequestRate: 0,
    minResponseRate: 1024,
  });
  expect(loaded.limits.rateWindowMs).toBe(10_000);
});

test('every key of the contract can be set', () => {
  const loaded = folder.config(`
listeners: [{ address: "[::1]:8080" }, { address: ":8081" }, { address: localhost:8082 }]
operations: { address: 127.0.0.1:0 }
data_dir: /var/lib/latchkey
edges: 2
users_file: users
upstreams:
  web: { servers: ["http://web.internal", "http://[::1]:9001"], max_connections: 7, max_idle_connections: 0, keep_alive: 9s, pipelining: 3 }
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
    revocation: none
    max_staleness: 30s
    forward_authorization: true
    upgrade: [websocket, Other/2]
    websocket: { origins: ["https://app.example.org", "http://localhost:3000"] }
    timeouts: { upstream_first_byte: 5m, tunnel_idle: 10m }
    limits: { max_body: 5B }
  - { name: two, path: /two, upstream: web, accept: [anyone], identity: authelia, audience: [a, b] }
trusted_proxies: [10.0.0.0/8, 192.0.2.7, "2001:db8::/32"]
reserved_prefix: /_latchkey/
timeouts:
  { request_body_idle: 1s, upstream_connect: 250ms, upstream_first_byte: 3s, upstream_idle: 4s, client_write_idle: 5s }
limits:
  { head_timeout: 1s, client_keep_alive: 2s, upstream_keep_alive: 3s, max_connections: 9, drain_timeout: 4s,
    max_body: 1KiB, min_request_rate: 1KiB, min_response_rate: 7B, rate_window: 9s,
    max_connections_per_address: 8, max_event_loop_delay: 1s }
tokens: { parameter: t, path_prefix: /_t/, clock_skew: 0s, pass_ttl: 2h, issuer: here }
logs: { level: debug, access: "off", decisions: logs/decisions.jsonl }
reload: { watch: false, interval: 5s }
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
      { address: { kind: 'tcp', host: 'web.internal', port: 80 }, isTls: false, authority: 'web.internal', weight: 1 },
      { address: { kind: 'tcp', host: '::1', port: 9001 }, isTls: false, authority: '[::1]:9001', weight: 1 },
    ],
    maxConnections: 7,
    maxIdleConnections: 0,
    keepAliveMs: 9000,
    pipelining: 3,
    balance: { kind: 'least-connections' },
    ejection: { failures: 5, forMs: 10_000 },
    healthCheck: null,
    tls: null,
  });
  expect(loaded.routes[0]).toEqual({
    name: 'app',
    host: '*.example.org',
    path: '/a%20b/',
    encodedSlash: 'refuse',
    paths: { slashes: 'refuse', notUtf8: 'refuse', encodedPercent: 'refuse', rawUtf8: 'refuse' },
    methods: null,
    upstream: 'web',
    accept: ['token', 'password'],
    allow: null,
    identity: { preset: 'custom', headers: { sub: 'X-User', groups: 'X-Groups' } },
    assertion: true,
    audience: ['site'],
    unscopedTokens: 'allow',
    maxTokenTtlSeconds: 5400,
    revocation: 'none',
    maxStalenessMs: 30_000,
    forwardAuthorization: true,
    rewritesLocations: true,
    upgrade: ['websocket', 'other/2'],
    webSocketOrigins: ['https://app.example.org', 'http://localhost:3000'],
    timeouts: {
      requestBodyIdleMs: 1000,
      upstreamConnectMs: 250,
      upstreamFirstByteMs: 300_000,
      upstreamIdleMs: 4000,
      clientWriteIdleMs: 5000,
      tunnelIdleMs: 600_000,
    },
    limits: { maxBodyBytes: 5, minRequestRate: 1024, minResponseRate: 7 },
    // their own keys are in policy.test.ts
    request: { set: {}, remove: [], keep: [] },
    response: { set: {}, remove: [], securityHeaders: 'off', cache: 'private' },
    cors: null,
    rateLimits: [],
  });
  expect(loaded.routes[1]).toMatchObject({
    audience: ['a', 'b'],
    identity: { preset: 'authelia' },
    timeouts: { upstreamFirstByteMs: 3000 },
  });
  expect(loaded.reload).toEqual({ watch: false, intervalMs: 5000 });
  expect(loaded.trustedProxies).toEqual(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
  expect(loaded.reservedPrefix).toBe('/_latchkey/');
  expect(loaded.limits).toEqual({
    headMs: 1000,
    clientKeepAliveMs: 2000,
    upstreamKeepAliveMs: 3000,
    maxConnections: 9,
    maxConnectionsPerAddress: 8,
    maxEventLoopDelayMs: 1000,
    drainMs: 4000,
    rateWindowMs: 9000,
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
    decisions: { kind: 'file', path: folder.file('logs/decisions.jsonl') },
    format: 'json',
    refusals: 'once',
  });
  expect(loaded.decisionCache).toEqual({ entries: 0, bytes: 65_536 });
  expect(loaded.passwordChecksPerSecond).toBe(3);
});

test('a loaded configuration is plain JSON data', () => {
  const loaded = folder.config(minimalYaml);
  expect(JSON.parse(JSON.stringify(loaded))).toEqual(loaded);
});

test('environment variables stand for text, numbers and parts of text', () => {
  const loaded = folder.config(
    `${minimalYaml}\nedges: $\{EDGES}\ndata_dir: $\{ROOT}/data\ntokens: { issuer: "$$\{x}" }`,
    {
      EDGES: '4',
      ROOT: '/srv',
    },
  );
  expect(loaded.edges).toBe(4);
  expect(loaded.dataDir).toBe('/srv/data');
  expect(loaded.tokens.issuer).toBe('$' + '{x}');
});

test('listeners beyond loopback and open metrics are warned about', () => {
  const loaded = folder.load(`${minimalYaml.replace('127.0.0.1:0', '0.0.0.0:8080')}\noperations: { address: ":9180" }`);
  expect(loaded.kind === 'loaded' && loaded.warnings.map((warning) => warning.path)).toEqual([
    'listeners[0].address',
    'operations.address',
  ]);
});
