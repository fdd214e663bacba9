// Content-Length: one canonical number, once, and never beside a transfer coding.

import { family, get, post, type RequestRow, request } from '../row.ts';

const { refused, passed, row, broken } = family('content-length');

const rule = 'RFC 9110 §8.6, RFC 9112 §6.3';
const inner = get('/open/inner');

const malformed: readonly (readonly [id: string, what: string, value: string])[] = [
  ['list-equal', 'a list of two equal numbers', '3, 3'],
  ['list-different', 'a list of two numbers', '3, 40'],
  ['list-no-blank', 'a list without a blank', '3,3'],
  ['list-trailing-comma', 'a comma behind the number', '3,'],
  ['list-leading-comma', 'a comma before the number', ',3'],
  ['empty', 'nothing', ''],
  ['plus', 'a plus sign', '+3'],
  ['minus', 'a minus sign', '-3'],
  ['minus-zero', 'minus zero', '-0'],
  ['hex', 'a hexadecimal number', '0x3'],
  ['hex-letter', 'a hexadecimal digit', 'a'],
  ['octal', 'an octal number', '0o3'],
  ['leading-zero', 'a leading zero', '03'],
  ['zeros', 'two zeros', '00'],
  ['float', 'a float', '3.0'],
  ['exponent', 'an exponent', '3e0'],
  ['underscore', 'an underscore', '1_0'],
  ['blank-inside', 'a blank inside', '1 0'],
  ['tab-inside', 'a tab inside', '1\t0'],
  ['junk-behind', 'junk behind the number', '3x'],
  ['quoted', 'quotes', '"3"'],
  ['semicolon', 'a parameter', '3;q=1'],
  ['bytes', 'a unit', '3 bytes'],
  ['32-bit', 'a number beyond 2^53', '9007199254740993'],
  ['64-bit', '2^64 and three', '18446744073709551619'],
  ['64-bit-negative', 'a number that is -1 in 64 bits', '18446744073709551615'],
  ['hundred-digits', 'a hundred digits', '1'.repeat(100)],
  ['no-break-space', 'a no-break space before the number', '\xa03'],
  ['superscript', 'a superscript three of latin1', '\xb3'],
  ['chunked', 'the word chunked', 'chunked'],
];

