// Generates what an upstream may send for one request: answers of the grammar, interim ones before them, bytes behind them,
// doubtful framing, and mutations of all of it. It knows no parser.

import fc from 'fast-check';
import { blanks, chunkedBody, data, fieldValue, mutated, place } from '../http1/generated-requests.ts';

/** One answer, and the method of the request that it answers. */
export interface GeneratedAnswer {
  readonly method: string;
  readonly text: string;
}

const version = fc.constantFrom('1.1', '1.1', '1.1', '1.0');
const status = fc.oneof(
  fc.constantFrom(200, 201, 204, 206, 301, 304, 400, 401, 404, 416, 500, 503),
  fc.integer({ min: 200, max: 599 }),
);
const reason = fc.oneof(
  fc.constantFrom(' OK', ' ', '', ' Not  Found', ' caf\xe9'),
  fc.stringMatching(/^ [ -~]{0,12}$/),
);
const fieldName = fc.oneof(
  fc.constantFrom('Server', 'Date', 'Content-Type', 'Set-Cookie', 'Keep-Alive', 'Trailer', 'Via', 'x_y', 'a.b', 'Host'),
  fc
    .stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,10}$/)
    .filter((name) => !/^(connection|upgrade|content-length|transfer-encoding|proxy-connection)$/i.test(name)),
);
const plainLine = fc
  .tuple(fieldName, blanks, fieldValue, blanks)
  .map(([name, before, value, after]) => `${name}:${before}${value}${after}`);
const line = fc.oneof(
  { weight: 4, arbitrary: plainLine },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'Connection: close',
      'Connection: keep-alive',
      'Connection: x, Keep-Alive',
      'Connection:',
    ),
  },
);

/** Framing lines and the body that goes with them; `bare` when no body may follow. */
const framing = fc.oneof(
  fc.tuple(fc.constantFrom('Content-Length', 'content-length'), blanks, data).map(([name, blank, body]) => ({
    lines: [`${name}:${blank}${body.length}${blank}`],
    body,
  })),
  fc.tuple(fc.constantFrom('chunked', 'Chunked', 'CHUNKED'), chunkedBody).map(([coding, body]) => ({
    lines: [`Transfer-Encoding: ${coding}`],
    body,
  })),
  data.map((body): { lines: string[]; body: string } => ({ lines: [], body })),
  fc.constant<{ lines: string[]; body: string }>({ lines: ['Content-Length: 0'], body: '' }),
);

const doubtfulFraming = fc.tuple(chunkedBody, data, fc.nat(20)).map(([chunked, plain, choice]) => {
  const te = 'Transfer-Encoding: chunked';
  const length = `Content-Length: ${plain.length}`;
  const all: { lines: string[]; body: string }[] = [
    { lines: [te, `Content-Length: ${chunked.length}`], body: chunked },
    { lines: [length, te], body: chunked },
    { lines: [te, te], body: chunked },
    { lines: ['Transfer-Encoding: gzip, chunked'], body: chunked },
    { lines: ['Transfer-Encoding: identity'], body: plain },
    { lines: ['Transfer-Encoding: xchunked'], body: chunked },
    { lines: ['Transfer-Encoding: chunked, chunked'], body: chunked },
    { lines: ['Transfer-Encoding:'], body: chunked },
    { lines: [length, length], body: plain },
    { lines: [length, 'Content-Length: 1'], body: plain },
    { lines: [`Content-Length: +${plain.length}`], body: plain },
    { lines: [`Content-Length: ${plain.length}, ${plain.length}`], body: plain },
    { lines: [`Content-Length: 0${plain.length}`], body: plain },
    { lines: ['Content-Length: 99999999999999999999'], body: plain },
    { lines: ['Connection: content-length', length], body: plain },
  ];
  return all[choice % all.length] ?? { lines: [], body: '' };
});

const interim = fc
  .tuple(
    fc.constantFrom('100 Continue', '103 Early Hints', '102 Processing', '199 ', '100'),
    fc.uniqueArray(fc.constantFrom('Link: </a>; rel=preload', 'X: y', 'Content-Length: 0'), { maxLength: 2 }),
  )
  .map(([start, lines]) => `HTTP/1.1 ${start}\r\n${lines.map((text) => `${text}\r\n`).join('')}\r\n`);

const method = fc.constantFrom('GET', 'GET', 'POST', 'HEAD');

function answerWith(framings: fc.Arbitrary<{ lines: string[]; body: string }>): fc.Arbitrary<GeneratedAnswer> {
  return fc
    .record({
      method,
      version,
      status,
      reason,
      interims: fc.oneof({ weight: 4, arbitrary: fc.constant<string[]>([]) }, fc.array(interim, { maxLength: 3 })),
      lines: fc.array(line, { maxLength: 4 }),
      framing: framings,
      where: place,
    })
    .map((one) => {
      const isChunked = one.framing.lines.some((text) => /^transfer/i.test(text));
      const minor = isChunked ? '1.1' : one.version;
      const isBare = one.method === 'HEAD' || one.status === 204 || one.status === 304;
      const framingLines = one.status === 204 ? [] : one.framing.lines;
      const lines = [...one.lines];
      lines.splice(Math.floor(one.where * (lines.length + 1)), 0, ...framingLines);
      const head = `HTTP/${minor} ${one.status}${one.reason}\r\n${lines.map((text) => `${text}\r\n`).join('')}\r\n`;
      return { method: one.method, text: `${one.interims.join('')}${head}${isBare ? '' : one.framing.body}` };
    });
}

/** Exactly one answer of the documented grammar, interim ones before it, and nothing behind it. */
export const soundAnswer: fc.Arbitrary<GeneratedAnswer> = answerWith(framing);

function changed(
  answers: fc.Arbitrary<GeneratedAnswer>,
  change: (text: fc.Arbitrary<string>) => fc.Arbitrary<string>,
): fc.Arbitrary<GeneratedAnswer> {
  return answers.chain(({ method: asked, text }) =>
    change(fc.constant(text)).map((other) => ({ method: asked, text: other })),
  );
}

const withLineEnds = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(text, fc.constantFrom('\n', '\r', '\r\r\n', '\r\n ', '\r\n\t', ' \r\n'), place)
    .map(([whole, end, where]) => {
      const lines = whole.split('\r\n');
      const cut = 1 + Math.floor(where * lines.length);
      return `${lines.slice(0, cut).join('\r\n')}${end}${lines.slice(cut).join('\r\n')}`;
    });
const cutShort = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, place).map(([whole, where]) => whole.slice(0, Math.floor(where * whole.length)));
const followed = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, soundAnswer, data).map(([whole, next, bytes]) => whole + (bytes.length % 2 === 0 ? next.text : bytes));

/** Anything that an upstream might send. About half of it is sound. */
export const anyAnswer: fc.Arbitrary<GeneratedAnswer> = fc.oneof(
  { weight: 8, arbitrary: soundAnswer },
  { weight: 5, arbitrary: changed(soundAnswer, mutated) },
  { weight: 2, arbitrary: answerWith(doubtfulFraming) },
  { weight: 1, arbitrary: changed(answerWith(doubtfulFraming), mutated) },
  { weight: 1, arbitrary: changed(soundAnswer, withLineEnds) },
  { weight: 1, arbitrary: changed(soundAnswer, cutShort) },
  { weight: 2, arbitrary: changed(soundAnswer, followed) },
);
