// Hostile upstreams: bodies that break, bytes behind an answer, bytes on a connection that nobody uses.

import { ok, type ResponseRow, responseFamily, sound } from '../response-row.ts';

const bodies = responseFamily('response-bodies');
const behind = responseFamily('response-behind');
const upgrade = responseFamily('response-upgrade');

const chunks = (body: string) => ok(['Transfer-Encoding: chunked'], body);
const rule = 'RFC 9112 §7.1';
const poison = 'Node CVE-2026-48931, RFC 9112 §6.3';
const evil = sound('evil');

const broken: readonly (readonly [id: string, what: string, body: string])[] = [
  ['size-word', 'a size that is none', 'evil\r\n'],
  ['size-blank', 'a blank behind the size', '4 \r\ngood\r\n0\r\n\r\n'],
  ['size-0x', '0x before the size', '0x4\r\ngood\r\n0\r\n\r\n'],
  ['size-minus', 'a negative size', '-4\r\ngood\r\n0\r\n\r\n'],
  ['size-overflow', 'a size of 2^64 and four', '10000000000000004\r\ngood\r\n0\r\n\r\n'],
  ['size-lf', 'a bare LF behind the size', '4\ngood\r\n0\r\n\r\n'],
  ['data-no-end', 'no line end behind the data', '4\r\ngood0\r\n\r\n'],
  ['data-lf', 'a bare LF behind the data', '4\r\ngood\n0\r\n\r\n'],
  ['extension-lf', 'a LF in an extension', '4;a\nb\r\ngood\r\n0\r\n\r\n'],
  ['extension-64k', 'an extension of 64 KiB', `4;${'a'.repeat(65_536)}\r\ngood\r\n0\r\n\r\n`],
  ['trailer-no-colon', 'a trailer without a colon', '4\r\ngood\r\n0\r\nevil\r\n\r\n'],
  ['trailer-64k', 'trailers of 64 KiB', `4\r\ngood\r\n0\r\n${`A: ${'b'.repeat(1000)}\r\n`.repeat(66)}\r\n`],
  ['second-chunk', 'a second chunk that breaks', '4\r\ngood\r\nzz\r\n'],
];

const ends: readonly (readonly [id: string, what: string, bytes: string])[] = [
  ['chunk-unfinished', 'a chunk that ends with the connection', chunks('a\r\ngood')],
  ['no-last-chunk', 'no last chunk', chunks('4\r\ngood\r\n')],
  ['last-chunk-unfinished', 'a last chunk without its empty line', chunks('4\r\ngood\r\n0\r\n')],
  ['too-short', 'a body shorter than its length', ok(['Content-Length: 10'], 'good')],
  ['nothing-came', 'no body at all', ok(['Content-Length: 10'])],
];

const extras: readonly (readonly [id: string, what: string, bytes: string, text: string])[] = [
  ['behind-length', 'bytes behind a length', sound('good'), 'good'],
  ['behind-chunks', 'bytes behind the last chunk', chunks('4\r\ngood\r\n0\r\n\r\n'), 'good'],
  ['behind-empty', 'bytes behind a length of zero', ok(['Content-Length: 0']), ''],
];

