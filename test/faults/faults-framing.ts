// Faults of grammar and framing: what is no HTTP, heads that no strict parser takes, lengths and chunks that do not hold.
// A broken head is a 502 and nothing of it reaches the client; a body that breaks later is cut off.
// Rules: RFC 9112 §2.2, §4, §5, §6.3, §7.1; RFC 9110 §15.2.

import { chunkedHead, type Fault, head } from './fault.ts';

const ok = 'HTTP/1.1 200 OK\r\n';
const empty = 'Content-Length: 0\r\n\r\n';

/** Name and what comes instead of a good answer; all of them 502. */
const noAnswers: readonly (readonly [name: string, says: string])[] = [
  ['junk instead of a status line', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['junk without a line end', 'x'.repeat(40_000)],
  ['an empty line first', `\r\n${ok}${empty}`],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'],
  ['settings of HTTP/2', '\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x04\x00\x10\x00\x00'],
  ['an alert of TLS', '\x15\x03\x01\x00\x02\x02\x16'],
  ['a request instead of an answer', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a version of HTTP that nobody speaks', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['a lower-case version', `http/1.1 200 OK\r\n${empty}`],
  ['a status of two digits', `HTTP/1.1 20 OK\r\n${empty}`],
  ['a status of four digits', `HTTP/1.1 2000 OK\r\n${empty}`],
  ['a status of 99', `HTTP/1.1 099 OK\r\n${empty}`],
  ['a status of 999', `HTTP/1.1 999 OK\r\n${empty}`],
  ['both framings', `${ok}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['two equal lengths', `${ok}Content-Length: 4\r\nContent-Length: 4\r\n\r\nmine`],
  ['two lengths that differ', `${ok}Content-Length: 4\r\nContent-Length: 3\r\n\r\nmine`],
  ['a list of lengths', `${ok}Content-Length: 4, 4\r\n\r\nmine`],
  ['a length with a sign', `${ok}Content-Length: +4\r\n\r\nmine`],
  ['a negative length', `${ok}Content-Length: -4\r\n\r\nmine`],
  ['a hexadecimal length', `${ok}Content-Length: 0x4\r\n\r\nmine`],
  ['an empty length', `${ok}Content-Length: \r\n\r\nmine`],
  ['a length that overflows', `${ok}Content-Length: 99999999999999999999\r\n\r\nmine`],
  ['a coding before chunked', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['a coding that is not chunked', `${ok}Transfer-Encoding: identity\r\n\r\nmine`],
  ['two codings of chunked', `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks on a 204', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a length on a 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nmine'],
  ['a head of 40 KB', `${ok}X: ${'x'.repeat(40_000)}\r\n\r\n`],
  ['101 fields', `${ok}${'X: y\r\n'.repeat(101)}\r\n`],
  ['a NUL in a field', `${ok}X: a\0b\r\n${empty}`],
  ['a control character in a field', `${ok}X: a\x01b\r\n${empty}`],
  ['a bare LF for a line end', `${ok}X: a\n${empty}`],
  ['a bare CR in a field', `${ok}X: a\rb\r\n${empty}`],
  ['a folded line', `${ok}X: a\r\n b\r\n${empty}`],
  ['a space before the colon of a framing field', `${ok}Transfer-Encoding : chunked\r\n${empty}`],
  ['a field without a name', `${ok}: a\r\n${empty}`],
  ['a line without a colon', `${ok}X\r\n${empty}`],
  ['a storm of 100', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)],
  ['a storm of 103', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(100)],
  ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
  ['a 103 with junk in it', `HTTP/1.1 103 Early Hints\r\nno field\r\n\r\n${ok}${empty}`],
  ['a 103 with a body', `HTTP/1.1 103 Early Hints\r\nContent-Length: 4\r\n\r\nmine${ok}${empty}`],
];

/** Name and what comes behind the head of a chunked answer; all of them cut off. */
const noChunks: readonly (readonly [name: string, body: string])[] = [
  ['a chunk size that is no number', '4\r\nmine\r\nzz\r\n'],
  ['a chunk size with a sign', '4\r\nmine\r\n+4\r\nmine\r\n0\r\n\r\n'],
  ['a chunk size that overflows', '4\r\nmine\r\nfffffffffffffffff\r\n'],
  ['an empty chunk size', '4\r\nmine\r\n\r\n'],
  ['a chunk without its CRLF', '4\r\nmine4\r\nmine\r\n0\r\n\r\n'],
  ['a chunk that is longer than its size', '2\r\nmine\r\n0\r\n\r\n'],
  ['a bare LF behind a chunk size', '4\nmine\r\n0\r\n\r\n'],
  ['a chunk extension of 64 KB', `4;x=${'y'.repeat(65_536)}\r\nmine\r\n0\r\n\r\n`],
  ['a chunk extension with a control character', '4;x=\x01\r\nmine\r\n0\r\n\r\n'],
  ['trailers of 64 KB', `4\r\nmine\r\n0\r\nX: ${'y'.repeat(65_536)}\r\n\r\n`],
  ['a trailer that is no field', '4\r\nmine\r\n0\r\nno field\r\n\r\n'],
];

export const framingFaults: readonly Fault[] = [
  ...noAnswers.map(([name, says]): Fault => ({ name, at: 'request', says, outcome: 502 })),
  ...noChunks.map(([name, body]): Fault => ({ name, at: 'request', says: chunkedHead + body, outcome: 'cut' })),
  {
    name: 'an answer as of HTTP/0.9',
    at: 'request',
    says: '<html>mine</html>\r\n',
    ends: 'fin',
    outcome: 502,
  },
  { name: 'a body shorter than its length', at: 'request', says: `${head(100)}mine`, ends: 'fin', outcome: 'cut' },
  { name: 'a body longer than its length', at: 'request', says: `${head(4)}mine and more`, outcome: 'ok' },
  {
    name: 'junk behind the last chunk',
    at: 'request',
    says: `${chunkedHead}4\r\nmine\r\n0\r\n\r\njunk`,
    outcome: 'ok',
  },
];
