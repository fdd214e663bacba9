// Generates requests for the differential test: valid requests of the documented grammar, requests with doubtful framing, and
// mutations of both, most of them near delimiters. This file knows no parser.

import fc from 'fast-check';

const fieldName = fc.oneof(
  fc.constantFrom(
    'Accept',
    'User-Agent',
    'Cookie',
    'X-1',
    'a',
    'Keep-Alive',
    'Trailer',
    'TE',
    'Proxy-Connection',
    'Via',
  ),
  // names with a grammar of their own are not met by chance: an `If` without lists is a 400 (RFC 4918 §10.4.2)
  fc
    .stringMatching(/^[A-Za-z0-9-]{1,12}$/)
    .filter((name) => !/^(host|expect|connection|upgrade|if|destination)$/i.test(name)),
);
export const fieldValue = fc.oneof(
  fc.constantFrom('', 'chunked', '0', '5', 'close', 'websocket', 'a: b', 'a, b'),
  fc.stringMatching(/^[\t !-~\x80-\xff]{0,20}$/),
);
export const blanks = fc.constantFrom('', ' ', ' ', ' ', '\t', ' \t ');
const plainLine = fc.tuple(fieldName, blanks, fieldValue, blanks).map((parts) => {
  const [name, before, value, after] = parts;
  return `${name}:${before}${value}${after}`;
});
const specialLine = fc.constantFrom(
  'Connection: keep-alive',
  'Connection: close',
  'Connection: x, y',
  'Connection: x, close',
  'connection: Keep-Alive,x',
  'Connection: upgrade\r\nUpgrade: websocket',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__',
  'Upgrade: a/1, b',
  'Expect: 100-continue',
  'Connection:',
);
const method = fc.constantFrom(
  ...'GET HEAD POST PUT DELETE PATCH OPTIONS PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK SEARCH BIND'.split(' '),
  ...'REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE MKCALENDAR LINK UNLINK'.split(' '),
);
const host = fc.constantFrom('a', 'Example.org', 'a:8080', '127.0.0.1', '[::1]', '[::1]:80', 'a-b_c.d.');

/** Paths and queries of the targets. */
interface TargetParts {
  readonly path: fc.Arbitrary<string>;
  readonly query: fc.Arbitrary<string>;
}

