// Chunked bodies: sizes, line ends, extensions, trailers, and what stands behind the last chunk.
// A body is streamed, so a chunk that breaks shows late: then no upstream may ever see the request complete.

import { chunked, family, get, type RequestRow } from '../row.ts';

const { broken, passed, row } = family('chunks');

const rule = 'RFC 9112 §7.1';
const end = '0\r\n\r\n';
const seen = { line: 'POST /open/a', fields: ['Transfer-Encoding: chunked'] };
const inner = get('/open/inner');

const bodies: readonly (readonly [id: string, what: string, body: string, reference: string])[] = [
  ['size-blank-before', 'a blank before the size', ` 3\r\nabc\r\n${end}`, rule],
  ['size-tab-before', 'a tab before the size', `\t3\r\nabc\r\n${end}`, rule],
  ['size-blank-behind', 'a blank behind the size', `3 \r\nabc\r\n${end}`, rule],
  ['size-tab-behind', 'a tab behind the size', `3\t\r\nabc\r\n${end}`, rule],
  ['size-plus', 'a size with a plus sign', `+3\r\nabc\r\n${end}`, rule],
  ['size-minus', 'a negative size', `-3\r\nabc\r\n${end}`, rule],
  ['size-0x', 'a size with 0x', `0x3\r\nabc\r\n${end}`, 'Tomcat CVE-2026-24880'],
  ['size-h', 'a size with an h', `3h\r\nabc\r\n${end}`, rule],
  ['size-underscore', 'a size with an underscore', `0_3\r\nabc\r\n${end}`, rule],
  ['size-dot', 'a size with a fraction', `3.0\r\nabc\r\n${end}`, rule],
  ['size-comma', 'a size with a comma', `3,\r\nabc\r\n${end}`, rule],
  ['size-quoted', 'a size in quotes', `"3"\r\nabc\r\n${end}`, rule],
  ['size-letter', 'a size that is no number', `g\r\nabc\r\n${end}`, rule],
  ['size-empty', 'an empty size', `\r\nabc\r\n${end}`, rule],
  ['size-only-extension', 'an extension without a size', `;a=b\r\nabc\r\n${end}`, rule],
  ['size-nul', 'a NUL behind the size', `3\0\r\nabc\r\n${end}`, rule],
  ['size-32-bit', 'a size of 2^32 and three, in more digits than it takes', `00000000100000003\r\nabc\r\n${end}`, rule],
  ['size-64-bit', 'a size of 2^64 and three', `10000000000000003\r\nabc\r\n${end}`, rule],
  ['size-64-bit-max', 'a size of 2^64 less one', `ffffffffffffffff\r\nabc\r\n${end}`, rule],
  ['size-many-digits', 'a size of a thousand zeros', `${'0'.repeat(1000)}3\r\nabc\r\n${end}`, rule],
  ['size-full-width', 'a full-width digit', `\xef\xbc\x93\r\nabc\r\n${end}`, rule],
  ['size-lf', 'a bare LF behind the size', `3\nabc\r\n${end}`, 'Go CVE-2025-22871'],
  ['size-cr', 'a bare CR behind the size', `3\rabc\r\n${end}`, rule],
  ['size-cr-cr-lf', 'two CR behind the size', `3\r\r\nabc\r\n${end}`, rule],
  ['size-lf-cr', 'LF and CR swapped', `3\n\rabc\r\n${end}`, rule],
  ['data-lf', 'a bare LF behind the data', `3\r\nabc\n${end}`, rule],
  ['data-cr', 'a bare CR behind the data', `3\r\nabc\r${end}`, rule],
  ['data-no-end', 'no line end behind the data', `3\r\nabc${end}`, rule],
  ['data-two-bytes', 'two other bytes for the line end', `3\r\nabcXX${end}`, 'skipped terminators (TERM.EXT)'],
  ['data-longer', 'data longer than its size', `3\r\nabcd\r\n${end}`, rule],
  ['data-shorter', 'data shorter than its size', `5\r\nabc\r\n${end}`, rule],
  ['data-empty-line', 'an empty line behind the data', `3\r\nabc\r\n\r\n${end}`, rule],
  ['extension-lf', 'a bare LF inside an extension', `3;a\nabc\r\n${end}`, 'Go CVE-2025-22871'],
  ['extension-cr', 'a bare CR inside an extension', `3;a\rb\r\nabc\r\n${end}`, rule],
  ['extension-nul', 'a NUL inside an extension', `3;a\0b\r\nabc\r\n${end}`, rule],
  ['extension-no-name', 'an extension without a name', `3;\r\nabc\r\n${end}`, rule],
  ['extension-no-value', 'an extension without the value it announces', `3;a=\r\nabc\r\n${end}`, rule],
  ['extension-blank', 'blanks in an extension', `3; a=b\r\nabc\r\n${end}`, rule],
  ['extension-blank-before', 'a blank before the semicolon', `3 ;a=b\r\nabc\r\n${end}`, rule],
  ['extension-two-equals', 'two equals signs', `3;a=b=c\r\nabc\r\n${end}`, rule],
  ['extension-open-quote', 'a quote that never closes', `3;a="b\r\nabc\r\n${end}`, 'quoted line ends'],
  ['extension-quoted-lf', 'a LF inside quotes', `3;a="\n"\r\nabc\r\n${end}`, 'quoted line ends'],
  ['extension-quoted-crlf', 'a CRLF inside quotes', `3;a="\r\nabc\r\n${end}"\r\nabc\r\n${end}`, 'quoted line ends'],
  ['extension-quoted-pair', 'a CR as a quoted pair', `3;a="\\\r\n"\r\nabc\r\n${end}`, 'quoted line ends'],
  ['extension-high-byte', 'a byte from 0x80 on in an extension’s name', `3;\xe4\r\nabc\r\n${end}`, rule],
  ['extension-64k', 'extensions of 64 KiB', `3;${'a'.repeat(65536)}\r\nabc\r\n${end}`, 'Node CVE-2024-22019'],
  [
    'extension-many',
    'an extension on each of 10,000 chunks',
    `${'1;aaaa\r\nx\r\n'.repeat(10_000)}${end}`,
    'Node CVE-2024-22019',
  ],
  ['trailer-no-colon', 'a trailer without a colon', `0\r\nTrailer\r\n\r\n`, 'RFC 9112 §7.1.2'],
  ['trailer-folded', 'a folded trailer', `0\r\nA: b\r\n c\r\n\r\n`, 'RFC 9112 §5.2'],
  ['trailer-lf', 'a bare LF behind a trailer', `0\r\nA: b\n\r\n`, 'RFC 9112 §2.2'],
  ['trailer-blank-name', 'a blank before a trailer’s colon', `0\r\nA : b\r\n\r\n`, 'RFC 9112 §5.1'],
  ['trailer-nul', 'a NUL in a trailer', `0\r\nA: \0\r\n\r\n`, 'RFC 9110 §5.5'],
  ['trailer-64k', 'trailers of 64 KiB', `0\r\n${`A: ${'b'.repeat(1000)}\r\n`.repeat(66)}\r\n`, 'unbounded trailers'],
  ['end-lf', 'a bare LF for the last empty line', '0\r\n\n', 'RFC 9112 §2.2'],
  ['end-cr', 'a bare CR for the last empty line', '0\r\n\rX', 'RFC 9112 §2.2'],
  ['end-missing', 'a request where the last empty line belongs', `0\r\n${inner}`, rule],
  ['request-as-size', 'a request where a size belongs', `3\r\nabc\r\n${inner}`, rule],
];

