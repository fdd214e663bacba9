// A second target inside the request: where WebDAV moves and copies to, whose state it asks about, what an object store copies,
// and fields that say another method or another path than the request line. Tokens here are for one folder of two.

import { family, get, host, type Making, type RequestRow, request } from '../row.ts';

const { denied, passed, row } = family('second-target');

const dav = 'RFC 4918 §10.3';
const override = 'RFC 9110 §9.1';

const scoped = (make: Making, claims: object = {}) =>
  `Authorization: Bearer ${make.token({ paths: ['/vod/a/*'], ...claims })}`;

function move(destination: string, method = 'MOVE', claims: object = {}) {
  return (make: Making) => request(method, '/vod/a/x', [scoped(make, claims), `Destination: ${destination}`]);
}

const ways: readonly (readonly [id: string, what: string, destination: string])[] = [
  ['path', 'as a path', '/vod/b/x'],
  ['absolute', 'as a URL', `http://${host}/vod/b/x`],
  ['capitals', 'as a URL in capitals', `HTTP://${host.toUpperCase()}/vod/b/x`],
  ['dots', 'behind dots', `http://${host}/vod/a/../b/x`],
  ['dots-path', 'behind dots in a path', '/vod/a/../b/x'],
  ['encoded-dots', 'behind encoded dots', `http://${host}/vod/a/%2e%2e/b/x`],
  ['dots-parameter', 'behind dots with a parameter', '/vod/a/..;/b/x'],
  ['encoded-slash', 'behind an encoded slash', '/vod/a/..%2fb/x'],
  ['double-encoded', 'behind dots encoded twice', '/vod/a/%252e%252e/b/x'],
  ['backslash', 'behind a backslash', '/vod/a\\..\\b\\x'],
  ['encoded-backslash', 'behind an encoded backslash', '/vod/a/..%5cb/x'],
  ['encoded-letter', 'with an encoded letter', '/vod/%62/x'],
  ['parameter', 'with a parameter in the folder’s name', '/vod/a;/x'],
  ['folder-itself', 'as the folder above', '/vod/'],
  ['other-host', 'on another host', 'http://admin.example/vod/a/x'],
  ['other-port', 'on another port', `http://${host}:8443/vod/a/x`],
  ['user-info', 'behind user info', `http://${host}@evil.example/vod/a/x`],
  ['user-info-own', 'with user info', `http://user@${host}/vod/a/x`],
  ['two-slashes', 'behind two slashes', '//evil.example/vod/a/x'],
  ['two-slashes-own', 'with two slashes', '/vod//a/x'],
  ['backslash-host', 'behind a backslash in the host', `http://${host}\\@evil.example/vod/a/x`],
  ['other-scheme', 'of another scheme', `ftp://${host}/vod/a/x`],
  ['no-scheme', 'without a scheme', `${host}/vod/a/x`],
  ['relative', 'relative', '../b/x'],
  ['relative-own', 'relative, in the same folder', 'y'],
  ['query', 'with a query', '/vod/a/y?x=/vod/b/'],
  ['fragment', 'with a fragment', '/vod/a/y#/../b'],
  ['empty', 'as nothing', ''],
  ['list', 'as a list', '/vod/a/y, /vod/b/x'],
  ['other-route', 'on another route', '/open/x'],
  ['no-route', 'on no route', '/nowhere/x'],
  ['reserved', 'in our own prefix', '/.latchkey/v1/me'],
  ['path-form', 'in the path form of a token', '/.t/x/vod/a/y'],
];

const conditions: readonly (readonly [id: string, what: string, value: string])[] = [
  ['absolute', 'a URL', `<http://${host}/vod/b/x> (<urn:uuid:1>)`],
  ['path', 'a path', '</vod/b/x> (["etag"])'],
  ['second', 'the second of two', '</vod/a/x> (<urn:uuid:1>) </vod/b/x> (<urn:uuid:2>)'],
  ['dots', 'a path with dots', '</vod/a/../b/x> (<urn:uuid:1>)'],
  ['other-host', 'another host', '<http://admin.example/vod/a/x> (<urn:uuid:1>)'],
  ['hidden', 'a tag behind a list that does not end', '(<urn:uuid:1> </vod/b/x> (<urn:uuid:2>)'],
  ['open', 'a tag that does not end', '</vod/b/x (<urn:uuid:1>)'],
  ['word', 'no list at all', 'match'],
];