export const contentLengthRows: readonly RequestRow[] = [
  ...malformed.map(([id, what, value]) =>
    refused(id, `Content-Length of ${what}`, post([`Content-Length: ${value}`], 'abc'), rule),
  ),
  refused(
    'twice-equal',
    'two equal fields',
    post(['Content-Length: 3', 'Content-Length: 3'], 'abc'),
    `${rule}, undici CVE-2026-1525`,
  ),
  refused('twice-different', 'two different fields', post(['Content-Length: 3', 'Content-Length: 40'], 'abc'), rule),
  refused(
    'twice-other-case',
    'two fields in other letters',
    post(['Content-Length: 3', 'content-length: 4'], 'abc'),
    rule,
  ),
  refused(
    'twice-zero',
    'zero and the body’s length',
    post(['Content-Length: 0', `Content-Length: ${inner.length}`], inner),
    rule,
  ),
  refused(
    'twice-empty',
    'an empty field and a number',
    post(['Content-Length:', 'Content-Length: 3'], 'abc'),
    'HAProxy CVE-2023-40225',
  ),
  refused(
    'twice-on-get',
    'two equal fields on GET',
    request('GET', '/open/a', ['Content-Length: 0', 'Content-Length: 0']),
    rule,
  ),
  refused('blank-before-colon', 'a blank before the colon', post(['Content-Length : 3'], 'abc'), 'RFC 9112 §5.1'),
  refused('tab-before-colon', 'a tab before the colon', post(['Content-Length\t: 3'], 'abc'), 'RFC 9112 §5.1'),
  refused('nul-before-colon', 'a NUL before the colon', post(['Content-Length\0: 3'], 'abc'), 'RFC 9112 §5.1'),
  refused('folded', 'a number in a folded line', post(['Content-Length:\r\n 3'], 'abc'), 'RFC 9112 §5.2'),
  refused(
    'folded-behind',
    'digits that go on in a folded line',
    post(['Content-Length: 3\r\n 0'], 'abc'),
    'RFC 9112 §5.2',
  ),
  ...(
    [
      ['underscored', 'a look-alike with an underscore', 'Content_Length: 30'],
      ['dotted', 'a look-alike with a dot', 'Content.Length: 30'],
    ] as const
  ).map(([id, what, line]) =>
    passed(id, what, post([line, 'Content-Length: 3'], 'abc'), 'oauth2-proxy CVE-2025-64484', {
      line: 'POST /open/a',
      fields: ['Content-Length: 3'],
      body: 'abc',
    }),
  ),
  refused('cr-before-name', 'a CR before the name', post(['X: y\r\rContent-Length: 3'], 'abc'), 'RFC 9112 §2.2'),
  refused('lf-before-name', 'a bare LF before the name', post(['X: y\nContent-Length: 3'], 'abc'), 'RFC 9112 §2.2'),

  passed('zero', 'zero', post(['Content-Length: 0'], ''), rule, {
    line: 'POST /open/a',
    fields: ['Content-Length: 0'],
  }),
  passed('blanks-around', 'blanks and tabs around the number', post(['Content-Length: \t 3 \t'], 'abc'), rule, {
    line: 'POST /open/a',
    fields: ['Content-Length: 3'],
    body: 'abc',
  }),
  passed('no-blank', 'no blank before the number', post(['content-length:3'], 'abc'), rule, {
    line: 'POST /open/a',
    fields: ['content-length: 3'],
    body: 'abc',
  }),
  passed('capitals', 'the name in capitals', post(['CONTENT-LENGTH: 3'], 'abc'), rule, {
    line: 'POST /open/a',
    fields: ['CONTENT-LENGTH: 3'],
    body: 'abc',
  }),
  row(
    'absent-on-post',
    'a POST without length has no body: what follows is a request',
    post([], inner),
    'RFC 9112 §6.3',
    { answers: [200, 200], after: 'open', upstream: [{ line: 'POST /open/a' }, { line: 'GET /open/inner' }] },
  ),
  passed(
    'request-as-body',
    'a body that is a request stays a body',
    request('GET', '/open/a', [`Content-Length: ${inner.length}`], inner),
    'Pingora CVE-2025-4366',
    { line: 'GET /open/a', fields: [`Content-Length: ${inner.length}`], body: inner },
  ),
  passed(
    'request-as-delete-body',
    'DELETE with a body that is a request',
    request('DELETE', '/open/a', [`Content-Length: ${inner.length}`], inner),
    'Pingora CVE-2025-4366',
    { line: 'DELETE /open/a', fields: [`Content-Length: ${inner.length}`], body: inner },
  ),
  row(
    'head-with-body',
    'HEAD with a body that is a request',
    request('HEAD', '/open/a', [`Content-Length: ${inner.length}`], inner),
    'RFC 9110 §9.3.2',
    {
      answers: [200],
      methods: ['HEAD'],
      after: 'open',
      upstream: [{ line: 'HEAD /open/a', fields: [`Content-Length: ${inner.length}`], body: inner }],
    },
  ),
  row(
    'shorter-than-body',
    'a body longer than it says: the rest is the next request',
    post(['Content-Length: 3'], `abc${inner}`),
    rule,
    {
      answers: [200, 200],
      after: 'open',
      upstream: [{ line: 'POST /open/a', fields: ['Content-Length: 3'], body: 'abc' }, { line: 'GET /open/inner' }],
    },
  ),
  row('junk-behind-body', 'junk behind the body is no request', post(['Content-Length: 3'], 'abc\0\0\0'), rule, {
    answers: [200, 400],
    after: 'closed',
    upstream: [{ line: 'POST /open/a', fields: ['Content-Length: 3'], body: 'abc' }],
  }),
  broken('longer-than-body', 'a body that never comes', post(['Content-Length: 2000'], 'abc'), 'slow bodies', {
    answers: [408],
    gateway: 'hasty',
  }),
];
