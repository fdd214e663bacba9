// WebSocket handshakes: half ones, foreign ones, and bytes that must not become a request when nobody switches.
// The upstream of the suite never switches, so a sound handshake is answered like any request, and its connection ends.

import { family, get, host, type Making, type RequestRow, request } from '../row.ts';

const { refused, row } = family('upgrades');

const rule = 'RFC 6455 §4.2.1';
const pingora = 'Pingora CVE-2026-2833';
const upgrade = 'Upgrade: websocket';
const connection = 'Connection: Upgrade';
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const version = 'Sec-WebSocket-Version: 13';
const sound = [upgrade, connection, key, version];
const but = (own: string, ...instead: string[]) => [...sound.filter((line) => line !== own), ...instead];

const halves: readonly (readonly [id: string, what: string, lines: readonly string[]])[] = [
  ['no-connection', 'no Connection', but(connection)],
  ['other-connection', 'Connection without the word', but(connection, 'Connection: keep-alive')],
  ['names-key', 'a key that Connection takes away', but(connection, 'Connection: Upgrade, Sec-WebSocket-Key')],
  [
    'names-version',
    'a version that Connection takes away',
    but(connection, 'Connection: Upgrade, sec-websocket-version'),
  ],
  ['list-h2c', 'h2c behind it', but(upgrade, 'Upgrade: websocket, h2c')],
  ['h2c-list', 'h2c before it', but(upgrade, 'Upgrade: h2c, websocket')],
  ['two-upgrades', 'two Upgrade fields', [...sound, upgrade]],
  ['two-protocols', 'two Upgrade fields that disagree', [...sound, 'Upgrade: h2c']],
  ['no-key', 'no key', but(key)],
  ['two-keys', 'two keys', [...sound, key]],
  ['empty-key', 'an empty key', but(key, 'Sec-WebSocket-Key:')],
  ['key-15', 'a key of 15 bytes', but(key, 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA')],
  ['key-17', 'a key of 17 bytes', but(key, 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=')],
  ['key-padding', 'a key without padding', but(key, 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA')],
  ['key-bits', 'a key with stray bits', but(key, 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAB==')],
  ['key-alphabet', 'a key in the other alphabet', but(key, 'Sec-WebSocket-Key: --------------------_w==')],
  ['key-blank', 'a key with a blank in it', but(key, 'Sec-WebSocket-Key: AAAAAAAAAA AAAAAAAAAAAA==')],
  ['key-list', 'a list of keys', but(key, `${key}, AAAAAAAAAAAAAAAAAAAAAA==`)],
  ['no-version', 'no version', but(version)],
  ['two-versions', 'two versions', [...sound, version]],
];

const versions: readonly (readonly [id: string, value: string])[] = [
  ['version-8', '8'],
  ['version-14', '14'],
  ['version-list', '13, 8'],
  ['version-zero', '013'],
  ['version-text', 'thirteen'],
  ['version-empty', ''],
];

const origins: readonly (readonly [id: string, what: string, lines: readonly string[]])[] = [
  ['origin-none', 'a pass and no Origin', []],
  ['origin-foreign', 'a pass and a foreign Origin', ['Origin: http://evil.example']],
  ['origin-scheme', 'a pass and another scheme', [`Origin: https://${host}`]],
  ['origin-port', 'a pass and another port', [`Origin: http://${host}:8080`]],
  ['origin-null', 'a pass and the Origin null', ['Origin: null']],
  ['origin-suffix', 'a pass and a longer host', [`Origin: http://${host}.evil`]],
  ['origin-prefix', 'a pass and a host before ours', [`Origin: http://evil.${host}`]],
  ['origin-user', 'a pass and ours as user info', [`Origin: http://${host}@evil.example`]],
  ['origin-path', 'a pass and ours with a path', [`Origin: http://${host}/`]],
  ['origin-twice', 'a pass and two Origins', [`Origin: http://${host}`, 'Origin: http://evil.example']],
];

/** Beside a cookie that decides: what is no credential here must not take its protection away. */
const decoys: readonly (readonly [id: string, what: string, query: string, lines: readonly string[]])[] = [
  ['decoy-query', 'a parameter of the site’s', '?token=x', []],
  ['decoy-bearer', 'a bearer token of the site’s', '', ['Authorization: Bearer x']],
  ['decoy-jwt', 'a JWT of the site’s', '', ['Authorization: Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6ImFwcCJ9.e30.AAAA']],
  ['decoy-basic', 'a password of the site’s', '', ['Authorization: Basic eDp5']],
];
const sessionCookie = (make: Making) => {
  const own = { sub: 'ac_1', sid: 'se_1', did: 'dv_1', aud: [host], iat: make.now, exp: make.now + 300 };
  const nodes = { paths: undefined, n: ['ac_1', 'se_1', 'dv_1'], v: ['none', 0] };
  const token = make.token({ ...own, ...nodes }, 'session');
  // each connection has it by one of the two names
  return `Cookie: latchkey=${token}; __Host-latchkey=${token}`;
};

const passCookie = (make: Making) => `Cookie: latchkey_pass=${make.token({}, 'pass')}`;
const asked = (target: string) =>
  new RegExp(`^GET ${target} HTTP/1\\.1\\r\\n(?:.+\\r\\n)*?${connection}\\r\\n${upgrade}\\r\\n`);

/** Asked for, not switched: the answer is an ordinary one, and what came behind the handshake is nobody's request. */
const notSwitched = (target: string) => ({ answers: [200], after: 'closed', upstream: [asked(target)] }) as const;

export const upgradeRows: readonly RequestRow[] = [
  ...halves.map(([id, what, lines]) => refused(id, `a WebSocket with ${what}`, get('/open/a', ...lines), rule)),
  ...['POST', 'PUT', 'DELETE', 'OPTIONS'].map((method) =>
    refused(`by-${method.toLowerCase()}`, `a WebSocket by ${method}`, request(method, '/open/a', sound), rule),
  ),
  refused('by-head', 'a WebSocket by HEAD', request('HEAD', '/open/a', sound), rule, 400, { methods: ['HEAD'] }),
  refused('body', 'a WebSocket with a body', request('GET', '/open/a', [...sound, 'Content-Length: 3'], 'abc'), rule),
  refused(
    'body-request',
    'a WebSocket whose body is a request',
    request('GET', '/open/a', [...sound, 'Content-Length: 48'], get('/open/smuggled')),
    pingora,
  ),
  refused(
    'body-chunked',
    'a WebSocket with a chunked body',
    request('GET', '/open/a', [...sound, 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    rule,
  ),
  ...versions.map(([id, value]) =>
    refused(
      id,
      `version ${value}`,
      get('/open/a', ...but(version, `Sec-WebSocket-Version: ${value}`)),
      'RFC 6455 §4.4',
      426,
    ),
  ),
  ...origins.map(([id, what, lines]) =>
    refused(id, what, (make) => get('/vod/a', ...sound, passCookie(make), ...lines), 'RFC 6455 §10.2', 403),
  ),
  ...decoys.flatMap(([id, what, query, lines]) => [
    refused(
      `${id}-session`,
      `a session, a foreign Origin, and ${what}`,
      (make) => get(`/club/a${query}`, ...sound, sessionCookie(make), ...lines, 'Origin: http://evil.example'),
      'RFC 6455 §10.2',
      403,
    ),
    refused(
      `${id}-pass`,
      `a pass, no Origin, and ${what}`,
      (make) => get(`/vod/a${query}`, ...sound, passCookie(make), ...lines),
      'RFC 6455 §10.2',
      403,
    ),
  ]),
  refused(
    'decoy-own-token',
    'a session, a foreign Origin, and a token of ours where none is taken',
    (make) => get(`/club/a?token=${make.token()}`, ...sound, sessionCookie(make), 'Origin: http://evil.example'),
    'RFC 6455 §10.2',
    403,
  ),
  refused(
    'no-credential',
    'a WebSocket without a credential, with bytes behind it',
    get('/vod/a', ...sound),
    pingora,
    401,
  ),
  row(
    'early-request',
    'a request behind a handshake',
    get('/open/a', ...sound) + get('/open/b'),
    pingora,
    notSwitched('/open/a'),
  ),
  row(
    'early-frame',
    'a frame behind a handshake',
    `${get('/open/a', ...sound)}\x81\x82\x01\x02\x03\x04hi`,
    pingora,
    notSwitched('/open/a'),
  ),
  row(
    'letters',
    'a handshake in other letters',
    get('/open/a', 'uPGRADE: WebSocket', 'CONNECTION: keep-alive, UPGRADE', key, version),
    rule,
    notSwitched('/open/a'),
  ),
  row(
    'origin-own',
    'a pass and the own Origin',
    (make) => get('/vod/a', ...sound, passCookie(make), `Origin: http://${host}`),
    'RFC 6455 §10.2',
    notSwitched('/vod/a'),
  ),
  row(
    'origin-token',
    'a token in the header needs no Origin',
    get('/vod/a', ...sound, 'Authorization: Bearer {{token}}', 'Origin: http://evil.example'),
    'RFC 6455 §10.2',
    notSwitched('/vod/a'),
  ),
  row(
    'on-1.0',
    'a handshake of a 1.0 client means nothing',
    get('/open/a', ...sound).replace('HTTP/1.1', 'HTTP/1.0'),
    'RFC 9110 §7.8',
    {
      answers: [200],
      after: 'closed',
      upstream: [{ line: 'GET /open/a', fields: [key, version] }],
    },
  ),
  row(
    'versioned',
    'a protocol that only looks like it means nothing',
    get('/open/a', ...but(upgrade, 'Upgrade: websocket/13')),
    'RFC 9110 §7.8',
    {
      answers: [200],
      after: 'open',
      upstream: [{ line: 'GET /open/a', fields: [key, version] }],
    },
  ),
];
