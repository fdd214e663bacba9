// Hostile upstreams: status lines, fields and framing of their answers, and interim answers.

import { ok, type ResponseRow, responseFamily, sound } from '../response-row.ts';

const status = responseFamily('response-status');
const framing = responseFamily('response-framing');
const fields = responseFamily('response-fields');
const interim = responseFamily('response-interim');

const statusLine = 'RFC 9112 §4';
const good = sound('good');
const evil = 'Content-Length: 4\r\n\r\nevil';

const statusLines: readonly (readonly [id: string, what: string, line: string])[] = [
  ['http2', 'HTTP/2', 'HTTP/2 200 OK'],
  ['version-1.2', 'HTTP/1.2', 'HTTP/1.2 200 OK'],
  ['version-0.9', 'HTTP/0.9', 'HTTP/0.9 200 OK'],
  ['lower-case', 'http/1.1', 'http/1.1 200 OK'],
  ['icy', 'an old stream server', 'ICY 200 OK'],
  ['no-blank', 'no blank behind the version', 'HTTP/1.1200 OK'],
  ['two-blanks', 'two blanks behind the version', 'HTTP/1.1  200 OK'],
  ['tab', 'a tab behind the version', 'HTTP/1.1\t200 OK'],
  ['leading-blank', 'a blank first', ' HTTP/1.1 200 OK'],
  ['two-digits', 'two digits', 'HTTP/1.1 20 OK'],
  ['four-digits', 'four digits', 'HTTP/1.1 2000 OK'],
  ['below-100', 'status 099', 'HTTP/1.1 099 OK'],
  ['zero', 'status 000', 'HTTP/1.1 000 OK'],
  ['above-599', 'status 600', 'HTTP/1.1 600 OK'],
  ['999', 'status 999', 'HTTP/1.1 999 OK'],
  ['negative', 'a sign', 'HTTP/1.1 -20 OK'],
  ['letters', 'letters', 'HTTP/1.1 2oo OK'],
  ['no-status', 'no status', 'HTTP/1.1 OK'],
  ['nothing', 'nothing but a version', 'HTTP/1.1'],
  ['no-blank-behind', 'no blank behind the status', 'HTTP/1.1 200OK'],
  ['nul-reason', 'a NUL in the reason', 'HTTP/1.1 200 O\0K'],
  ['cr-reason', 'a CR in the reason', 'HTTP/1.1 200 O\rK'],
  ['request', 'a request', 'GET / HTTP/1.1'],
];

