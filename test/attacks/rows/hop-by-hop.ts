// Connection and what it names, fields between two neighbours, upgrades that nobody asked us for.

import { family, get, post, type RequestRow, request } from '../row.ts';

const { refused, passed, row } = family('hop-by-hop');

const rule = 'RFC 9110 §7.6.1';
const plain = { line: 'GET /open/a' };
const user = ['X-Forwarded-User: user-1'];
const bearer = 'Authorization: Bearer {{token}}';
const cookiePass = (make: { token(claims?: object, type?: 'outside' | 'pass'): string }) => make.token({}, 'pass');

const dropped: readonly (readonly [id: string, what: string, ...lines: string[]])[] = [
  ['keep-alive', 'Keep-Alive', 'Keep-Alive: timeout=5, max=1000'],
  ['proxy-connection', 'Proxy-Connection', 'Proxy-Connection: keep-alive'],
  ['proxy-connection-close', 'Proxy-Connection: close means nothing to us', 'Proxy-Connection: close'],
  ['proxy-authorization', 'Proxy-Authorization', 'Proxy-Authorization: Basic dTpw'],
  ['proxy-authenticate', 'Proxy-Authenticate from a client', 'Proxy-Authenticate: Basic'],
  ['te', 'TE', 'TE: trailers'],
  ['te-gzip', 'TE with a coding', 'TE: gzip;q=1.0'],
  ['trailer', 'Trailer', 'Trailer: X-Forwarded-User'],
  ['upgrade', 'Upgrade without Connection', 'Upgrade: foo/1'],
  [
    'h2c',
    'an upgrade to h2c',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
  ],
  ['h2c-no-connection', 'h2c without Connection', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
  ['h2c-list', 'h2c in a list', 'Connection: Upgrade', 'Upgrade: foo/1, h2c'],
  ['tls-upgrade', 'an upgrade to TLS', 'Connection: Upgrade', 'Upgrade: TLS/1.0, HTTP/1.1'],
  ['connection-empty', 'an empty Connection', 'Connection:'],
  ['connection-commas', 'empty members', 'Connection: , ,keep-alive, ,'],
  ['connection-twice', 'two Connection fields', 'Connection: keep-alive', 'Connection: keep-alive'],
  ['connection-nothing', 'a name that is not there', 'Connection: X-Not-There'],
];

const nominations: readonly (readonly [id: string, what: string, nominated: string, value: string])[] = [
  ['names-field', 'a field of the client', 'X-Secret', '1'],
  ['names-other-case', 'a field in other letters', 'x-sEcReT', '1'],
  ['names-cookie', 'Cookie', 'Cookie', 'a=1'],
  ['names-range', 'Range', 'Range', 'bytes=0-1'],
  ['names-accept', 'Accept', 'Accept', 'text/html'],
  ['names-forwarded-user', 'an identity header', 'X-Forwarded-User', 'root'],
  ['names-forwarded-for', 'X-Forwarded-For', 'X-Forwarded-For', '192.0.2.1'],
  ['names-request-id', 'X-Request-Id', 'X-Request-Id', 'mine'],
  ['names-assertion', 'our assertion', 'X-Latchkey-Assertion', 'a.b.c'],
];

const bad: readonly (readonly [id: string, what: string, value: string])[] = [
  ['bad-blank', 'a name with a blank', 'X Y'],
  ['bad-quote', 'a quoted name', '"X-Name"'],
  ['bad-colon', 'a field as a name', 'X-Name: 1'],
  ['bad-slash', 'a name with a slash', 'keep/alive'],
  ['bad-high', 'a byte from 0x80 on', 'clos\xe9'],
  ['names-host', 'Host', 'Host'],
  ['names-length', 'Content-Length', 'close, Content-Length'],
  ['names-coding', 'Transfer-Encoding', 'Transfer-Encoding'],
  ['names-connection', 'Connection itself', 'Connection'],
  ['names-expect', 'Expect', 'Expect'],
  ['names-too-many', '33 names', Array.from({ length: 33 }, (_, index) => `X-${index}`).join()],
];

export const hopByHopRows: readonly RequestRow[] = [
  ...dropped.map(([id, what, ...lines]) => passed(id, `${what} ends here`, get('/open/a', ...lines), rule, plain)),
  ...nominations.map(([id, what, name, value]) =>
    passed(
      id,
      `Connection takes away ${what}`,
      get('/open/a', `Connection: ${name}`, `${name}: ${value}`),
      `${rule}, Traefik CVE-2024-45410`,
      plain,
    ),
  ),
  ...bad.map(([id, what, value]) =>
    refused(id, `Connection with ${what}`, get('/open/a', `Connection: ${value}`), rule),
  ),

  passed(
    'names-our-user',
    'Connection does not take away what we say',
    get('/vod/a', 'Connection: X-Forwarded-User', bearer),
    'fastify-reply-from CVE-2026-33805',
    { line: 'GET /vod/a', identity: user },
  ),
  passed(
    'names-all-of-ours',
    'nor anything else of ours',
    get(
      '/vod/a',
      'Connection: X-Forwarded-User, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, X-Request-Id, Via',
      bearer,
    ),
    'Traefik CVE-2024-45410',
    { line: 'GET /vod/a', identity: user },
  ),
  passed(
    'names-authorization',
    'a credential that Connection names still counts',
    get('/vod/a', 'Connection: Authorization', bearer),
    rule,
    { line: 'GET /vod/a', identity: user },
  ),
  passed(
    'names-pass-cookie',
    'a pass that Connection names still counts',
    (make) => get('/vod/a', 'Connection: Cookie', `Cookie: latchkey_pass=${cookiePass(make)}`),
    rule,
    { line: 'GET /vod/a', identity: user },
  ),
  row('close-and-more', 'close among other names', get('/open/a', 'Connection: X-A, close, X-B'), 'RFC 9112 §9.6', {
    answers: [200],
    after: 'closed',
    upstream: [plain],
  }),
  row(
    'close-in-second',
    'close in a second field',
    get('/open/a', 'Connection: keep-alive', 'Connection: close'),
    'RFC 9112 §9.6',
    { answers: [200], after: 'closed', upstream: [plain] },
  ),
  row('close-in-capitals', 'close in capitals', get('/open/a', 'Connection: CLOSE'), 'RFC 9112 §9.6', {
    answers: [200],
    after: 'closed',
    upstream: [plain],
  }),
  row(
    'close-with-keep-alive',
    'close beside keep-alive',
    get('/open/a', 'Connection: keep-alive, close'),
    'RFC 9112 §9.3',
    { answers: [200], after: 'closed', upstream: [plain] },
  ),
  passed('via-kept', 'an earlier Via stays before ours', get('/open/a', 'Via: 1.1 cdn'), 'RFC 9110 §7.6.3', {
    line: 'GET /open/a',
    fields: ['Via: 1.1 cdn'],
  }),
  passed('max-forwards', 'Max-Forwards on GET says nothing', get('/open/a', 'Max-Forwards: 0'), 'RFC 9110 §7.6.2', {
    line: 'GET /open/a',
    fields: ['Max-Forwards: 0'],
  }),
  passed(
    'max-forwards-options',
    'Max-Forwards on OPTIONS is one less behind us',
    request('OPTIONS', '/open/a', ['Max-Forwards: 7']),
    'RFC 9110 §7.6.2',
    { line: 'OPTIONS /open/a', fields: ['Max-Forwards: 6'] },
  ),
  row(
    'max-forwards-options-zero',
    'OPTIONS that may go no further is answered here',
    request('OPTIONS', '/open/a', ['Max-Forwards: 0']),
    'RFC 9110 §7.6.2',
    { answers: [204], after: 'open', upstream: [] },
  ),
  row(
    'max-forwards-options-closed',
    'OPTIONS that may go no further is decided on like any other',
    request('OPTIONS', '/vod/a', ['Max-Forwards: 0']),
    'RFC 9110 §7.6.2',
    { answers: [401], after: 'open', upstream: [] },
  ),
  passed(
    'upgrade-on-post',
    'an upgrade with a body',
    post(['Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 3'], 'abc'),
    'RFC 9110 §7.8',
    { line: 'POST /open/a', fields: ['Content-Length: 3'], body: 'abc' },
  ),
  row(
    'upgrade-then-bytes',
    'bytes behind an upgrade that is none are a request',
    get('/open/a', 'Connection: Upgrade', 'Upgrade: h2c') + get('/open/b'),
    'h2c smuggling',
    { answers: [200, 200], after: 'open', upstream: [plain, { line: 'GET /open/b' }] },
  ),
  row(
    'upgrade-then-preface',
    'the preface of HTTP/2 behind an upgrade that is none',
    `${get('/open/a', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__')}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    'h2c smuggling',
    { answers: [200, 505], after: 'closed', upstream: [plain] },
  ),
];