export const chunkRows: readonly RequestRow[] = [
  ...bodies
    // what is read as a trailer until the next empty line is dropped, and the request is complete: a row of its own below
    .filter(([id]) => id !== 'end-missing')
    .map(([id, what, body, reference]) => broken(id, what, chunked(body), reference)),
  broken('end-missing', 'a request where the last empty line belongs', chunked(`0\r\n${inner}`), rule),

  passed('size-capitals', 'a size in capitals', chunked(`A\r\n0123456789\r\n${end}`), rule, {
    ...seen,
    body: `A\r\n0123456789\r\n${end}`,
  }),
  passed('size-zeros', 'leading zeros of a size go', chunked(`0003\r\nabc\r\n000\r\n\r\n`), rule, {
    ...seen,
    body: `3\r\nabc\r\n${end}`,
  }),
  passed('extension', 'a legal extension ends here', chunked(`3;a=b;c="d;\\"e";f\r\nabc\r\n0;g\r\n\r\n`), rule, {
    ...seen,
    body: `3\r\nabc\r\n${end}`,
  }),
  passed('trailer', 'a trailer ends here', chunked(`3\r\nabc\r\n0\r\nX-Checksum: 1\r\n\r\n`), 'RFC 9110 §6.5.1', {
    ...seen,
    body: `3\r\nabc\r\n${end}`,
  }),
  passed(
    'trailer-framing',
    'a trailer that frames',
    chunked(`0\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n`),
    'RFC 9110 §6.5.1',
    { ...seen, body: end },
  ),
  passed(
    'trailer-identity',
    'a trailer that says who asks',
    chunked(`0\r\nX-Forwarded-User: root\r\nAuthorization: Bearer x\r\n\r\n`),
    'RFC 9110 §6.5.1',
    { ...seen, body: end },
  ),
  passed(
    'trailer-host',
    'a trailer that routes',
    chunked(`0\r\nHost: admin.example\r\nConnection: close\r\n\r\n`),
    'RFC 9110 §6.5.1',
    { ...seen, body: end },
  ),
  passed(
    'request-as-data',
    'a request as a chunk stays data',
    chunked(`${inner.length.toString(16)}\r\n${inner}\r\n${end}`),
    'Pingora CVE-2025-4366',
    { ...seen, body: `${inner.length.toString(16)}\r\n${inner}\r\n${end}` },
  ),
  passed('crlf-as-data', 'line ends and sizes as data', chunked(`7\r\n\r\n0\r\n\r\n\r\n${end}`), rule, {
    ...seen,
    body: `7\r\n\r\n0\r\n\r\n\r\n${end}`,
  }),
  passed('single-bytes', 'a hundred chunks of one byte', chunked(`${'1\r\nx\r\n'.repeat(100)}${end}`), rule, {
    ...seen,
    body: `${'1\r\nx\r\n'.repeat(100)}${end}`,
  }),
  row('request-behind-end', 'a request behind the last chunk is the next one', chunked(end) + inner, rule, {
    answers: [200, 200],
    after: 'open',
    upstream: [{ ...seen, body: end }, { line: 'GET /open/inner' }],
  }),
  row('junk-behind-end', 'junk behind the last chunk is no request', `${chunked(end)}\0junk`, rule, {
    answers: [200, 400],
    after: 'closed',
    upstream: [{ ...seen, body: end }],
  }),
  row('data-behind-end', 'another chunk behind the last one', `${chunked(end)}3\r\nabc\r\n${end}`, rule, {
    answers: [200, 400],
    after: 'closed',
    upstream: [{ ...seen, body: end }],
  }),
  broken('size-never-ends', 'a size line that never ends', chunked('3'), 'slow bodies', {
    answers: [408],
    gateway: 'hasty',
    hasTail: false,
  }),
  broken('end-never-comes', 'a last chunk that never comes', chunked('3\r\nabc\r\n'), 'slow bodies', {
    answers: [408],
    gateway: 'hasty',
    hasTail: false,
  }),
];
