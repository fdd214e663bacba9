// Faults of manners: answers too early, twice or to nobody, connections that end or stay against what was said, bodies that
// should not be, and uploads that nobody reads. Where the answer itself is sound the client gets it whole.
// Rules: RFC 9112 §9.3, §9.5, §9.6; RFC 9110 §6.4.1, §14.2.

import { chunkedHead, endlessHead, type Fault, head, mine, poison } from './fault.ts';

const tooLarge = `${head(2, '', '413 Content Too Large')}no`;
const tooLargeAndClose = `${head(2, 'Connection: close\r\n', '413 Content Too Large')}no`;
const megabyte = 1024 * 1024;

const early: readonly Fault[] = [
  { name: 'an early 413, then FIN', at: 'head', says: tooLargeAndClose, ends: 'fin', outcome: 413 },
  { name: 'an early 413, and the connection stays', at: 'head', says: tooLarge, outcome: 413, keeps: true },
  { name: 'an early 413 inside the body', at: 'body', says: tooLarge, outcome: 413, keeps: true },
  { name: 'an early 200, then FIN', at: 'head', says: mine, ends: 'fin', outcome: 'ok' },
  { name: 'an early 200, and the connection stays', at: 'head', says: mine, outcome: 'ok', keeps: true },
  { name: 'an early 200 until the end', at: 'head', says: `${endlessHead}mine`, ends: 'fin', outcome: 'ok' },
  {
    name: 'an early 200 in chunks',
    at: 'head',
    says: `${chunkedHead}4\r\nmine\r\n0\r\n\r\n`,
    outcome: 'ok',
    keeps: true,
  },
  {
    name: 'half an early answer, then a reset',
    at: 'head',
    says: `${head(10, '', '413 Content Too Large')}no`,
    ends: 'reset',
    outcome: 'cut',
  },
];

const extra: readonly Fault[] = [
  { name: 'two answers at once', at: 'request', says: mine + poison, outcome: 'ok' },
  { name: 'three answers at once', at: 'request', says: mine + poison + poison, outcome: 'ok' },
  {
    name: 'an answer, and a second one a moment later',
    at: 'request',
    play: (stage) => {
      stage.write(mine);
      stage.soon(() => stage.write(poison));
    },
    isLate: true,
    outcome: 'ok',
  },
  {
    name: 'an answer, and a single byte behind it',
    at: 'request',
    play: (stage) => {
      stage.write(mine);
      stage.soon(() => stage.write('\n'));
    },
    isLate: true,
    outcome: 'ok',
  },
  { name: 'a 304 with a body', at: 'request', says: `${head(4, '', '304 Not Modified')}mine`, outcome: 304 },
  { name: 'a 204 with a body', at: 'request', says: 'HTTP/1.1 204 No Content\r\n\r\nmine', outcome: 204 },
  { name: 'a body on the answer to HEAD', at: 'request', says: mine, methods: ['HEAD'], content: '', outcome: 'ok' },
  {
    name: 'chunks on the answer to HEAD',
    at: 'request',
    says: `${chunkedHead}4\r\nmine\r\n0\r\n\r\n`,
    methods: ['HEAD'],
    content: '',
    outcome: 'ok',
  },
];

const keepAlive: readonly Fault[] = [
  { name: 'FIN at reuse', at: 'head', ends: 'fin', isOnce: true, outcome: 502, sentAgain: 'ok', keeps: true },
  { name: 'a reset at reuse', at: 'head', ends: 'reset', isOnce: true, outcome: 502, sentAgain: 'ok', keeps: true },
  {
    name: 'a connection that closes, said',
    at: 'request',
    says: `${head(4, 'Connection: close\r\n')}mine`,
    ends: 'fin',
    outcome: 'ok',
  },
  {
    name: 'a connection that stays though it said close',
    at: 'request',
    says: `${head(4, 'Connection: close\r\n')}mine`,
    outcome: 'ok',
  },
  { name: 'a connection that closes, not said', at: 'request', says: mine, ends: 'fin', outcome: 'ok' },
  { name: 'a connection that is reset behind its answer', at: 'request', says: mine, ends: 'reset', outcome: 'ok' },
  { name: 'a second to live', at: 'request', says: `${head(4, 'Keep-Alive: timeout=1\r\n')}mine`, outcome: 'ok' },
  { name: 'no second to live', at: 'request', says: `${head(4, 'Keep-Alive: timeout=0\r\n')}mine`, outcome: 'ok' },
  { name: 'an answer of HTTP/1.0', at: 'request', says: mine.replace('1.1', '1.0'), outcome: 'ok' },
  { name: 'a body until the end', at: 'request', says: `${endlessHead}mine`, ends: 'fin', outcome: 'ok' },
  { name: 'a body until the reset', at: 'request', says: `${endlessHead}mine`, ends: 'reset', outcome: 'cut' },
];

const passed: readonly Fault[] = [
  {
    name: 'a 206 for another range',
    at: 'request',
    says: `${head(4, 'Content-Range: bytes 7-10/11\r\n', '206 Partial Content')}mine`,
    outcome: 'ok',
    keeps: true,
  },
  {
    name: 'a 206 without its Content-Range',
    at: 'request',
    says: `${head(4, '', '206 Partial Content')}mine`,
    outcome: 'ok',
    keeps: true,
  },
  {
    name: 'gzip that is none',
    at: 'request',
    says: `${head(8, 'Content-Encoding: gzip\r\n')}\x1f\x8bno\0gz\xff`,
    content: '\x1f\x8bno\0gz\xff',
    outcome: 'ok',
    keeps: true,
  },
  {
    name: 'trailers',
    at: 'request',
    says: `${chunkedHead}4\r\nmine\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n`,
    outcome: 'ok',
    keeps: true,
  },
  {
    name: 'interim answers, and then the answer',
    at: 'request',
    says: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${mine}`,
    outcome: 'ok',
    keeps: true,
  },
  {
    name: 'a body without an end',
    at: 'request',
    play: (stage) => {
      stage.write(endlessHead);
      stage.flood();
    },
    leavesAfter: 200_000,
    outcome: 'left',
  },
  {
    name: 'a body without an end, in chunks',
    at: 'request',
    play: (stage) => {
      stage.write(`${chunkedHead}fffffffffff\r\n`);
      stage.flood();
    },
    leavesAfter: 200_000,
    outcome: 'left',
  },
];

const uploads: readonly Fault[] = [
  {
    name: 'an upload that is read slowly',
    at: 'head',
    bodyBytes: 12 * megabyte,
    play: (stage) => stage.readSlowly(megabyte, 10, () => stage.write(mine)),
    methods: ['POST', 'PUT'],
    outcome: 'ok',
    keeps: true,
  },
  {
    name: 'an upload that is never read',
    at: 'head',
    bodyBytes: 16 * megabyte,
    play: ({ socket }) => socket.pause(),
    methods: ['POST', 'PUT'],
    outcome: 504,
  },
  {
    name: 'an upload that is answered and never read',
    at: 'head',
    bodyBytes: 16 * megabyte,
    play: (stage) => {
      stage.socket.pause();
      stage.write(tooLarge);
    },
    methods: ['POST', 'PUT'],
    outcome: 413,
  },
];

export const mannersFaults: readonly Fault[] = [...early, ...extra, ...keepAlive, ...passed, ...uploads];