const everyTarget: TargetParts = {
  path: fc.stringMatching(/^\/[!-"$->@-~]{0,20}$/),
  query: fc.oneof(fc.constant(''), fc.stringMatching(/^\?[!-"$-~]{0,12}$/)),
};

/** Targets that routes take: each path has a canonical form, no query holds what only browsers repair. */
export const routedTarget: TargetParts = {
  path: fc
    .array(fc.stringMatching(/^[!$&'()*+,0-9:=@A-Z_a-z~-][!$&'()*+,.0-9:;=@A-Z_a-z~-]{0,5}$/), { maxLength: 3 })
    .map((segments) => `/${segments.join('/')}`),
  query: fc.oneof(fc.constant(''), fc.stringMatching(/^\?[A-Za-z0-9=&;_.~!$-]{0,12}$/)),
};

export const data = fc.oneof(
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.constantFrom('0\r\n\r\n', 'GET /inner HTTP/1.1\r\nHost: a\r\n\r\n', '\r\n'),
);
const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,6}$/);
const quoted = fc.stringMatching(/^[\t !#-[\]-~\x80-\xff]{0,8}$/).map((text) => `"${text}"`);
const extension = fc.oneof(
  fc.constant(''),
  token.map((name) => `;${name}`),
  fc.tuple(token, fc.oneof(token, quoted, fc.constant('"\\"\\\\\\a"'))).map(([name, value]) => `;${name}=${value}`),
);
const size = (length: number) =>
  fc.tuple(fc.nat(2), fc.boolean()).map(([zeros, upper]) => {
    const digits = `${'0'.repeat(zeros)}${length.toString(16)}`;
    return upper ? digits.toUpperCase() : digits;
  });
const chunk = fc
  .tuple(
    data.filter((text) => text.length > 0),
    extension,
  )
  .chain(([text, extensions]) => size(text.length).map((digits) => `${digits}${extensions}\r\n${text}\r\n`));
// latchkey drops trailers that frame a message, and llhttp refuses them; neither way does a trailer reach an upstream.
const trailer = fc
  .tuple(fc.stringMatching(/^X-[A-Za-z0-9_.]{0,6}$/), fieldValue)
  .map(([name, value]) => `${name}:${value}\r\n`);
export const chunkedBody = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), size(0), extension, fc.array(trailer, { maxLength: 2 }))
  .map(([chunks, last, extensions, trailers]) => `${chunks.join('')}${last}${extensions}\r\n${trailers.join('')}\r\n`);

/** Framing lines, and the body that goes with them. */
const framing = fc.oneof(
  fc.constantFrom('1.1', '1.0').map((version) => ({ version, line: [], body: '' })),
  fc
    .tuple(fc.constantFrom('1.1', '1.0'), fc.constantFrom('Content-Length', 'content-length'), blanks, data)
    .map(([version, name, blank, body]) => ({ version, line: [`${name}:${blank}${body.length}${blank}`], body })),
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom('chunked', 'Chunked', 'CHUNKED'), blanks, chunkedBody)
      .map(([coding, blank, body]) => ({ version: '1.1', line: [`Transfer-Encoding:${blank}${coding}`], body })),
  },
);

/** Framing that somebody has been smuggled by; the body goes with one of its readings. */
const doubtfulFraming = fc
  .tuple(chunkedBody, data, fc.constantFrom('1.1', '1.1', '1.0'), fc.nat(40))
  .map(([chunked, plain, version, choice]) => {
    const length = plain.length;
    const te = 'Transfer-Encoding: chunked';
    const lines: [string[], string][] = [
      [[te, `Content-Length: ${chunked.length}`], chunked],
      [[`Content-Length: ${chunked.length}`, te], chunked],
      [[te, te], chunked],
      [[te, 'Transfer-Encoding: identity'], chunked],
      ...[
        'xchunked',
        'chunkedx',
        'gzip, chunked',
        'chunked, chunked',
        'chunked, gzip',
        'identity',
        ',chunked',
        'chunked,',
      ]
        .concat('chunked ', 'chunked\t', '\x0bchunked', 'chunked;a=b', '"chunked"', '\xa0chunked', 'chunked\xa0', '')
        .map((coding): [string[], string] => [[`Transfer-Encoding: ${coding}`], chunked]),
      [[`Content-Length: ${length}`, `Content-Length: ${length}`], plain],
      [[`Content-Length: ${length}`, 'Content-Length: 0'], plain],
      [['Content-Length: 0', `Content-Length: ${length}`], plain],
      ...['+', '0x', '-', '\xa0', `${length}, `, '0 ', '00000000000000000000'].map((before): [string[], string] => [
        [`Content-Length: ${before}${length}`],
        plain,
      ]),
      ...[';', ', 0', '.0', 'e0', ' 0', '\xa0', '\x0b'].map((behind): [string[], string] => [
        [`Content-Length: ${length}${behind}`],
        plain,
      ]),
      [['Connection: content-length', `Content-Length: ${length}`], plain],
      [['Connection: transfer-encoding', te], chunked],
    ];
    const [line, body] = lines[choice % lines.length] ?? [[], ''];
    return { version, line, body };
  });

function requestWith(
  framings: fc.Arbitrary<{ version: string; line: string[]; body: string }>,
  { path, query }: TargetParts,
): fc.Arbitrary<string> {
  const line = fc.oneof({ weight: 3, arbitrary: plainLine }, { weight: 1, arbitrary: specialLine });
  const emptyLines = fc.constantFrom('', '', '', '\r\n', '\r\n\r\n');
  const isAbsolute = fc.constantFrom(false, false, false, true);
  return fc
    .record({ emptyLines, method, host, isAbsolute, path, query, framing: framings, place: fc.nat(100) })
    .chain((one) => fc.array(line, { maxLength: 4 }).map((lines) => ({ ...one, lines })))
    .map((one) => {
      const target = `${one.isAbsolute ? `http://${one.host}` : ''}${one.path}${one.query}`;
      const lines = one.lines.filter((text, index) => !text.startsWith('Expect:') || one.lines.indexOf(text) === index);
      lines.splice(one.place % (lines.length + 1), 0, ...one.framing.line);
      lines.splice(one.place % (lines.length + 1), 0, `Host: ${one.host}`);
      const head = `${one.method} ${target} HTTP/${one.framing.version}\r\n${lines.join('\r\n')}\r\n\r\n`;
      return `${one.emptyLines}${head}${one.framing.body}`;
    });
}

/** Exactly one request that the documented grammar allows, and nothing behind it. */
export const soundRequest: fc.Arbitrary<string> = requestWith(framing, everyTarget);

/** The same with targets that a gateway forwards. */
export const routedRequest: fc.Arbitrary<string> = requestWith(framing, routedTarget);

// --- mutations ---

const delimiters = /[\r\n:;,="]/g;
const bytesBesideDelimiters = [...' \t\r\n\0\x0b\x7f\xa00x;,:+"'];
const bytesAnywhere = [...'\r\n\t :;,=?#/0159afAF"\\\0\x0b\x0c\x7f\x80\xa0\xff+-_.x'];
const fragments = [
  ...[
    '\r\n',
    '\r\n\r\n',
    '\r\n ',
    ' :',
    '0\r\n\r\n',
    ', chunked',
    'chunked, ',
    '\r\r\n',
    '\n\n',
    '\n',
    '0x',
    ' HTTP/1.1',
  ],
  ...['Transfer-Encoding: chunked\r\n', 'Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'Host: b\r\n', 'http://a'],
  ...['Connection: close\r\n', '\r\nA : b', '\r\n: b'],
];

// unbiased: fast-check prefers small numbers, and all mutations would sit in the first bytes
export const place = fc.noBias(fc.nat(999_999)).map((millionths) => millionths / 1_000_000);
const anywhere = fc
  .tuple(
    place,
    fc.oneof(
      fc.constantFrom(...bytesAnywhere).map((put) => ({ removed: 1, put })),
      fc.nat(255).map((byte) => ({ removed: 1, put: String.fromCharCode(byte) })),
      fc.constantFrom(...bytesAnywhere, ...fragments).map((put) => ({ removed: 0, put })),
      fc.integer({ min: 1, max: 6 }).map((removed) => ({ removed, put: '' })),
    ),
  )
  .map(([at, edit]) => ({ ...edit, index: (text: string) => Math.floor(at * text.length) }));
const besideDelimiter = fc
  .tuple(place, fc.nat(2), fc.nat(1), fc.oneof(fc.constant(''), fc.constantFrom(...bytesBesideDelimiters)))
  .map(([at, offset, removed, put]) => ({
    removed,
    put,
    index: (text: string) => {
      const found = [...text.matchAll(delimiters)];
      return Math.max(0, (found[Math.floor(at * found.length)]?.index ?? 0) + offset - 1);
    },
  }));
const mutation = fc.oneof({ weight: 1, arbitrary: anywhere }, { weight: 2, arbitrary: besideDelimiter });

/** One or two edits in each. */
export function mutated(message: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(message, fc.array(mutation, { minLength: 1, maxLength: 2 })).map(([sound, mutations]) =>
    mutations.reduce((text, { index, removed, put }) => {
      const at = index(text);
      return text.slice(0, at) + put + text.slice(at + removed);
    }, sound),
  );
}

/** Requests whose chunked body alone is damaged, so that its few delimiters are hit often. */
const brokenChunked = mutated(chunkedBody).map((body) => ({
  version: '1.1',
  line: ['Transfer-Encoding: chunked'],
  body,
}));

/** Sound requests, doubtful ones, and mutations of both. More than a third are sound. */
export function requestsOf(target: TargetParts): fc.Arbitrary<string> {
  const sound = requestWith(framing, target);
  const doubtful = requestWith(doubtfulFraming, target);
  return fc.oneof(
    { weight: 4, arbitrary: sound },
    { weight: 3, arbitrary: mutated(sound) },
    { weight: 2, arbitrary: requestWith(brokenChunked, target) },
    { weight: 1, arbitrary: doubtful },
    { weight: 1, arbitrary: mutated(doubtful) },
  );
}

/** `requestsOf` every target that the grammar allows. */
export const anyRequest: fc.Arbitrary<string> = requestsOf(everyTarget);
