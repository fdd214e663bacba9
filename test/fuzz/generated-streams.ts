// Generates what one client connection may carry: several requests one behind the other, and what attackers make of them:
// splices of two, cuts, other line ends, repeated lines, lists at and beyond every cap. It knows no parser.

import fc from 'fast-check';
import {
  anyRequest,
  mutated,
  place,
  requestsOf,
  routedRequest,
  routedTarget,
  soundRequest,
} from '../http1/generated-requests.ts';

const lineOf = (index: number): string => `X-${index}: ${index}\r\n`;

/** Streams made of requests that are sound, and of requests that may be anything. */
interface Parts {
  readonly sound: fc.Arbitrary<string>;
  readonly any: fc.Arbitrary<string>;
}

const joined = (requests: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(requests, { minLength: 1, maxLength: 3 }).map((all) => all.join(''));

/** The front of one stream and the back of another. */
const spliced = ({ any }: Parts): fc.Arbitrary<string> =>
  fc
    .tuple(any, any, place, place)
    .map(([front, back, end, start]) => front.slice(0, at(front, end)) + back.slice(at(back, start)));

/** One request inside another. */
const inserted = ({ sound, any }: Parts): fc.Arbitrary<string> =>
  fc
    .tuple(sound, any, place)
    .map(([outer, inner, where]) => outer.slice(0, at(outer, where)) + inner + outer.slice(at(outer, where)));

const truncated = ({ sound }: Parts): fc.Arbitrary<string> =>
  fc.tuple(joined(sound), place).map(([stream, end]) => stream.slice(0, at(stream, end)));

const lineEnds = ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', '\r\n ', '\r\n\t', ' \r\n', '\0\r\n', '\r\n\n'];

/** One line end, or all, written in another way. */
const otherLineEnds = ({ sound }: Parts): fc.Arbitrary<string> =>
  fc.tuple(joined(sound), fc.constantFrom(...lineEnds), place, fc.boolean()).map(([stream, end, where, isEach]) => {
    const lines = stream.split('\r\n');
    if (isEach) return lines.join(end);
    const cut = 1 + at(lines, where);
    return `${lines.slice(0, cut).join('\r\n')}${end}${lines.slice(cut).join('\r\n')}`;
  });

/** A line twice, next to itself or elsewhere, and in capitals or not. */
const repeatedLine = ({ sound }: Parts): fc.Arbitrary<string> =>
  fc.tuple(joined(sound), place, place, fc.boolean()).map(([stream, from, to, isUpper]) => {
    const lines = stream.split('\r\n');
    const line = lines[at(lines, from)] ?? '';
    lines.splice(1 + at(lines, to), 0, isUpper ? line.toUpperCase() : line);
    return lines.join('\r\n');
  });

/** Fields, options and bytes around the caps, and far beyond them. */
const longLists = ({ sound }: Parts): fc.Arbitrary<string> =>
  fc
    .tuple(
      sound,
      fc.oneof(
        fc
          .integer({ min: 85, max: 115 })
          .map((count) => Array.from({ length: count }, (_, index) => lineOf(index)).join('')),
        fc.integer({ min: 25, max: 40 }).map((count) => `Connection: ${'x-a, '.repeat(count)}x\r\n`),
        fc.integer({ min: 8_000, max: 33_500 }).map((length) => `X-Long: ${'v'.repeat(length)}\r\n`),
        fc.integer({ min: 1, max: 12_000 }).map((length) => `${'N'.repeat(length)}: v\r\n`),
      ),
    )
    .map(([request, lines]) => {
      const end = request.indexOf('\r\n', 4) + 2;
      return request.slice(0, end) + lines + request.slice(end);
    });

/** Chunks, extensions and trailers in numbers, and a request behind them. */
const manyChunks = ({ sound }: Parts): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 300 }), sound)
    .map(([chunks, extension, trailers, next]) => {
      const chunk = `1${extension === 0 ? '' : `;e=${'x'.repeat(extension)}`}\r\nc\r\n`;
      const lines = Array.from({ length: trailers }, (_, index) => lineOf(index)).join('');
      const head = 'PUT /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
      return `${head}${chunk.repeat(chunks)}0\r\n${lines}\r\n${next}`;
    });

// What may stand in place of one delimiter of a chunked body; `3` is the size of the chunk's data.
const oddSizes = [
  '0x3',
  '+3',
  '-3',
  ' 3',
  '3 ',
  '3\t',
  '03',
  '3;',
  '3;a',
  '3;a=',
  '3; a',
  '3 ;a',
  '3;a="',
  '3;a=b;',
  '',
  '3,',
  '3.0',
];
const oddEnds = [
  '\n',
  '\r',
  ' \n',
  '\r\r\n',
  '\n\r',
  '',
  'x\r\n',
  '\r\n\r\n',
  '\r ',
  '\0\n',
  '\r\n ',
  ';\r\n',
  '\t\r\n',
];
const oddLasts = ['', '00', '0 ', '0;', '0;a', '0;a="b"', '0x0', '-0', '+0', ' 0', '0000000000000000000'];
const oddTrailers = [
  'X: y\r\n',
  'X : y\r\n',
  ' X: y\r\n',
  'X\r\n',
  ': y\r\n',
  'X: y\n',
  'X: \0\r\n',
  '\n',
  '\r',
  'X: y\r\n z\r\n',
];

