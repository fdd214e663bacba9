// The chunked framing: which bodies are accepted or refused, and that the canonical form has the same data as the input.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkedFilter } from '../../gateway/http1/chunked-filter.ts';
import { arrivals, bytesOf, readChunked } from './reading.ts';

/** A decoder of the canonical form alone: no extensions, no trailers, nothing behind. Throws at anything else. */
function decodeCanonical(text: string): string {
  let data = '';
  let at = 0;
  for (;;) {
    const size = /^(0|[1-9A-Fa-f][0-9A-Fa-f]*)\r\n/.exec(text.slice(at, at + 20));
    if (size === null) throw new Error(`no chunk size at ${at}`);
    at += size[0].length;
    const length = Number.parseInt(size[1] ?? '', 16);
    data += text.slice(at, at + length);
    at += length;
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`no line end at ${at}`);
    at += 2;
    if (length > 0) continue;
    if (at !== text.length) throw new Error(`${text.length - at} bytes behind the end`);
    return data;
  }
}

function readWhole(text: string, form: 'canonical' | 'data' = 'canonical') {
  return readChunked(bytesOf(text), [text.length], form);
}

const sound: [title: string, input: string, data: string, canonical: string][] = [
  ['RFC 9112 §7.1: takes chunks and the last chunk', '3\r\nabc\r\n0\r\n\r\n', 'abc', '3\r\nabc\r\n0\r\n\r\n'],
  ['takes an empty body', '0\r\n\r\n', '', '0\r\n\r\n'],
  [
    'takes hexadecimal digits in both cases',
    'a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n',
    '0123456789abcdefghij',
    '',
  ],
  [
    'takes leading zeros within 13 digits, and drops them',
    '0000000000003\r\nabc\r\n0000\r\n\r\n',
    'abc',
    '3\r\nabc\r\n0\r\n\r\n',
  ],
  ['keeps the zeros inside a size', `100\r\n${'x'.repeat(256)}\r\n00\r\n\r\n`, 'x'.repeat(256), ''],
  ['drops leading zeros in front of an extension', '003;a\r\nabc\r\n00;b\r\n\r\n', 'abc', '3\r\nabc\r\n0\r\n\r\n'],
  ['takes data that looks like framing', 'a\r\n\r\n0\r\n\r\n5\r\n\r\n0\r\n\r\n', '\r\n0\r\n\r\n5\r\n', ''],
  ['RFC 9112 §7.1.1: drops an extension', '3;a\r\nabc\r\n0\r\n\r\n', 'abc', '3\r\nabc\r\n0\r\n\r\n'],
  ['drops an extension with a value', '3;a=b\r\nabc\r\n0;c=d\r\n\r\n', 'abc', '3\r\nabc\r\n0\r\n\r\n'],
  ['drops several extensions', '3;a;b=c;d="e"\r\nabc\r\n0\r\n\r\n', 'abc', '3\r\nabc\r\n0\r\n\r\n'],
  ['drops a quoted value with escapes', '3;a="\\"\\\\;\t \xff"\r\nabc\r\n0\r\n\r\n', 'abc', '3\r\nabc\r\n0\r\n\r\n'],
  ['RFC 9110 §6.5.1: drops trailers', '1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\n', 'a', '1\r\na\r\n0\r\n\r\n'],
  [
    'drops trailers that would frame or identify',
    '1\r\na\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nHost: b\r\nX-Forwarded-User: root\r\n\r\n',
    'a',
    '1\r\na\r\n0\r\n\r\n',
  ],
];

describe('valid bodies', () => {
  it.each(sound)('%s', (_, input, data, canonical) => {
    expect(readWhole(input, 'data')).toEqual({ kind: 'done', output: data, rest: input.length });
    const kept = readWhole(input);
    expect(kept).toMatchObject({ kind: 'done', rest: input.length });
    if (kept.kind !== 'done') return;
    expect(decodeCanonical(kept.output)).toBe(data);
    if (canonical !== '') expect(kept.output).toBe(canonical);
  });

  it.each(sound)('in two parts at any place and byte by byte: %s', (_, input) => {
    for (const form of ['canonical', 'data'] as const) {
      const whole = readWhole(input, form);
      for (const ends of arrivals(input.length)) {
        expect(readChunked(bytesOf(input), ends, form), `ends ${ends}`).toEqual(whole);
      }
    }
  });

  it('stops at the end of the body, whatever follows', () => {
    const body = '1;x\r\na\r\n0\r\nT: u\r\n\r\n';
    expect(readWhole(`${body}GET / HTTP/1.1\r\n`)).toEqual({
      kind: 'done',
      output: '1\r\na\r\n0\r\n\r\n',
      rest: body.length,
    });
  });

  it('takes no byte after the body has ended', () => {
    const filter = new ChunkedFilter();
    const ignore = () => {};
    expect(filter.feed(bytesOf('0\r\n\r\n'), 0, 5, true, ignore)).toBe(5);
    expect(filter.feed(bytesOf('xyz'), 1, 3, true, () => expect.unreachable())).toBe(1);
  });

  it('is not done before the last LF', () => {
    const body = '1\r\na\r\n0\r\nT: u\r\n\r\n';
    for (let end = 0; end < body.length; end++) {
      expect(readChunked(bytesOf(body), [end], 'canonical').kind, `end ${end}`).toBe('incomplete');
    }
  });

  it('passes a large chunk on as slices of the input', () => {
    const pieces: [Uint8Array, number, number][] = [];
    const filter = new ChunkedFilter();
    const bytes = bytesOf(`${(60_000).toString(16)}\r\n${'x'.repeat(50_000)}`);
    filter.feed(bytes, 0, bytes.length, true, (...piece) => pieces.push(piece));
    expect(pieces).toEqual([[bytes, 0, bytes.length]]);
  });
});