const overrides = [
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
  'x-http-METHOD-override',
  'X-Method',
  'X-REST-Method',
];

const otherPaths = [
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Original-URI',
  'X-Override-URL',
  'X-Forwarded-Uri',
  'X-Envoy-Original-Path',
  'X-Accel-Redirect',
  'X-Sendfile',
  'X-Sendfile-Type',
  'X-Accel-Mapping',
  'X-Middleware-Subrequest',
  'X-Original-Method',
];

const copies: readonly (readonly [id: string, what: string, line: string])[] = [
  ['amazon', 'another key', 'X-Amz-Copy-Source: /vod/b/secret'],
  ['amazon-bare', 'another key without its first slash', 'X-Amz-Copy-Source: vod/b/secret'],
  ['amazon-version', 'a version of another key', 'X-Amz-Copy-Source: /vod/b/secret?versionId=1'],
  ['amazon-encoded', 'another key, encoded', 'X-Amz-Copy-Source: /vod/a/%2e%2e/b/secret'],
  ['google', 'another object', 'X-Goog-Copy-Source: vod/b/secret'],
  ['azure', 'another blob', `X-Ms-Copy-Source: http://${host}/vod/b/secret`],
  ['swift', 'another object', 'X-Copy-From: /vod/b/secret'],
];

