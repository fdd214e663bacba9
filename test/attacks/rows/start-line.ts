// Request lines and what stands in front of them: grammar, methods, versions, other protocols on our port.

import { family, get, host, type RequestRow, request } from '../row.ts';

const { refused, passed, broken, row } = family('start-line');

/** A request with this very first line. */
function line(text: string): string {
  return `${text}\r\nHost: ${host}\r\n\r\n`;
}

const grammar = 'RFC 9112 §3';
/** A body that is a request. */
const inner = get('/open/inner');

export const startLineRows: readonly RequestRow[] = [
  refused('two-blanks-behind-method', 'two blanks behind the method', line('GET  /open/a HTTP/1.1'), grammar),
  refused('two-blanks-behind-target', 'two blanks behind the target', line('GET /open/a  HTTP/1.1'), grammar),
  refused('tab-behind-method', 'a tab for the first blank', line('GET\t/open/a HTTP/1.1'), grammar),
  refused('tab-behind-target', 'a tab for the second blank', line('GET /open/a\tHTTP/1.1'), grammar),
  refused('leading-blank', 'a blank in front of the method', line(' GET /open/a HTTP/1.1'), grammar),
  refused('leading-tab', 'a tab in front of the method', line('\tGET /open/a HTTP/1.1'), grammar),
  refused('trailing-blank', 'a blank behind the version', line('GET /open/a HTTP/1.1 '), grammar),
  refused('trailing-tab', 'a tab behind the version', line('GET /open/a HTTP/1.1\t'), grammar),
  refused('blank-in-target', 'a blank inside the target', line('GET /open/a b HTTP/1.1'), 'RFC 9112 §3.2'),
  refused('smuggled-version', 'a second version behind the first', line('GET /open/a HTTP/1.1 HTTP/1.1'), grammar),
  refused('no-target', 'no target', line('GET HTTP/1.1'), grammar),
  refused('empty-target', 'an empty target', line('GET  HTTP/1.1'), grammar),
  refused('method-only', 'nothing but a method', line('GET'), grammar),
  refused('no-version', 'no version, as HTTP/0.9 had it', line('GET /open/a'), 'RFC 9112 §2.3'),
  refused('version-lower-case', 'the version in small letters', line('GET /open/a http/1.1'), 'RFC 9112 §2.3'),
  refused('version-mixed-case', 'the version in mixed letters', line('GET /open/a Http/1.1'), 'RFC 9112 §2.3'),
  refused('version-two-digits', 'a minor version of two digits', line('GET /open/a HTTP/1.10'), 'RFC 9112 §2.3'),
  refused('version-leading-zero', 'a leading zero in the version', line('GET /open/a HTTP/01.1'), 'RFC 9112 §2.3'),
  refused('version-comma', 'a comma in the version', line('GET /open/a HTTP/1,1'), 'RFC 9112 §2.3'),
  refused('version-no-minor', 'no minor version', line('GET /open/a HTTP/1'), 'RFC 9112 §2.3'),
  refused('version-blank-inside', 'a blank inside the version', line('GET /open/a HTTP/ 1.1'), 'RFC 9112 §2.3'),
  refused(
    'version-blank-before-slash',
    'a blank before the version’s slash',
    line('GET /open/a HTTP /1.1'),
    'RFC 9112 §2.3',
  ),
  refused('version-other-name', 'another protocol’s name', line('GET /open/a HTCPCP/1.0'), 'RFC 9112 §2.3'),
  refused('version-rtsp', 'RTSP', line('OPTIONS /open/a RTSP/1.0'), 'RFC 9112 §2.3'),
  refused('version-sign', 'a sign in the version', line('GET /open/a HTTP/+1.1'), 'RFC 9112 §2.3'),
  refused('version-0.9', 'HTTP/0.9 spelled out', line('GET /open/a HTTP/0.9'), 'RFC 9110 §15.6.6', 505),
  refused('version-1.2', 'HTTP/1.2', line('GET /open/a HTTP/1.2'), 'RFC 9110 §15.6.6', 505),
  refused('version-2.0', 'HTTP/2.0 in the clear', line('GET /open/a HTTP/2.0'), 'RFC 9110 §15.6.6', 505),
  refused('version-3.0', 'HTTP/3.0', line('GET /open/a HTTP/3.0'), 'RFC 9110 §15.6.6', 505),
  refused('http2-preface', 'the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'RFC 9113 §3.4', 505),
  refused(
    'tls-hello',
    'a TLS ClientHello on a plain port',
    '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n',
    'RFC 8446 §4.1.2',
  ),
  refused(
    'socks5',
    'a SOCKS 5 greeting',
    '\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50\r\n\r\n',
    'RFC 1928 §3',
  ),
  refused(
    'proxy-line-unasked',
    'a PROXY line on a listener that expects none',
    `PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\n${get('/open/a')}`,
    'PROXY protocol §2',
  ),
  refused(
    'proxy-v2-unasked',
    'a PROXY v2 header on a listener that expects none',
    `\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x50${get('/open/a')}`,
    'PROXY protocol §2.2',
  ),
  refused('smtp', 'mail on our port', 'EHLO mail.example\r\nMAIL FROM:<a@b.example>\r\n\r\n', 'RFC 5321'),
  refused('redis', 'an inline command of another service', 'SLAVEOF 192.0.2.1 6379\r\n\r\n', 'cross-protocol requests'),
  refused(
    'response-as-request',
    'an answer where a request belongs',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    grammar,
  ),

  passed(
    'empty-line-first',
    'one empty line in front of a request is skipped',
    `\r\n${get('/open/a')}`,
    'RFC 9112 §2.2',
    { line: 'GET /open/a' },
  ),
  refused('empty-lines-first', 'two empty lines in front of a request', `\r\n\r\n${get('/open/a')}`, 'RFC 9112 §2.2'),
  refused('lf-first', 'a bare LF in front of a request', `\n${get('/open/a')}`, 'RFC 9112 §2.2'),
  refused('cr-first', 'a bare CR in front of a request', `\r${get('/open/a')}`, 'RFC 9112 §2.2'),
  refused('blank-line-first', 'a line of one blank in front of a request', ` \r\n${get('/open/a')}`, 'RFC 9112 §2.2'),
  refused(
    'line-before-first-field',
    'a blank in front of the first field',
    `GET /open/a HTTP/1.1\r\n Host: ${host}\r\n\r\n`,
    'RFC 9112 §2.2',
  ),
  refused(
    'lf-ends-line',
    'a bare LF ends the request line',
    `GET /open/a HTTP/1.1\nHost: ${host}\r\n\r\n`,
    'RFC 9112 §2.2',
  ),
  refused(
    'cr-ends-line',
    'a bare CR ends the request line',
    `GET /open/a HTTP/1.1\rHost: ${host}\r\n\r\n`,
    'RFC 9112 §2.2',
  ),
  refused(
    'cr-cr-lf',
    'a CR too many at the line’s end',
    `GET /open/a HTTP/1.1\r\r\nHost: ${host}\r\n\r\n`,
    'RFC 9112 §2.2',
  ),
  refused(
    'lf-only',
    'bare LF everywhere',
    `GET /open/a HTTP/1.1\nHost: ${host}\n\n`,
    'RFC 9112 §2.2, Node CVE-2023-30589',
  ),
  refused(
    'lf-ends-head',
    'a bare LF for the empty line',
    `GET /open/a HTTP/1.1\r\nHost: ${host}\r\n\n`,
    'RFC 9112 §2.2',
  ),

  refused('connect', 'CONNECT', `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`, 'RFC 9110 §9.3.6', 405),
  refused(
    'connect-with-body',
    'CONNECT with a body',
    `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\nContent-Length: 3\r\n\r\nabc`,
    'Traefik CVE-2026-71324',
    405,
  ),
  refused(
    'connect-chunked',
    'CONNECT with a chunked body',
    `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'Traefik CVE-2026-71324',
    405,
  ),
  refused('connect-origin-form', 'CONNECT with a path', line('CONNECT /open/a HTTP/1.1'), 'RFC 9110 §9.3.6', 405),
  refused(
    'connect-signed-in',
    'CONNECT with a good token',
    `CONNECT ${host}:80 HTTP/1.1\r\nHost: ${host}:80\r\nAuthorization: Bearer {{token}}\r\n\r\n`,
    'RFC 9110 §9.3.6',
    405,
  ),
  refused('trace', 'TRACE, which echoes cookies', line('TRACE /open/a HTTP/1.1'), 'RFC 9110 §9.3.8', 405, {
    lacks: /Host: media/,
  }),
  refused(
    'trace-with-cookie',
    'TRACE with a cookie',
    `TRACE /open/a HTTP/1.1\r\nHost: ${host}\r\nCookie: sid=1\r\n\r\n`,
    'RFC 9110 §9.3.8',
    405,
    { lacks: /sid=1/ },
  ),
  passed(
    'method-unknown',
    'a method nobody knows is the site’s to know',
    line('BREW /open/a HTTP/1.1'),
    'RFC 9110 §9.1',
    {
      line: 'BREW /open/a',
    },
  ),
  passed(
    'method-lower-case',
    'a method in small letters is another one',
    line('get /open/a HTTP/1.1'),
    'RFC 9110 §9.1',
    {
      line: 'get /open/a',
    },
  ),
  passed(
    'method-mixed-case',
    'a method in mixed letters is another one',
    line('Get /open/a HTTP/1.1'),
    'RFC 9110 §9.1',
    {
      line: 'Get /open/a',
    },
  ),
  passed('method-longest', 'a method of 32 letters', line(`${'A'.repeat(32)} /open/a HTTP/1.1`), 'RFC 9110 §9.1', {
    line: `${'A'.repeat(32)} /open/a`,
  }),
  refused('method-33', 'a method of 33 letters', line(`${'A'.repeat(33)} /open/a HTTP/1.1`), 'RFC 9110 §15.6.2', 501),
  refused(
    'connect-lower-case',
    'connect, which some servers fold',
    line('connect /open/a HTTP/1.1'),
    'RFC 9110 §9.3.6',
    405,
  ),
  refused('trace-mixed-case', 'Trace, which some servers fold', line('Trace /open/a HTTP/1.1'), 'RFC 9110 §9.3.8', 405),
  passed(
    'method-unknown-body',
    'a body of a method nobody knows has its framing',
    request('QUERY', '/open/a', [`Content-Length: ${inner.length}`], inner),
    'RFC 9112 §6.3',
    { line: 'QUERY /open/a', fields: [`Content-Length: ${inner.length}`], body: inner },
  ),
  refused('method-not-token', 'a method that is no token', line('G(T /open/a HTTP/1.1'), 'RFC 9110 §9.1'),
  refused('method-quoted', 'a method in quotes', line('"GET" /open/a HTTP/1.1'), 'RFC 9110 §9.1'),
  refused('method-with-colon', 'a field where the method belongs', line('Host: /open/a HTTP/1.1'), 'RFC 9110 §9.1'),
  refused('method-high-byte', 'a method with a byte from 0x80 on', line('G\xc4T /open/a HTTP/1.1'), 'RFC 9110 §9.1'),
  refused('method-long', 'a method of 8 KiB', line(`${'A'.repeat(8192)} /open/a HTTP/1.1`), 'RFC 9112 §3', 501),
  refused('method-pri', 'PRI over HTTP/1.1', line('PRI * HTTP/1.1'), 'RFC 9113 §11.6', 501),
  passed('method-source', 'a method of a streaming server', line('SOURCE /open/a HTTP/1.1'), 'RFC 9110 §9.1', {
    line: 'SOURCE /open/a',
  }),
  passed(
    'method-override',
    'a method in a field changes nothing',
    request('GET', '/open/a', ['X-HTTP-Method-Override: DELETE']),
    'RFC 9110 §9.1',
    { line: 'GET /open/a', fields: ['X-HTTP-Method-Override: DELETE'] },
  ),
  row('head', 'HEAD is answered without a body', request('HEAD', '/open/a', []), 'RFC 9110 §9.3.2', {
    answers: [200],
    methods: ['HEAD'],
    after: 'open',
    upstream: [{ line: 'HEAD /open/a' }],
  }),
  passed(
    'http-1.0',
    'a 1.0 client without a Host',
    'GET /open/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    'RFC 9112 §2.3',
    /^GET \/open\/a HTTP\/1\.1\r\nHost: /,
  ),
  row(
    'http-1.0-close',
    'a 1.0 client’s connection ends unless it asks for more',
    `GET /open/a HTTP/1.0\r\nHost: ${host}\r\n\r\n`,
    'RFC 9112 §9.3',
    { answers: [200], after: 'closed', upstream: [{ line: 'GET /open/a' }] },
  ),
  row('close', 'nothing behind a request that closes is read', get('/open/a', 'Connection: close'), 'RFC 9112 §9.6', {
    answers: [200],
    after: 'closed',
    upstream: [{ line: 'GET /open/a' }],
  }),
  broken(
    'body-that-ends-early',
    'a tail inside an unfinished body',
    request('POST', '/open/a', ['Content-Length: 100000'], 'abc'),
    'RFC 9112 §8',
    { answers: [408], gateway: 'hasty' },
  ),
  row('head-never-ends', 'a head that never ends', 'GET /open/a HTTP/1.1\r\nHost: a\r\nX-Slow: ', 'slow heads', {
    answers: [408],
    after: 'closed',
    upstream: 'nothing',
    gateway: 'hasty',
    hasTail: false,
  }),
  row('line-never-ends', 'a request line that never ends', 'GET /open/', 'slow heads', {
    answers: [408],
    after: 'closed',
    upstream: 'nothing',
    gateway: 'hasty',
    hasTail: false,
  }),
];
