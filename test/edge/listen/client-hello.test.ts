// The server name of a ClientHello: what a real client sends, whole, in pieces, over several records, and what is none.

import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { maxHelloBytes, peekRandom, readClientHello } from '../../../gateway/edge/listen/client-hello.ts';

/** What Node's own client says first. */
function helloOf(servername: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
      const client = connectTls({ socket: connect(port, '127.0.0.1'), servername });
      client.on('error', () => undefined);
    });
  });
}

let named: Buffer;
let nameless: Buffer;

beforeAll(async () => {
  named = await helloOf('Media.Example');
  nameless = await helloOf('');
});

test('finds the name of a real client, in lower case, and none where there is none', () => {
  expect(readClientHello(named)).toMatchObject({ kind: 'hello', serverName: 'media.example' });
  expect(readClientHello(nameless)).toMatchObject({ kind: 'hello', serverName: null });
});

test('the random is the 32 octets that a client makes anew for each connection', async () => {
  const again = await helloOf('Media.Example');
  const [first, second] = [readClientHello(named), readClientHello(again)];
  expect(first).toMatchObject({ random: named.toString('latin1', 11, 43) });
  expect([peekRandom(named), peekRandom(again.subarray(0, 43))]).toEqual(
    [named, again].map((hello) => hello.toString('latin1', 11, 43)),
  );
  expect(second).toMatchObject({ random: again.toString('latin1', 11, 43) });
  expect(first).not.toEqual(second);
});

test('a random is peeked at where it stands in the first record as a whole, and nowhere else', () => {
  for (let cut = 0; cut < 43; cut++) expect(peekRandom(named.subarray(0, cut))).toBeNull();
  const short = Buffer.from(named);
  short.writeUInt16BE(37, 3);
  expect(peekRandom(short)).toBeNull();
  short.writeUInt16BE(38, 3);
  expect(peekRandom(short)).toBe(named.toString('latin1', 11, 43));
  for (const at of [0, 1, 5]) {
    const other = Buffer.from(named);
    other[at] = 23;
    expect(peekRandom(other)).toBeNull();
  }
});

test('every prefix of a ClientHello asks for more', () => {
  for (let cut = 0; cut < named.length; cut++) {
    expect(readClientHello(named.subarray(0, cut))).toEqual({ kind: 'partial' });
  }
});

test('a message that is spread over records is one message', () => {
  const message = named.subarray(5);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: message.length - 1 }), (cut) => {
      const record = (piece: Buffer) =>
        Buffer.concat([Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece]);
      const split = Buffer.concat([record(message.subarray(0, cut)), record(message.subarray(cut))]);
      expect(readClientHello(split)).toEqual(readClientHello(named));
    }),
    { numRuns: 100 },
  );
});

test('a message spread over too many records is refused', () => {
  const crumbs = [...named.subarray(5)].map((byte) => Buffer.from([22, 3, 1, 0, 1, byte]));
  expect(readClientHello(Buffer.concat(crumbs))).toEqual({ kind: 'malformed' });
});

test('plain HTTP, other messages and endless ones are no ClientHello', () => {
  expect(readClientHello(Buffer.from('GET / HTTP/1.1\r\n'))).toEqual({ kind: 'malformed' });
  const other = Buffer.from(named);
  other[5] = 2;
  expect(readClientHello(other)).toEqual({ kind: 'malformed' });
  const endless = Buffer.from([22, 3, 1, 0, 4, 1, 0x10, 0, 0]);
  expect(readClientHello(endless)).toEqual({ kind: 'malformed' });
});

test('a name that is no host is refused', () => {
  const at = named.indexOf('Media.Example');
  const spoiled = Buffer.from(named);
  spoiled[at] = 0x2f;
  expect(readClientHello(spoiled)).toEqual({ kind: 'malformed' });
});

test('changed bytes never make it throw, and never ask for more than the longest hello', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(named.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(named);
      for (const [at, value] of changes) bytes[at] = value;
      readClientHello(bytes);
      expect(readClientHello(Buffer.concat([bytes, Buffer.alloc(maxHelloBytes)])).kind).not.toBe('partial');
    }),
    { numRuns: 1000 },
  );
});