export const secondTargetRows: readonly RequestRow[] = [
  ...ways.flatMap(([id, what, destination]) => [
    denied(`move-${id}`, `a token for one folder moves out of it: ${what}`, move(destination), dav, 403),
    denied(`copy-${id}`, `a token for one folder copies out of it: ${what}`, move(destination, 'COPY'), dav, 403),
  ]),
  denied(
    'move-two',
    'two destinations, of which one is open',
    (make) =>
      request('MOVE', '/vod/a/x', [
        scoped(make),
        `Destination: http://${host}/vod/a/y`,
        `Destination: http://${host}/vod/b/y`,
      ]),
    dav,
    403,
  ),
  denied(
    'move-method',
    'a token whose methods do not name MOVE',
    move('/vod/a/y', 'MOVE', { methods: ['GET', 'PUT'] }),
    dav,
    403,
  ),
  denied(
    'move-nobody',
    'without a token nothing is said of the destination',
    request('MOVE', '/vod/a/x', ['Destination: /vod/a/y']),
    dav,
  ),
  denied(
    'move-anyone-to-protected',
    'from an open route into a protected one',
    request('COPY', '/open/a', [`Destination: http://${host}/vod/a`]),
    dav,
    403,
  ),
  denied(
    'move-tree-with-route',
    'a folder in which another route lies',
    request('COPY', '/open/', ['Destination: /open/copy/']),
    dav,
    403,
    { gateway: 'wide' },
  ),
  denied(
    'move-over-route',
    'onto a folder in which another route lies',
    request('MOVE', '/open/a', ['Destination: /open/']),
    dav,
    403,
    { gateway: 'wide' },
  ),
  passed('move-inside', 'inside of its folder a token moves', move(`http://${host}/vod/a/sub/%79`), dav, {
    line: 'MOVE /vod/a/x',
    fields: [`Destination: http://${host}/vod/a/sub/y`],
    identity: ['X-Forwarded-User: user-1'],
  }),
  passed('move-inside-path', 'a destination as a path stays one, in canonical form', move('/vod/a/%c3%bc%28'), dav, {
    line: 'MOVE /vod/a/x',
    fields: ['Destination: /vod/a/%C3%BC%28'],
    identity: ['X-Forwarded-User: user-1'],
  }),
  ...conditions.map(([id, what, value]) =>
    denied(
      `if-${id}`,
      `a condition about what the token does not open: ${what}`,
      (make) => request('PUT', '/vod/a/x', [scoped(make), `If: ${value}`, 'Content-Length: 0']),
      'RFC 4918 §10.4.2',
      403,
    ),
  ),
  passed(
    'if-untagged',
    'a condition about the request’s own resource stays as it is',
    (make) =>
      request('PUT', '/vod/a/x', [scoped(make), 'If: (<urn:uuid:1> ["a)b"]) (Not <DAV:no-lock>)', 'Content-Length: 0']),
    'RFC 4918 §10.4.2',
    {
      line: 'PUT /vod/a/x',
      fields: ['Content-Length: 0', 'If: (<urn:uuid:1> ["a)b"]) (Not <DAV:no-lock>)'],
      identity: ['X-Forwarded-User: user-1'],
    },
  ),
  passed(
    'if-tagged',
    'a condition about something inside of the folder is written in canonical form',
    (make) =>
      request('PUT', '/vod/a/x', [scoped(make), `If: <http://${host}/vod/a/%79> (<urn:uuid:1>)`, 'Content-Length: 0']),
    'RFC 4918 §10.4.2',
    {
      line: 'PUT /vod/a/x',
      fields: ['Content-Length: 0', `If: <http://${host}/vod/a/y> (<urn:uuid:1>)`],
      identity: ['X-Forwarded-User: user-1'],
    },
  ),
  ...['BIND', 'REBIND', 'MERGE', 'UPDATE', 'bind'].map((method) =>
    denied(
      `body-${method === 'bind' ? 'lower-case-bind' : method.toLowerCase()}`,
      `${method} names its source in the body: a token for one folder opens it only by name`,
      (make) => request(method, '/vod/a/x', [scoped(make)]),
      'RFC 5842 §4',
      403,
    ),
  ),
  passed(
    'body-bind-named',
    'BIND where the token names it',
    (make) => request('BIND', '/vod/a/x', [scoped(make, { methods: ['BIND'] })]),
    'RFC 5842 §4',
    { line: 'BIND /vod/a/x', identity: ['X-Forwarded-User: user-1'] },
  ),
  ...copies.map(([id, what, line]) =>
    denied(
      `copy-source-${id}`,
      `a copy of what the token does not open: ${what}`,
      (make) => request('PUT', '/vod/a/x', [scoped(make), line, 'Content-Length: 0']),
      'Amazon S3 CopyObject',
      403,
    ),
  ),
  ...overrides.flatMap((name, index) => [
    passed(
      `override-${index}`,
      `${name} beside a token for some methods never arrives`,
      (make) => request('GET', '/vod/a/x', [scoped(make, { methods: ['GET'] }), `${name}: DELETE`]),
      override,
      { line: 'GET /vod/a/x', identity: ['X-Forwarded-User: user-1'] },
    ),
    passed(
      `override-post-${index}`,
      `${name} of a POST beside a token for some methods never arrives`,
      (make) =>
        request('POST', '/vod/a/x', [
          scoped(make, { methods: ['GET', 'POST'] }),
          `${name}: DELETE`,
          'Content-Length: 0',
        ]),
      override,
      { line: 'POST /vod/a/x', fields: ['Content-Length: 0'], identity: ['X-Forwarded-User: user-1'] },
    ),
  ]),
  row(
    'override-path-form',
    'a method in a field beside a token in the path, which is for GET alone',
    (make) => get(`/.t/${make.token()}/vod/a/x`, 'X-HTTP-Method-Override: DELETE'),
    override,
    {
      answers: [200],
      after: 'open',
      upstream: [{ line: 'GET /vod/a/x', identity: ['X-Forwarded-User: user-1'] }],
    },
  ),
  ...otherPaths.map((name) =>
    passed(
      `path-${name.toLowerCase()}`,
      `${name} says another path and reaches nobody`,
      get('/open/a', `${name}: /vod/a`),
      'Symfony CVE-2018-14773, Rack CVE-2025-61780',
      { line: 'GET /open/a' },
    ),
  ),
];
