// What a route may opt in to, and what that must not open: encoded slashes, and limits on bodies.

import { family, get, post, type RequestRow, request } from '../row.ts';

const { denied, passed, row, broken } = family('opt-ins');

const slash = 'gateway/RULES.md, path and route; Envoy CVE-2021-29492';
const limit = 'RFC 9110 §15.5.14';
const wide = { gateway: 'wide' } as const;

const ways: readonly (readonly [id: string, what: string, path: string])[] = [
  ['route', 'in place of the route’s own slash', '/open%2Fa'],
  ['other-route', 'on a route that did not opt in', '/strict/a%2Fb'],
  ['dots', 'a way out behind it', '/open/..%2Fvod/a'],
  ['encoded-dots', 'an encoded way out', '/open/%2e%2e%2fvod/a'],
  ['dots-inside', 'a way out inside one segment', '/open/x%2F..%2F..%2Fvod/a'],
  ['dots-behind', 'dots behind it', '/open/x%2F../vod/a'],
  ['first', 'an empty part in front', '/open/%2Fvod/a'],
  ['twice', 'two of them', '/open/a%2F%2Fb'],
  ['double-encoded', 'encoded twice', '/open/a%252Fb'],
  ['backslash', 'an encoded backslash', '/open/a%5Cb'],
  ['parameter', 'behind a parameter', '/open/admin;x%2Fa'],
  ['nested-route', 'in place of a nested route’s slash', '/open/admin%2Fa'],
  ['reserved', 'in our own prefix', '/.latchkey%2Fjwks.json'],
  ['reserved-inside', 'below our own prefix', '/.latchkey/jwks%2Fjson'],
  ['token-prefix', 'in the prefix of tokens', '/.t%2Fx/open/a'],
  ['token', 'inside a token in the path', '/.t/x%2Fy/open/a'],
];

/** A path that no route could take is refused as a message, and the connection ends; what a route refuses is an answer. */
const goesOn = new Set(['route', 'other-route', 'parameter', 'nested-route']);

export const optInRows: readonly RequestRow[] = [
  passed(
    'slash',
    'an encoded slash stays encoded',
    get('/open/a%2fb?c=%2f'),
    slash,
    { line: 'GET /open/a%2Fb?c=%2f' },
    wide,
  ),
  ...ways.map(([id, what, path]) =>
    denied(`slash-${id}`, `an encoded slash ${what}`, get(path), slash, 400, {
      ...wide,
      after: goesOn.has(id) ? 'open' : 'closed',
    }),
  ),
  denied(
    'slash-scope',
    'a token for the part behind an encoded slash',
    (make) => get('/vod/a%2Fb/c', `Authorization: Bearer ${make.token({ paths: ['/vod/*/c'] })}`),
    slash,
    403,
    wide,
  ),
  denied(
    'slash-folder',
    'a token for a folder that is none',
    (make) => get('/vod/a%2Fb', `Authorization: Bearer ${make.token({ paths: ['/vod/a/*'] })}`),
    slash,
    403,
    wide,
  ),

  passed(
    'body-limit',
    'a body of exactly the limit',
    post(['Content-Length: 10'], '0123456789'),
    limit,
    { line: 'POST /open/a', fields: ['Content-Length: 10'], body: '0123456789' },
    wide,
  ),
  row('body-too-long', 'a length beyond the limit', post(['Content-Length: 11'], '0123456789x'), limit, {
    answers: [413],
    after: 'closed',
    upstream: 'nothing',
    ...wide,
  }),
  row(
    'body-too-long-expect',
    'a length beyond the limit that waits for an invitation',
    post(['Content-Length: 11', 'Expect: 100-continue'], ''),
    limit,
    { answers: [413], after: 'closed', upstream: 'nothing', hasTail: false, ...wide },
  ),
  broken(
    'chunks-too-long',
    'chunks beyond the limit',
    request('POST', '/open/a', ['Transfer-Encoding: chunked'], '6\r\n012345\r\n5\r\n6789x\r\n0\r\n\r\n'),
    limit,
    { answers: [413], ...wide },
  ),
  broken(
    'chunk-too-long',
    'one chunk that says it is beyond the limit',
    request('POST', '/open/a', ['Transfer-Encoding: chunked'], 'ffffffffffff\r\n0123456789x'),
    limit,
    { answers: [413], ...wide },
  ),
  denied(
    'too-long-denied',
    'who may not come in is told that, and not how long a body may be',
    post(['Content-Length: 11'], '0123456789x', '/vod/a'),
    limit,
    401,
    { after: 'closed', ...wide },
  ),
];
