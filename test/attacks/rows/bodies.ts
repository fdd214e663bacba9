// Bodies that nobody reads, expectations, pipelined requests, and what changes from one request to the next.

import { family, get, host, post, type RequestRow, request } from '../row.ts';

const { refused, passed, denied, row, broken } = family('bodies');

const expect100 = 'RFC 9110 §10.1.1, Go CVE-2024-24791';
const unread = 'RFC 9112 §9.6, 0.CL desync';
const inner = get('/open/inner');
const chunkOf = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
const bearer = 'Authorization: Bearer {{token}}';
const user = ['X-Forwarded-User: user-1'];
const closes = { after: 'closed' } as const;

export const bodyRows: readonly RequestRow[] = [
  passed(
    'expect-with-body',
    'an expectation with the body at once: no invitation, one request',
    post(['Expect: 100-continue', 'Content-Length: 3'], 'abc'),
    expect100,
    { line: 'POST /open/a', fields: ['Content-Length: 3'], body: 'abc' },
  ),
  passed(
    'expect-capitals',
    'an expectation in capitals',
    post(['Expect: 100-CONTINUE', 'Content-Length: 3'], 'abc'),
    expect100,
    { line: 'POST /open/a', fields: ['Content-Length: 3'], body: 'abc' },
  ),
  passed(
    'expect-chunked',
    'an expectation with a chunked body',
    post(['Expect: 100-continue', 'Transfer-Encoding: chunked'], chunkOf('abc')),
    expect100,
    { line: 'POST /open/a', fields: ['Transfer-Encoding: chunked'], body: chunkOf('abc') },
  ),
  passed('expect-no-body', 'an expectation without a body', get('/open/a', 'Expect: 100-continue'), expect100, {
    line: 'GET /open/a',
  }),
  row(
    'expect-request-as-body',
    'a request in place of the body that was announced',
    post(['Expect: 100-continue', `Content-Length: ${inner.length}`], inner),
    expect100,
    {
      answers: [200],
      after: 'open',
      upstream: [{ line: 'POST /open/a', fields: [`Content-Length: ${inner.length}`], body: inner }],
    },
  ),
  denied(
    'expect-denied',
    'an expectation of a request that may not pass is not met',
    post(['Expect: 100-continue', 'Content-Length: 3'], '', '/vod/a'),
    expect100,
    401,
    { ...closes, hasTail: false },
  ),
  denied(
    'expect-denied-with-body',
    'the same with the body at once',
    post(['Expect: 100-continue', `Content-Length: ${inner.length}`], inner, '/vod/a'),
    expect100,
    401,
    closes,
  ),
  refused('expect-other', 'another expectation', get('/open/a', 'Expect: tea'), 'RFC 9110 §10.1.1', 417),
  refused(
    'expect-list',
    'an expectation in a list',
    post(['Expect: 100-continue, tea', 'Content-Length: 3'], 'abc'),
    'RFC 9110 §10.1.1',
    417,
  ),
  refused(
    'expect-parameter',
    'an expectation with a parameter',
    post(['Expect: 100-continue; q=1', 'Content-Length: 3'], 'abc'),
    'RFC 9110 §10.1.1',
    417,
  ),
  refused(
    'expect-twice',
    'two expectations',
    post(['Expect: 100-continue', 'Expect: 100-continue', 'Content-Length: 3'], 'abc'),
    'RFC 9110 §10.1.1',
    417,
  ),
  refused(
    'expect-obfuscated',
    'an expectation behind a byte that is no blank',
    post(['Expect: \xa0100-continue', 'Content-Length: 3'], 'abc'),
    'obfuscated Expect',
    417,
  ),
  refused(
    'expect-y',
    'a word in front of the expectation',
    post(['Expect: y 100-continue', 'Content-Length: 3'], 'abc'),
    'obfuscated Expect',
    417,
  ),
  refused('expect-empty', 'an empty expectation', get('/open/a', 'Expect:'), 'RFC 9110 §10.1.1', 417),
  row(
    'expect-1.0',
    'an expectation of a 1.0 client is not met and not forwarded',
    `POST /open/a HTTP/1.0\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
    'RFC 9110 §10.1.1',
    {
      answers: [200],
      after: 'closed',
      upstream: [{ line: 'POST /open/a', fields: ['Content-Length: 3'], body: 'abc' }],
    },
  ),

  denied(
    'denied-request-as-body',
    'a denied request whose body is a request',
    post([`Content-Length: ${inner.length}`], inner, '/vod/a'),
    unread,
    401,
    closes,
  ),
  denied(
    'denied-request-as-chunk',
    'the same in a chunk',
    post(['Transfer-Encoding: chunked'], chunkOf(inner), '/vod/a'),
    unread,
    401,
    closes,
  ),
  denied(
    'denied-get-with-body',
    'a denied GET with a body',
    request('GET', '/vod/a', [`Content-Length: ${inner.length}`], inner),
    unread,
    401,
    closes,
  ),
  denied(
    'denied-options-with-body',
    'a denied OPTIONS with a body',
    request('OPTIONS', '/vod/a', [`Content-Length: ${inner.length}`], inner),
    unread,
    401,
    closes,
  ),
  denied(
    'denied-body-of-zero',
    'a denied request with a body of zero bytes',
    post(['Content-Length: 0'], '', '/vod/a'),
    unread,
  ),
  denied(
    'denied-body-unsent',
    'a denied request whose body never comes',
    post(['Content-Length: 100'], '', '/vod/a'),
    unread,
    401,
    { ...closes, hasTail: false },
  ),
  denied(
    'denied-body-half',
    'a denied request with half of its body and a request',
    post(['Content-Length: 100'], `abc${inner}`, '/vod/a'),
    unread,
    401,
    closes,
  ),
  denied(
    'denied-big-body',
    'a denied request with 200 KB behind it',
    post(['Content-Length: 200000'], 'x'.repeat(200_000), '/vod/a'),
    unread,
    401,
    closes,
  ),
  denied(
    'denied-bad-chunks',
    'a denied request whose chunks are broken',
    post(['Transfer-Encoding: chunked'], `zz\r\n${inner}`, '/vod/a'),
    unread,
    401,
    closes,
  ),
  denied(
    'no-route-with-body',
    'a body for a path that nobody serves',
    post([`Content-Length: ${inner.length}`], inner, '/nowhere/a'),
    unread,
    404,
    closes,
  ),
  denied(
    'denied-head',
    'a denied HEAD has no body in its answer',
    request('HEAD', '/vod/a', []),
    'RFC 9110 §9.3.2',
    401,
    { methods: ['HEAD'] },
  ),
  denied(
    'denied-head-with-body',
    'a denied HEAD with a body',
    request('HEAD', '/vod/a', [`Content-Length: ${inner.length}`], inner),
    unread,
    401,
    { ...closes, methods: ['HEAD'] },
  ),
  denied(
    'denied-bad-path-body',
    'a path without a canonical form, with a body',
    post([`Content-Length: ${inner.length}`], inner, '/open/../a'),
    unread,
    400,
    closes,
  ),

  row(
    'pipelined',
    'three requests at once: three answers in order',
    get('/open/1') + get('/open/2') + get('/open/3'),
    'RFC 9112 §9.3.2',
    {
      answers: [200, 200, 200],
      after: 'open',
      upstream: [{ line: 'GET /open/1' }, { line: 'GET /open/2' }, { line: 'GET /open/3' }],
    },
  ),
  row(
    'pipelined-denied-between',
    'a denied request between two good ones',
    get('/open/1') + get('/vod/2') + get('/open/3'),
    'RFC 9112 §9.3.2',
    { answers: [200, 401, 200], after: 'open', upstream: [{ line: 'GET /open/1' }, { line: 'GET /open/3' }] },
  ),
  row(
    'pipelined-other-token',
    'a token says nothing about the next request',
    get('/vod/1', bearer) + get('/vod/2'),
    'connection contamination',
    { answers: [200, 401], after: 'open', upstream: [{ line: 'GET /vod/1', identity: user }] },
  ),
  row(
    'pipelined-other-host',
    'a host says nothing about the next request',
    get('/host/1', 'Host: admin.example', bearer) + get('/host/2', bearer),
    'connection contamination',
    { answers: [200, 404], after: 'open', upstream: [{ line: 'GET /host/1', host: 'admin.example', identity: user }] },
  ),
  row(
    'pipelined-other-identity',
    'two users one behind the other',
    (make) =>
      get('/vod/1', `Authorization: Bearer ${make.token({ sub: 'anna' })}`) +
      get('/vod/2', `Authorization: Bearer ${make.token({ sub: 'bert' })}`),
    'connection contamination',
    {
      answers: [200, 200],
      after: 'open',
      upstream: [
        { line: 'GET /vod/1', identity: ['X-Forwarded-User: anna'] },
        { line: 'GET /vod/2', identity: ['X-Forwarded-User: bert'] },
      ],
    },
  ),
  row(
    'pipelined-bodies',
    'two uploads and a request',
    post(['Content-Length: 3'], 'abc') + post(['Transfer-Encoding: chunked'], chunkOf('de')) + inner,
    'RFC 9112 §9.3.2',
    {
      answers: [200, 200, 200],
      after: 'open',
      upstream: [
        { line: 'POST /open/a', fields: ['Content-Length: 3'], body: 'abc' },
        { line: 'POST /open/a', fields: ['Transfer-Encoding: chunked'], body: chunkOf('de') },
        { line: 'GET /open/inner' },
      ],
    },
  ),
  row(
    'pipelined-broken-last',
    'a broken request behind a good one',
    `${get('/open/1')}GET /open/2 HTTP/1.1\r\n\r\n`,
    'RFC 9112 §9.3.2',
    { answers: [200, 400], after: 'closed', upstream: [{ line: 'GET /open/1' }] },
  ),
  row(
    'pipelined-head-get',
    'GET behind HEAD: its answer is no body of HEAD’s',
    request('HEAD', '/open/1', []) + get('/open/2'),
    'RFC 9112 §6.3',
    {
      answers: [200, 200],
      methods: ['HEAD', 'GET'],
      after: 'open',
      upstream: [{ line: 'HEAD /open/1' }, /^GET \/open\/2 /],
    },
  ),
  row(
    'pipelined-hundred',
    'a hundred requests at once',
    Array.from({ length: 100 }, (_, index) => get(`/open/${index}`)).join(''),
    'RFC 9112 §9.3.2',
    {
      answers: Array.from({ length: 100 }, () => 200),
      after: 'open',
      upstream: Array.from({ length: 100 }, (_, index) => ({ line: `GET /open/${index}` })),
    },
  ),
  row(
    'pipelined-behind-close',
    'a request behind one that closes',
    get('/open/1', 'Connection: close') + inner,
    'RFC 9112 §9.6',
    { answers: [200], after: 'closed', upstream: [{ line: 'GET /open/1' }] },
  ),

  broken(
    'broken-behind-data',
    'a body that breaks after 100 KB',
    `${post(['Transfer-Encoding: chunked'], `186a0\r\n${'x'.repeat(100_000)}\r\n`)}zz\r\n`,
    'RFC 9112 §7.1',
    { answers: [[200, 400]] },
  ),
  passed('large-length', 'a body of 100 KB', post(['Content-Length: 100000'], 'x'.repeat(100_000)), 'RFC 9112 §6.3', {
    line: 'POST /open/a',
    fields: ['Content-Length: 100000'],
    body: 'x'.repeat(100_000),
  }),
  passed(
    'large-chunk',
    'a chunk of 100 KB',
    post(['Transfer-Encoding: chunked'], chunkOf('x'.repeat(100_000))),
    'RFC 9112 §7.1',
    { line: 'POST /open/a', fields: ['Transfer-Encoding: chunked'], body: chunkOf('x'.repeat(100_000)) },
  ),
  passed(
    'binary',
    'every byte in a body',
    post(['Content-Length: 256'], Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('')),
    'RFC 9110 §6.4',
    {
      line: 'POST /open/a',
      fields: ['Content-Length: 256'],
      body: Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join(''),
    },
  ),
];
