// Faults of the connection: refused, silent, reset, ended and dripping, phase by phase.
// Before the first byte of an answer: 502 or 504; inside its head: the same; inside its body: cut off.

import { chunkedHead, endlessHead, type Fault, head, methods, mine } from './fault.ts';

const halfHead = 'HTTP/1.1 200 OK\r\nX-Id: $ID\r\nContent-Le';

const refusals: readonly Fault[] = [
  { name: 'refused', at: 'connect', outcome: 502, staysDown: true, freshnesses: ['fresh'] },
  { name: 'a black hole', at: 'connect', isBlackHole: true, outcome: 504, staysDown: true, freshnesses: ['fresh'] },
  ...methods.map(
    (method): Fault => ({
      name: `refused after a good exchange, ${method}`,
      at: 'connect',
      outcome: 502,
      staysDown: true,
      methods: [method],
      freshnesses: ['reused'],
    }),
  ),
];

/** The same at each phase, by reset and by FIN. */
const endings: readonly Fault[] = (['reset', 'fin'] as const).flatMap((ends): Fault[] => [
  { name: `${ends} on accept`, at: 'accept', ends, outcome: 502 },
  { name: `${ends} inside the request's head`, at: 'bytes', ends, outcome: 502 },
  { name: `${ends} after the request's head`, at: 'head', ends, outcome: 502 },
  { name: `${ends} inside the request's body`, at: 'body', ends, outcome: 502 },
  { name: `${ends} before the first byte`, at: 'request', ends, outcome: 502 },
  { name: `${ends} inside the answer's head`, at: 'request', says: halfHead, ends, outcome: 502 },
  { name: `${ends} inside a body with a length`, at: 'request', says: `${head(10)}mine`, ends, outcome: 'cut' },
  { name: `${ends} inside a chunk`, at: 'request', says: `${chunkedHead}a\r\nmine`, ends, outcome: 'cut' },
  { name: `${ends} between chunks`, at: 'request', says: `${chunkedHead}4\r\nmine\r\n`, ends, outcome: 'cut' },
  {
    name: `${ends} before the last CRLF`,
    at: 'request',
    says: `${chunkedHead}4\r\nmine\r\n0\r\n`,
    ends,
    outcome: 'cut',
  },
  {
    name: `${ends} behind an interim answer`,
    at: 'request',
    says: 'HTTP/1.1 100 Continue\r\n\r\n',
    ends,
    outcome: 502,
  },
]);

const silences: readonly Fault[] = [
  { name: 'silence after accept', at: 'accept', play: ({ socket }) => socket.pause(), outcome: 504 },
  { name: 'silence after the request', at: 'request', outcome: 504 },
  { name: "silence inside the answer's head", at: 'request', says: halfHead, outcome: 504 },
  { name: 'silence behind an interim answer', at: 'request', says: 'HTTP/1.1 100 Continue\r\n\r\n', outcome: 504 },
  { name: 'silence inside a body with a length', at: 'request', says: `${head(10)}mine`, outcome: 'cut' },
  { name: 'silence inside a chunk', at: 'request', says: `${chunkedHead}a\r\nmine`, outcome: 'cut' },
  { name: 'silence inside a body until the end', at: 'request', says: `${endlessHead}mine`, outcome: 'cut' },
];

const drips: readonly Fault[] = [
  { name: 'a dripping head', at: 'request', play: (stage) => stage.drip(mine, 0), outcome: 'ok', keeps: true },
  {
    name: 'a head that drips for ever',
    at: 'request',
    play: (stage) => stage.drip(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(10_000)}`, 40),
    outcome: 504,
  },
  {
    name: 'a dripping body',
    at: 'request',
    play: (stage) => {
      stage.write(head(20));
      stage.drip('mine'.repeat(5), 10);
    },
    content: 'mine'.repeat(5),
    outcome: 'ok',
    keeps: true,
  },
  {
    name: 'dripping chunks',
    at: 'request',
    play: (stage) => {
      stage.write(chunkedHead);
      stage.drip('2\r\nmi\r\n2\r\nne\r\n0\r\n\r\n', 10);
    },
    outcome: 'ok',
    keeps: true,
  },
  {
    name: 'a drip that stops',
    at: 'request',
    play: (stage) => {
      stage.write(head(20));
      stage.drip('mine', 10);
    },
    outcome: 'cut',
  },
];

export const connectionFaults: readonly Fault[] = [...refusals, ...endings, ...silences, ...drips];