const junk: readonly (readonly [id: string, what: string, bytes: string])[] = [
  ['answer', 'a whole answer', evil],
  ['byte', 'one byte', 'x'],
  ['line-end', 'an empty line', '\r\n'],
  [
    'timeout',
    'a 408 as servers send it',
    'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  ],
  ['interim', 'an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['half', 'half an answer', 'HTTP/1.1 200 OK\r\nX: evil'],
  ['much', '100 KB', 'evil'.repeat(25_000)],
];

const handshake = [
  ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const accept = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const switching = (...lines: string[]) => `HTTP/1.1 101 Switching\r\n${lines.join('\r\n')}\r\n\r\nevil`;

const switches: readonly (readonly [id: string, what: string, bytes: string])[] = [
  ['no-accept', 'no proof', switching('Connection: Upgrade', 'Upgrade: websocket')],
  ['wrong-accept', 'a wrong proof', switching('Connection: Upgrade', 'Upgrade: websocket', `${accept}x`)],
  ['two-accepts', 'two proofs', switching('Connection: Upgrade', 'Upgrade: websocket', accept, accept)],
  ['other-protocol', 'another protocol', switching('Connection: Upgrade', 'Upgrade: h2c', accept)],
  ['two-protocols', 'two protocols', switching('Connection: Upgrade', 'Upgrade: websocket, h2c', accept)],
  ['no-protocol', 'no protocol', switching('Connection: Upgrade', accept)],
  ['no-connection', 'no Connection', switching('Upgrade: websocket', accept)],
  ['close', 'the end in Connection', switching('Connection: Upgrade, close', 'Upgrade: websocket', accept)],
  ['length', 'a length', switching('Connection: Upgrade', 'Upgrade: websocket', accept, 'Content-Length: 4')],
  ['coding', 'a coding', switching('Connection: Upgrade', 'Upgrade: websocket', accept, 'Transfer-Encoding: chunked')],
];

export const responseBodyRows: readonly ResponseRow[] = [
  ...switches.map(([id, what, bytes]) =>
    upgrade.last(id, `a 101 with ${what}`, bytes, 'RFC 6455 §4.1', { asks: handshake }),
  ),
  ...broken.map(([id, what, body]) => bodies.cut(id, what, chunks(body), rule)),
  ...ends.flatMap(([id, what, bytes]) => [
    bodies.cut(`${id}-end`, `${what}, then FIN`, bytes, 'RFC 9112 §8', { ending: 'end' }),
    bodies.cut(`${id}-reset`, `${what}, then a reset`, bytes, 'RFC 9112 §8', { ending: 'reset' }),
  ]),
  bodies.cut('until-close-reset', 'a body until the end that a reset ends', ok([], 'good'), 'RFC 9112 §8', {
    ending: 'reset',
  }),
  bodies.cleaned(
    'until-close',
    'a body until the end is framed anew',
    ok([], 'good'),
    'RFC 9112 §6.3',
    { text: 'good', contains: /transfer-encoding: chunked/i },
    { ending: 'end', connection: 'destroyed' },
  ),
  bodies.cleaned(
    '1.0',
    'a 1.0 answer until the end',
    'HTTP/1.0 200 OK\r\n\r\ngood',
    'RFC 9112 §6.3',
    { text: 'good' },
    { ending: 'end', connection: 'destroyed' },
  ),
  bodies.cleaned(
    'chunks-to-1.0',
    'a 1.0 client gets no chunks',
    chunks('4\r\ngood\r\n0\r\n\r\n'),
    'RFC 9112 §6.1, §7',
    { text: 'good', lacks: /transfer-encoding/i, isLast: true },
    { minorVersion: 0 },
  ),
  bodies.cleaned(
    'until-close-to-1.0',
    'a 1.0 client gets a body until the end as one',
    ok([], 'good'),
    'RFC 9112 §6.3',
    { text: 'good', lacks: /transfer-encoding/i, isLast: true },
    { minorVersion: 0, ending: 'end', connection: 'destroyed' },
  ),
  bodies.cut(
    'chunks-to-1.0-broken',
    'a 1.0 client cannot take half of the chunks for all',
    chunks('4\r\ngood\r\nzz'),
    rule,
    {
      minorVersion: 0,
    },
  ),
  bodies.bad('unanswered-post', 'a POST that is not answered is not sent again', '', 'RFC 9110 §9.2.2', {
    method: 'POST',
    ending: 'end',
  }),
  bodies.bad('reset-post', 'a POST that a reset answers is not sent again', '', 'RFC 9110 §9.2.2', {
    method: 'POST',
    ending: 'reset',
  }),
  bodies.cleaned(
    'extension',
    'extensions end here',
    chunks('4;evil="1"\r\ngood\r\n0;evil\r\n\r\n'),
    'RFC 9112 §7.1.1',
    { text: 'good', lacks: /evil/ },
  ),
  bodies.cleaned(
    'trailer',
    'trailers end here',
    chunks('4\r\ngood\r\n0\r\nSet-Cookie: latchkey_pass=evil\r\nContent-Length: 9\r\n\r\n'),
    'RFC 9110 §6.5.1',
    { text: 'good' },
  ),
  bodies.cleaned('size-zeros', 'leading zeros of sizes go', chunks('004\r\ngood\r\n000\r\n\r\n'), rule, {
    text: 'good',
  }),
  bodies.cleaned(
    'head-with-length',
    'HEAD with a length and no body',
    ok(['Content-Length: 1000']),
    'RFC 9110 §9.3.2',
    { text: '' },
    { method: 'HEAD' },
  ),
  bodies.cleaned(
    '304-with-length',
    '304 with the length of what it does not send',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n',
    'RFC 9110 §8.6',
    { status: 304, text: '' },
  ),

  ...extras.flatMap(([id, what, bytes, text]) => [
    behind.followed(`${id}-answer`, `${what}: another answer`, bytes + evil, poison, { text }),
    behind.followed(`${id}-junk`, `${what}: junk`, `${bytes}\0evil`, poison, { text }),
  ]),
  behind.followed(
    'head-with-body',
    'HEAD with a body',
    `${ok(['Content-Length: 4'])}evil`,
    poison,
    { text: '' },
    { method: 'HEAD' },
  ),
  behind.followed(
    'head-with-answer',
    'HEAD with another answer as its body',
    ok([`Content-Length: ${evil.length}`], evil),
    poison,
    { text: '' },
    { method: 'HEAD' },
  ),
  behind.followed('204-with-body', '204 with a body', 'HTTP/1.1 204 No Content\r\n\r\nevil', poison, {
    status: 204,
    text: '',
  }),
  behind.followed('304-with-body', '304 with a body', `HTTP/1.1 304 Not Modified\r\n\r\n${evil}`, poison, {
    status: 304,
    text: '',
  }),
  ...junk.map(([id, what, bytes]) =>
    behind.followed(
      `idle-${id}`,
      `on an idle connection: ${what}`,
      sound('good'),
      poison,
      { text: 'good' },
      { behind: bytes },
    ),
  ),
];