/** A chunked body with one delimiter that is not what it should be, and a request behind it. */
const chunkGames = ({ sound }: Parts): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.oneof(
        fc.constantFrom(...oddSizes).map((size) => ({ size })),
        fc.constantFrom(...oddEnds).map((sizeEnd) => ({ sizeEnd })),
        fc.constantFrom(...oddEnds).map((dataEnd) => ({ dataEnd })),
        fc.constantFrom(...oddLasts).map((last) => ({ last })),
        fc.constantFrom(...oddEnds).map((lastEnd) => ({ lastEnd })),
        fc.constantFrom(...oddTrailers).map((trailers) => ({ trailers })),
        fc.constantFrom(...oddEnds).map((end) => ({ end })),
      ),
      fc.boolean(),
      sound,
    )
    .map(([odd, isSecond, next]) => {
      const plain = {
        size: '3',
        sizeEnd: '\r\n',
        dataEnd: '\r\n',
        last: '0',
        lastEnd: '\r\n',
        trailers: '',
        end: '\r\n',
      };
      const one = { ...plain, ...odd };
      const head = 'PUT /games HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
      const chunk = `${one.size}${one.sizeEnd}abc${one.dataEnd}`;
      return `${head}${isSecond ? '1\r\nx\r\n' : ''}${chunk}${one.last}${one.lastEnd}${one.trailers}${one.end}${next}`;
    });

const bytes = fc.uint8Array({ maxLength: 60 }).map((some) => Buffer.from(some).toString('latin1'));

/** Requests that each leave the connection open, with one empty line at most before each. */
function kept(sound: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .array(
      sound
        .map((request) => request.replace(/^\r\n\r\n/, '\r\n'))
        .filter((request) => !/HTTP\/1\.0|close/i.test(request.slice(0, request.indexOf('\r\n\r\n', 2)))),
      { minLength: 1, maxLength: 4 },
    )
    .map((requests) => requests.join(''));
}

function streams(parts: Parts): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: parts.any },
    { weight: 6, arbitrary: joined(parts.sound) },
    { weight: 3, arbitrary: mutated(joined(parts.sound)) },
    { weight: 2, arbitrary: spliced(parts) },
    { weight: 1, arbitrary: inserted(parts) },
    { weight: 1, arbitrary: truncated(parts) },
    { weight: 2, arbitrary: otherLineEnds(parts) },
    { weight: 2, arbitrary: repeatedLine(parts) },
    { weight: 1, arbitrary: longLists(parts) },
    { weight: 1, arbitrary: manyChunks(parts) },
    { weight: 3, arbitrary: chunkGames(parts) },
    { weight: 1, arbitrary: bytes },
  );
}

/** Requests of the documented grammar one behind the other, each of which leaves the connection open. */
export const soundRequests: fc.Arbitrary<string> = kept(soundRequest);

/** Anything that a client might send on one connection. About half of it begins with a request that is sound. */
export const anyStream: fc.Arbitrary<string> = streams({ sound: soundRequest, any: anyRequest });

/** `soundRequests` with targets that a gateway forwards. */
export const routedRequests: fc.Arbitrary<string> = kept(
  // asking for a WebSocket is another grammar (RFC 6455), which hardly any of these keeps
  routedRequest.filter((request) => !/upgrade:[\t ]*websocket/i.test(request)),
);

/** `anyStream` with such targets. */
export const routedStream: fc.Arbitrary<string> = streams({ sound: routedRequest, any: requestsOf(routedTarget) });

/** Places in (0, 1) at which a message is cut into pieces; none of them means one piece. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.array(place, { minLength: 1, maxLength: 5 }),
  fc
    .integer({ min: 2, max: 40 })
    .map((pieces) => Array.from({ length: pieces - 1 }, (_, index) => (index + 1) / pieces)),
);

/** Ends of the pieces that `cuts` make of a message of `length` bytes; the last one is `length`. */
export function pieceEnds(length: number, places: readonly number[]): number[] {
  const ends = new Set(places.map((where) => Math.floor(where * length)).filter((end) => end > 0 && end < length));
  return [...ends].sort((a, b) => a - b).concat(length);
}

function at(text: string | readonly string[], where: number): number {
  return Math.floor(where * text.length);
}