const lengths: readonly (readonly [id: string, what: string, ...lines: string[]])[] = [
  ['both', 'both framings', 'Content-Length: 4', 'Transfer-Encoding: chunked'],
  ['both-other-order', 'both framings the other way', 'Transfer-Encoding: chunked', 'Content-Length: 4'],
  ['twice-equal', 'two equal lengths', 'Content-Length: 4', 'Content-Length: 4'],
  ['twice-different', 'two lengths', 'Content-Length: 4', 'Content-Length: 0'],
  ['list', 'a list of lengths', 'Content-Length: 4, 4'],
  ['plus', 'a length with a sign', 'Content-Length: +4'],
  ['minus', 'a negative length', 'Content-Length: -4'],
  ['hex', 'a hexadecimal length', 'Content-Length: 0x4'],
  ['leading-zero', 'a leading zero', 'Content-Length: 04'],
  ['empty', 'an empty length', 'Content-Length:'],
  ['word', 'a word for a length', 'Content-Length: four'],
  ['overflow', 'a length of 2^64 and four', 'Content-Length: 18446744073709551620'],
  ['float', 'a fraction', 'Content-Length: 4.0'],
  ['xchunked', 'an unknown coding', 'Transfer-Encoding: xchunked'],
  ['identity', 'identity', 'Transfer-Encoding: identity'],
  ['gzip-chunked', 'gzip before chunked', 'Transfer-Encoding: gzip, chunked'],
  ['chunked-gzip', 'gzip behind chunked', 'Transfer-Encoding: chunked, gzip'],
  ['coding-twice', 'two codings', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
  ['coding-empty', 'an empty coding', 'Transfer-Encoding:'],
  ['coding-no-break-space', 'a no-break space before the coding', 'Transfer-Encoding: \xa0chunked'],
  ['coding-tab-behind', 'a tab behind the coding', 'Transfer-Encoding: chunked\t'],
  ['names-length', 'Connection that names the length', 'Connection: Content-Length', 'Content-Length: 4'],
  ['names-coding', 'Connection that names the coding', 'Connection: Transfer-Encoding', 'Transfer-Encoding: chunked'],
];

const lines: readonly (readonly [id: string, what: string, line: string, reference: string])[] = [
  ['folded', 'a folded line', 'X: a\r\n b', 'RFC 9112 §5.2'],
  ['lf', 'a bare LF behind a field', 'X: a\nSet-Cookie: evil=1', 'RFC 9112 §2.2'],
  ['cr', 'a bare CR inside a value', 'X: a\rSet-Cookie: evil=1', 'RFC 9112 §2.2'],
  ['cr-cr-lf', 'two CR at a line’s end', 'X: a\r', 'RFC 9112 §2.2'],
  ['nul', 'a NUL in a value', 'X: a\0b', 'RFC 9110 §5.5'],
  ['escape', 'an escape in a value', 'X: \x1b[2J', 'RFC 9110 §5.5'],
  ['blank-before-length', 'a blank behind the name of the length', 'Content-Length : 9', 'RFC 9112 §5.1'],
  ['blank-before-coding', 'a blank behind the name of the coding', 'Transfer-Encoding : chunked', 'RFC 9112 §5.1'],
  ['tab-before-connection', 'a tab behind Connection', 'Connection\t: close', 'RFC 9112 §5.1'],
  ['blank-before-look-alike', 'a blank behind a look-alike of the length', 'Content_Length : 9', 'RFC 9112 §5.1'],
  ['blank-first', 'a blank before the name', ' X: a', 'RFC 9112 §5.2'],
  ['blank-inside-name', 'a blank inside the name', 'X Y : a', 'RFC 9110 §5.1'],
  ['high-blank', 'a no-break space before the colon', 'X\xa0: a', 'RFC 9110 §5.1'],
  ['no-colon', 'no colon', 'X', 'RFC 9112 §5'],
  ['empty-name', 'an empty name', ': a', 'RFC 9110 §5.1'],
  ['name-with-slash', 'a name that is no token', 'X/Y: a', 'RFC 9110 §5.1'],
  ['101', '101 fields', Array.from({ length: 101 }, (_, index) => `X-${index}: 1`).join('\r\n'), 'limits'],
  ['too-long', 'a head of 40 KiB', `X: ${'a'.repeat(40_000)}`, 'limits'],
];

const removed: readonly (readonly [id: string, what: string, line: string])[] = [
  ['our-pass', 'our pass cookie', 'Set-Cookie: latchkey_pass=evil; Path=/'],
  ['our-pass-no-blank', 'our pass cookie without a blank', 'Set-Cookie:latchkey_pass=evil'],
  ['our-pass-blanks', 'our pass cookie with blanks around its name', 'Set-Cookie: \t latchkey_pass =evil'],
  ['our-pass-bare', 'our pass cookie without a value', 'Set-Cookie: latchkey_pass; evil'],
  ['our-pass-nameless', 'a nameless cookie that browsers send back as our pass', 'Set-Cookie: =latchkey_pass=evil'],
  ['our-session', 'our session cookie', 'Set-Cookie: __Host-latchkey=evil; Secure; Path=/'],
  ['our-device', 'our device cookie', 'Set-Cookie: __Host-latchkey_device=evil'],
  [
    'our-session-a0',
    'our session cookie behind a no-break space',
    'Set-Cookie: \xa0__Host-latchkey=evil; Domain=example',
  ],
  ['our-session-utf8', 'the same in UTF-8', 'Set-Cookie: \xc2\xa0__Host-latchkey=evil'],
  ['our-session-behind', 'a no-break space behind our name', 'Set-Cookie: __Host-latchkey\xa0=evil'],
  ['our-session-case', 'our session cookie in other letters', 'Set-Cookie: __host-LATCHKEY=evil'],
  ['our-session-quotes', 'our session cookie in quotes', 'Set-Cookie: "__Host-latchkey"=evil'],
  ['our-session-equals', 'our session cookie behind two equals signs', 'Set-Cookie: ==__Host-latchkey=evil'],
  ['our-token', 'our token field', 'Latchkey-Token: evil'],
  ['keep-alive', 'Keep-Alive', 'Keep-Alive: timeout=600, evil'],
  ['proxy-authenticate', 'Proxy-Authenticate', 'Proxy-Authenticate: Basic realm="evil"'],
  ['proxy-connection', 'Proxy-Connection', 'Proxy-Connection: evil'],
  ['upgrade', 'Upgrade', 'Upgrade: evil'],
  ['trailer', 'Trailer', 'Trailer: evil'],
  ['te', 'TE', 'TE: evil'],
  ['nominated', 'a field that Connection names', 'Connection: X-Secret\r\nX-Secret: evil'],
  ['nominated-other-case', 'the same in other letters', 'Connection: x-sEcrEt\r\nX-Secret: evil'],
  ['request-id', 'another request id', 'X-Request-Id: evil'],
];

/** Addresses in an answer to http://media.example, and what a visitor there is told. */
const addresses: readonly (readonly [id: string, what: string, line: string, told: RegExp])[] = [
  [
    'port',
    'another port of the host',
    'Location: http://media.example:9000/a',
    /^Location: http:\/\/media\.example\/a\r$/m,
  ],
  [
    'scheme',
    'another scheme of the host',
    'Location: https://media.example/a',
    /^Location: http:\/\/media\.example\/a\r$/m,
  ],
  ['inner', 'its own inner address', 'Location: http://localhost/a', /^Location: http:\/\/media\.example\/a\r$/m],
  [
    'refresh',
    'the same in Refresh',
    'Refresh: 0; URL=http://127.0.0.1/a',
    /^Refresh: 0; URL=http:\/\/media\.example\/a\r$/m,
  ],
  ['link', 'the same in Link', 'Link: <http://[::1]/a>', /^Link: <http:\/\/media\.example\/a>\r$/m],
  [
    'user',
    'a host behind user information',
    'Location: http://media.example@evil/a',
    /^Location: http:\/\/media\.example@evil\/a\r$/m,
  ],
  [
    'backslash',
    'a host behind a backslash',
    'Location: http://media.example\\@evil/a',
    /^Location: http:\/\/media\.example\\@evil\/a\r$/m,
  ],
  [
    'suffix',
    'a longer host',
    'Location: http://media.example.evil/a',
    /^Location: http:\/\/media\.example\.evil\/a\r$/m,
  ],
];

export const responseHeadRows: readonly ResponseRow[] = [
  ...statusLines.map(([id, what, line]) => status.bad(id, what, `${line}\r\n${evil}`, statusLine)),
  status.bad('empty-line-first', 'an empty line first', `\r\n${good}`, statusLine),
  status.bad('lf-line', 'a bare LF behind the status line', `HTTP/1.1 200 OK\n${evil}`, 'RFC 9112 §2.2'),
  status.bad('body-only', 'a body without a head', '<html>evil</html>\r\n\r\n', 'HTTP/0.9'),
  status.bad(
    'tls-alert',
    'a TLS alert from a TLS port',
    '\x15\x03\x01\x00\x02\x02\x28\r\n\r\n',
    'cross-protocol answers',
  ),
  status.bad('ftp-banner', 'the banner of another protocol', '220 evil FTP\r\n\r\n', 'cross-protocol answers'),
  status.bad('head-never-ends', 'a head that ends with the connection', 'HTTP/1.1 200 OK\r\nX: evil', statusLine, {
    ending: 'end',
  }),
  status.bad('half-status-line', 'half a status line', 'HTTP/1.', statusLine, { ending: 'end', method: 'POST' }),
  status.cleaned('no-reason', 'no reason', 'HTTP/1.1 200\r\nContent-Length: 4\r\n\r\ngood', statusLine, {
    text: 'good',
    contains: /^HTTP\/1\.1 200 \r\n/,
  }),
  status.cleaned(
    'high-reason',
    'latin1 in the reason',
    'HTTP/1.1 200 \xd6K\r\nContent-Length: 4\r\n\r\ngood',
    statusLine,
    { text: 'good' },
  ),

  ...lengths.map(([id, what, ...framed]) => framing.bad(id, what, ok(framed, 'evil'), 'RFC 9112 §6.3')),
  framing.bad(
    'coding-on-1.0',
    'a coding on 1.0',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n',
    'RFC 9112 §6.1',
  ),
  framing.bad(
    '204-length',
    '204 with a length',
    'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil',
    'RFC 9110 §8.6',
  ),
  framing.bad(
    '204-coding',
    '204 with a coding',
    'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'RFC 9112 §6.1',
  ),

  ...lines.map(([id, what, line, reference]) => fields.bad(id, what, sound('evil', line), reference)),
  ...removed.map(([id, what, line]) =>
    fields.cleaned(`removes-${id}`, `${what} goes`, sound('good', line), 'attacks, Headers; RFC 9110 §7.6.1', {
      text: 'good',
      lacks: /evil/,
    }),
  ),
  ...addresses.map(([id, what, line, told]) =>
    fields.cleaned(`address-${id}`, `an answer that names ${what}`, sound('good', line), 'RFC 9110 §10.2.2', {
      text: 'good',
      contains: told,
    }),
  ),
  fields.cleaned(
    'removes-alternative',
    'an address past the gateway goes',
    sound('good', 'Alt-Svc: h3="evil:443"'),
    'RFC 7838',
    { text: 'good', lacks: /evil/ },
  ),
  fields.cleaned(
    'connection-close',
    'close is for us alone',
    sound('good', 'Connection: close'),
    'RFC 9110 §7.6.1',
    { text: 'good', lacks: /connection: close/i },
    { connection: 'destroyed' },
  ),
  fields.cleaned(
    'keeps-cookies',
    'other cookies stay',
    sound('good', 'Set-Cookie: sid=1', 'Set-Cookie: xlatchkey_pass=2'),
    'RFC 6265',
    { text: 'good', contains: /Set-Cookie: sid=1\r\nSet-Cookie: xlatchkey_pass=2/ },
  ),
  fields.cleaned(
    'keeps-tokens',
    'names of all token characters stay',
    sound('good', "X_!#$%&'*+.^`|~: 1"),
    'RFC 9110 §5.6.2',
    { text: 'good', contains: /X_!#\$%&'\*\+\.\^`\|~: 1/ },
  ),
  fields.cleaned(
    'blank-before-colon',
    'blanks between a name and its colon',
    ok(['Content-Length: 4', 'X : a', 'X-T \t: b'], 'good'),
    'RFC 9112 §5.1: a proxy removes them',
    { text: 'good', contains: /\r\nX: a\r\nX-T: b\r\n/ },
  ),
  fields.cleaned(
    'our-pass-blank-before-colon',
    'our pass cookie, with a blank before the colon',
    ok(['Content-Length: 4', 'Set-Cookie : latchkey_pass=evil', 'Set-Cookie\t: a=1'], 'good'),
    'RFC 9112 §5.1',
    { text: 'good', contains: /\r\nSet-Cookie: a=1\r\n/, lacks: /evil/i },
  ),
  fields.cleaned(
    'look-alikes',
    'look-alikes of framing, of Set-Cookie and of our own names',
    ok(
      [
        'Content-Length: 4',
        'Content_Length: 9',
        'Transfer_Encoding: evil',
        'Set_Cookie: a=evil',
        'Latchkey_Token: evil',
        'X_A: 1',
      ],
      'good',
    ),
    'RFC 9110 §5.1',
    { text: 'good', contains: /\r\nX_A: 1\r\n/, lacks: /evil|Content_Length/i },
  ),
  fields.cleaned(
    'keeps-many',
    'a hundred fields',
    ok(['Content-Length: 4', ...Array.from({ length: 99 }, (_, index) => `X-${index}: 1`)], 'good'),
    'limits',
    { text: 'good' },
  ),

  interim.cleaned('100', '100 is ours to say', `HTTP/1.1 100 Continue\r\n\r\n${good}`, 'RFC 9110 §15.2.1', {
    text: 'good',
  }),
  interim.cleaned('102', '102 passes', `HTTP/1.1 102 Processing\r\n\r\n${good}`, 'RFC 2518 §10.1', {
    text: 'good',
    interim: [102],
  }),
  interim.cleaned(
    '103',
    '103 passes whole, but for what is between neighbours or ours to say',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nSet-Cookie: latchkey_pass=evil\r\nConnection: x-evil\r\nX-Evil: 1\r\n' +
      `Keep-Alive: evil\r\nLatchkey-Token: evil\r\nX-Request-Id: evil\r\nX : 1\r\n\r\n${good}`,
    'RFC 8297, RFC 9110 §15.2',
    { text: 'good', interim: [103], contains: /Hints\r\nLink: <\/a>\r\nX: 1\r\n\r\n/, lacks: /evil/i },
  ),
  interim.cleaned('199', 'an unknown one passes whole', `HTTP/1.1 199 Odd\r\nX: 1\r\n\r\n${good}`, 'RFC 9110 §15.2', {
    text: 'good',
    interim: [199],
    contains: /HTTP\/1\.1 199 Odd\r\nX: 1\r\n\r\n/,
  }),
  interim.cleaned('eight', 'eight of them', `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(8)}${good}`, '1xx storms', {
    text: 'good',
  }),
  interim.bad('nine', 'a ninth', `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(9)}${sound('evil')}`, '1xx storms'),
  {
    ...interim.bad(
      'thousand',
      'a thousand',
      `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1000)}${sound('evil')}`,
      '1xx storms',
    ),
    client: { kind: 'answer', status: 502, lacks: /evil/i, interim: Array.from({ length: 64 }, () => 102) },
  },
  {
    ...interim.bad(
      'long',
      'a few that are long',
      `${`HTTP/1.1 103 Early Hints\r\nX: ${'a'.repeat(30_000)}\r\n\r\n`.repeat(4)}${sound('evil')}`,
      '1xx storms',
    ),
    client: { kind: 'answer', status: 502, lacks: /evil/i, interim: [103, 103] },
  },
  interim.bad(
    '101',
    '101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: evil\r\n\r\nevil',
    'Pingora CVE-2026-2833',
  ),
  interim.bad(
    '100-with-length',
    '100 with a length',
    `HTTP/1.1 100 Continue\r\nContent-Length: 4\r\n\r\nevil${sound('evil')}`,
    'RFC 9112 §6.3',
  ),
  interim.bad(
    '100-with-coding',
    '100 with a coding',
    'HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n',
    'RFC 9112 §6.1',
  ),
  interim.bad('100-only', 'nothing behind 100', 'HTTP/1.1 100 Continue\r\n\r\n', 'RFC 9110 §15.2', { ending: 'end' }),
];