const broken: [title: string, input: string][] = [
  ['no size', '\r\nabc\r\n0\r\n\r\n'],
  ['a blank before the size', ' 3\r\nabc\r\n0\r\n\r\n'],
  ['a blank behind the size', '3 \r\nabc\r\n0\r\n\r\n'],
  ['a tab behind the size', '3\t\r\nabc\r\n0\r\n\r\n'],
  ['a blank inside the size', '0 3\r\nabc\r\n0\r\n\r\n'],
  ['a plus sign', '+3\r\nabc\r\n0\r\n\r\n'],
  ['a minus sign', '-3\r\nabc\r\n0\r\n\r\n'],
  ['0x', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['an underscore', '1_0\r\nabc\r\n0\r\n\r\n'],
  ['a point', '3.0\r\nabc\r\n0\r\n\r\n'],
  ['a letter beyond F', 'g\r\nabc\r\n0\r\n\r\n'],
  ['the sign before A as a size', '@\r\n'],
  ['a back quote as a size', '`\r\n'],
  ['14 digits', '00000000000003\r\nabc\r\n0\r\n\r\n'],
  ['a size that overflows 64 bits', 'ffffffffffffffff3\r\nabc\r\n0\r\n\r\n'],
  ['zeros without end', '0'.repeat(200)],
  ['a size line ended by LF', '3\nabc\r\n0\r\n\r\n'],
  ['a size line ended by CR', '3\rabc\r\n0\r\n\r\n'],
  ['data ended by LF', '3\r\nabc\n0\r\n\r\n'],
  ['data ended by CR', '3\r\nabc\r0\r\n\r\n'],
  ['data ended by CR and another byte than LF', '3\r\nabc\rX0\r\n\r\n'],
  ['data ended by another byte than CR and LF', '3\r\nabcX\n0\r\n\r\n'],
  ['a size line ended by CR and another byte than LF', '3\rXabc\r\n0\r\n\r\n'],
  ['a trailer ended by CR and another byte than LF', '0\r\nA: b\rX\r\n'],
  ['data longer than its size', '3\r\nabcd\r\n0\r\n\r\n'],
  ['data shorter than its size', '4\r\nabc\r\n0\r\n\r\n'],
  ['a last chunk ended by LF', '0\n\r\n'],
  ['an end by LF', '0\r\n\n'],
  ['an end by CR and another byte', '0\r\n\rX'],
  ['a NUL in the size', '3\0\r\nabc\r\n'],
  ['an extension without a name', '3;\r\nabc\r\n0\r\n\r\n'],
  ['an empty extension between two', '3;a;;b\r\nabc\r\n0\r\n\r\n'],
  ['a blank before an extension', '3 ;a\r\nabc\r\n0\r\n\r\n'],
  ['a blank behind the semicolon', '3; a\r\nabc\r\n0\r\n\r\n'],
  ['an extension value of nothing', '3;a=\r\nabc\r\n0\r\n\r\n'],
  ['an extension ended by LF', '3;a\nabc\r\n0\r\n\r\n'],
  ['an extension ended by CR and another byte', '3;a\rX'],
  ['LF in a quoted value', '3;a="\n"\r\nabc\r\n0\r\n\r\n'],
  ['CR LF in a quoted value', '3;a="\r\n"\r\nabc\r\n0\r\n\r\n'],
  ['an escaped CR', '3;a="\\\r"\r\nabc\r\n0\r\n\r\n'],
  ['a byte behind a quoted value', '3;a="b"c\r\nabc\r\n0\r\n\r\n'],
  ['a quote inside a token', '3;a=b"\r\nabc\r\n0\r\n\r\n'],
  ['a control character in an extension', '3;a\x01\r\nabc\r\n0\r\n\r\n'],
  ['a trailer without a colon', '0\r\nabc\r\n\r\n'],
  ['a trailer without a name', '0\r\n: a\r\n\r\n'],
  ['a blank before the colon of a trailer', '0\r\nA : b\r\n\r\n'],
  ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
  ['a trailer ended by LF', '0\r\nA: b\n\r\n'],
  ['a bare CR in a trailer', '0\r\nA: b\rC: d\r\n\r\n'],
  ['a NUL in a trailer', '0\r\nA: \0\r\n\r\n'],
  ['a request instead of the end', '0\r\nGET / HTTP/1.1\r\n\r\n'],
];

describe('RFC 9112 §7.1: broken framing', () => {
  it.each(broken)('refuses %s', (_, input) => {
    expect(readWhole(input)).toEqual({ kind: 'broken' });
    expect(readWhole(input, 'data')).toEqual({ kind: 'broken' });
  });

  it.each(broken)('refuses a body in two parts at any place and byte by byte: %s', (_, input) => {
    for (const ends of arrivals(input.length)) {
      expect(readChunked(bytesOf(input), ends, 'canonical'), `ends ${ends}`).toEqual({ kind: 'broken' });
    }
  });

  it('RFC 9112 §7.1.1: reads a size of 13 digits', () => {
    const filter = new ChunkedFilter();
    const bytes = bytesOf(`fffffffffffff\r\n${'x'.repeat(100)}`);
    expect(filter.feed(bytes, 0, bytes.length, true, () => {})).toBe(bytes.length);
    expect(filter.isDone).toBe(false);
  });
});

describe('the limit on dropped bytes (CVE-2024-22019)', () => {
  const cap = 16 * 1024;

  it.each([
    ['one extension', (count: number) => `1;${'e'.repeat(count)}`],
    ['extensions on many chunks', (count: number) => '1;e\r\nx\r\n'.repeat(count)],
    ['one trailer', (count: number) => `0\r\nT:${'e'.repeat(count)}`],
    ['many trailers', (count: number) => `0\r\n${'T:\r\n'.repeat(count)}`],
    ['extensions, then trailers', (count: number) => `1;${'e'.repeat(cap - 100)}\r\nx\r\n0\r\nT:${'u'.repeat(count)}`],
  ])('refuses %s beyond the limit', (_, make) => {
    expect(readWhole(make(50)).kind).toBe('incomplete');
    expect(readWhole(make(cap + 1))).toEqual({ kind: 'broken' });
  });

  it('does not count data and chunk sizes', () => {
    const input = `${'1\r\nx\r\n'.repeat(20_000)}0\r\n\r\n`;
    expect(readWhole(input)).toMatchObject({ kind: 'done', output: input });
  });
});

describe('any body', () => {
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/);
  const latin1 = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  const text = fc.stringMatching(/^[\t !-~\xa0-\xff]{0,12}$/);
  const quoted = text.map((value) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`);
  const extension = fc
    .tuple(token, fc.option(fc.oneof(token, quoted), { nil: undefined }))
    .map(([name, value]) => (value === undefined ? `;${name}` : `;${name}=${value}`));
  const extensions = fc.array(extension, { maxLength: 2 }).map((list) => list.join(''));
  const chunk = fc.record({ data: latin1.filter((data) => data.length > 0), extensions, zeros: fc.nat(3) });
  const trailers = fc.array(fc.tuple(token, text), { maxLength: 3 });
  const body = fc.record({ chunks: fc.array(chunk, { maxLength: 5 }), lastExtensions: extensions, trailers });

  it('is passed on in canonical form with the same data, in whatever pieces it arrives', () => {
    fc.assert(
      fc.property(body, fc.array(fc.nat(400), { maxLength: 8 }), ({ chunks, lastExtensions, trailers }, cuts) => {
        const input =
          chunks
            .map((one) => `${'0'.repeat(one.zeros)}${one.data.length.toString(16)}${one.extensions}\r\n${one.data}\r\n`)
            .join('') +
          `0${lastExtensions}\r\n` +
          `${trailers.map(([name, value]) => `${name}:${value}\r\n`).join('')}\r\n`;
        const data = chunks.map((one) => one.data).join('');
        const within = cuts.filter((cut) => cut > 0 && cut < input.length).sort((left, right) => left - right);
        const kept = readChunked(bytesOf(input), [...within, input.length], 'canonical');
        expect(kept).toMatchObject({ kind: 'done', rest: input.length });
        if (kept.kind === 'done') expect(decodeCanonical(kept.output)).toBe(data);
        const plain = readChunked(bytesOf(input), [...within, input.length], 'data');
        expect(plain).toEqual({ kind: 'done', output: data, rest: input.length });
      }),
      { numRuns: 500 },
    );
  });
});
