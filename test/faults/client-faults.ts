// The phases in which a client leaves: how much it has sent by then, and how far the answer was. Data only; see client.test.ts.
// In every phase, the upstream's request ends when its client leaves.

import { chunkedHead, endlessHead, type Fault, head } from './fault.ts';

/** One phase in which a client leaves. */
export interface ClientFault {
  readonly name: string;
  /** `$PATH` is the request's target. */
  readonly sends: string;
  /** What the upstream has done by then. */
  readonly upstream: Pick<Fault, 'at' | 'says' | 'play'>;
  /**
   * When the client leaves: at once, when the upstream has done its part, when bytes of the answer came, or when the
   * upstream cannot write on because this client reads nothing.
   */
  readonly leaves: 'at once' | 'when played' | 'when answered' | 'when stalled';
  /** Whether the upstream ever gets the request. */
  readonly isSeen: boolean;
}

const get = 'GET $PATH HTTP/1.1\r\nHost: a\r\n';
const post = 'POST $PATH HTTP/1.1\r\nHost: a\r\n';
const silent = { at: 'head' } as const;

const inRequest: readonly ClientFault[] = [
  { name: 'before a request', sends: '', upstream: silent, leaves: 'at once', isSeen: false },
  { name: 'inside the request line', sends: 'GET /', upstream: silent, leaves: 'at once', isSeen: false },
  { name: 'inside a field', sends: `${get}X: y`, upstream: silent, leaves: 'at once', isSeen: false },
  { name: 'before the last empty line', sends: get, upstream: silent, leaves: 'at once', isSeen: false },
  {
    name: 'between head and body',
    sends: `${post}Content-Length: 10\r\n\r\n`,
    upstream: silent,
    leaves: 'when played',
    isSeen: true,
  },
  {
    name: 'between head and body, invited',
    sends: `${post}Content-Length: 10\r\nExpect: 100-continue\r\n\r\n`,
    upstream: silent,
    leaves: 'when played',
    isSeen: true,
  },
  {
    name: 'inside a body with a length',
    sends: `${post}Content-Length: 10\r\n\r\n12345`,
    upstream: { at: 'body' },
    leaves: 'when played',
    isSeen: true,
  },
  {
    name: 'inside a chunk',
    sends: `${post}Transfer-Encoding: chunked\r\n\r\na\r\n12345`,
    upstream: { at: 'body' },
    leaves: 'when played',
    isSeen: true,
  },
  {
    name: 'between chunks',
    sends: `${post}Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n`,
    upstream: { at: 'body' },
    leaves: 'when played',
    isSeen: true,
  },
  {
    name: 'before the last chunk is whole',
    sends: `${post}Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n`,
    upstream: { at: 'body' },
    leaves: 'when played',
    isSeen: true,
  },
  {
    name: 'inside a body that nobody takes',
    sends: `${post}Content-Length: 100000000\r\n\r\n${'x'.repeat(100_000)}`,
    upstream: { at: 'head', play: ({ socket }) => socket.pause() },
    leaves: 'when played',
    isSeen: true,
  },
];

const whileWaiting: readonly ClientFault[] = [
  { name: 'while a GET waits', sends: `${get}\r\n`, upstream: silent, leaves: 'when played', isSeen: true },
  {
    name: 'while a POST waits',
    sends: `${post}Content-Length: 5\r\n\r\n12345`,
    upstream: { at: 'request' },
    leaves: 'when played',
    isSeen: true,
  },
  {
    name: 'while a chunked POST waits',
    sends: `${post}Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n`,
    upstream: { at: 'request' },
    leaves: 'when played',
    isSeen: true,
  },
  {
    name: 'with a second request behind the one that waits',
    sends: `${get}\r\nGET /r0/never HTTP/1.1\r\nHost: a\r\n\r\n`,
    upstream: silent,
    leaves: 'when played',
    isSeen: true,
  },
];

const inAnswer: readonly ClientFault[] = [
  {
    name: "inside the answer's head",
    sends: `${get}\r\n`,
    upstream: { at: 'request', says: 'HTTP/1.1 200 OK\r\nX-Id: $ID\r\n' },
    leaves: 'when played',
    isSeen: true,
  },
  {
    name: 'behind hints',
    sends: `${get}\r\n`,
    upstream: { at: 'request', says: 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' },
    leaves: 'when answered',
    isSeen: true,
  },
  {
    name: 'behind the head of the answer',
    sends: `${get}\r\n`,
    upstream: { at: 'request', says: head(10) },
    leaves: 'when answered',
    isSeen: true,
  },
  {
    name: 'inside an answer with a length',
    sends: `${get}\r\n`,
    upstream: { at: 'request', says: `${head(10)}mine` },
    leaves: 'when answered',
    isSeen: true,
  },
  {
    name: 'inside a chunk of the answer',
    sends: `${get}\r\n`,
    upstream: { at: 'request', says: `${chunkedHead}a\r\nmine` },
    leaves: 'when answered',
    isSeen: true,
  },
  {
    name: 'inside an answer until the end',
    sends: `${get}\r\n`,
    upstream: { at: 'request', says: `${endlessHead}mine` },
    leaves: 'when answered',
    isSeen: true,
  },
  {
    name: 'inside an answer that came before the request was whole',
    sends: `${post}Content-Length: 10\r\n\r\n12345`,
    upstream: { at: 'body', says: `${head(10)}mine` },
    leaves: 'when answered',
    isSeen: true,
  },
  {
    name: 'inside a long answer that it does not read',
    sends: `${get}\r\n`,
    upstream: {
      at: 'request',
      play: (stage) => {
        stage.write(endlessHead);
        stage.flood();
      },
    },
    leaves: 'when stalled',
    isSeen: true,
  },
];

export const clientFaults: readonly ClientFault[] = [...inRequest, ...whileWaiting, ...inAnswer];
