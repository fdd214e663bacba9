// The scan of a head: where the head ends, where its lines end, which bytes and how many lines it may have.

import { describe, expect, it } from 'vitest';
import {
  badByte,
  HeadScanner,
  maxFields,
  maxHeadBytes,
  needMore,
  tooManyLines,
} from '../../gateway/http1/head-scanner.ts';
import { arrivals, bytesOf } from './reading.ts';

function scanInOne(text: string): number {
  const bytes = bytesOf(text);
  return new HeadScanner().scan(bytes, 0, bytes.length);
}

/** Scans arrival by arrival; the last answer, and the lines found. */
function scanInPieces(text: string, ends: readonly number[]): { length: number; lineEnds: number[] } {
  const bytes = bytesOf(text);
  const scanner = new HeadScanner();
  let length = needMore;
  for (const end of ends) {
    length = scanner.scan(bytes, 0, end);
    if (length !== needMore) break;
  }
  return { length, lineEnds: [...scanner.lineEnds.subarray(0, scanner.lines)] };
}

function headWithFields(count: number): string {
  return `GET / HTTP/1.1\r\n${Array.from({ length: count }, (_, index) => `F${index}: v\r\n`).join('')}\r\n`;
}

describe('the end of a head', () => {
  it('RFC 9112 §2.1: is the first empty line, and later bytes are not looked at', () => {
    expect(scanInOne('GET / HTTP/1.1\r\nHost: a\r\n\r\n\0\n\r\x01')).toBe(27);
  });

  it('gives the offset of the end of each line', () => {
    const scanned = scanInPieces('GET / HTTP/1.1\r\nHost: a\r\nA:\r\n\r\n', [31]);
    expect(scanned).toEqual({ length: 31, lineEnds: [14, 23, 27] });
  });

  it.each(['GET / HTTP/1.1\r\nHost: a\r\n\r', 'GET / HTTP/1.1\r\nHost: a\r\n', 'GET / HTTP/1.1\r', 'G', '', '\r'])(
    'waits for more after %j',
    (text) => {
      expect(scanInOne(text)).toBe(needMore);
    },
  );

  it('RFC 9112 §2.2: reports an empty line before the start line as 2 bytes without lines, and goes on behind it', () => {
    const bytes = bytesOf('\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
    for (const ends of arrivals(bytes.length)) {
      const scanner = new HeadScanner();
      let start = 0;
      let length = needMore;
      for (const end of ends) {
        length = scanner.scan(bytes, start, end);
        if (length === 2 && scanner.lines === 0) {
          start += 2;
          length = scanner.scan(bytes, start, end);
        }
      }
      expect([start, length, scanner.lines, scanner.lineEnds[0], scanner.lineEnds[1]]).toEqual([2, 27, 2, 14, 23]);
    }
  });

  it('starts anywhere in a buffer and gives offsets relative to that place', () => {
    const bytes = bytesOf('\0\0\0GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const scanner = new HeadScanner();
    expect(scanner.scan(bytes, 3, 20)).toBe(needMore);
    expect(scanner.scan(bytes, 3, bytes.length)).toBe(27);
    expect([...scanner.lineEnds.subarray(0, 2)]).toEqual([14, 23]);
  });

  it('does not read beyond the bytes that have arrived', () => {
    const bytes = bytesOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(new HeadScanner().scan(bytes, 0, bytes.length - 1)).toBe(needMore);
    expect(new HeadScanner().scan(bytesOf('GET\0'), 0, 3)).toBe(needMore);
  });

  it('keeps nothing of the previous head after a reset', () => {
    const scanner = new HeadScanner();
    const first = bytesOf('GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n');
    expect(scanner.scan(first, 0, first.length)).toBe(first.length);
    scanner.reset();
    const second = bytesOf('PUT / HTTP/1.1\r\nA: b\r\n\r\n');
    expect(scanner.scan(second, 0, 5)).toBe(needMore);
    scanner.reset();
    expect(scanner.scan(second, 0, second.length)).toBe(second.length);
    expect([...scanner.lineEnds.subarray(0, scanner.lines)]).toEqual([14, 20]);
  });
});

describe('bytes that no head may hold', () => {
  it.each([
    ['a bare LF ends a line', 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
    ['a bare LF ends the head', 'GET / HTTP/1.1\r\nHost: a\r\n\n'],
    ['LF CR instead of CR LF', 'GET / HTTP/1.1\r\nHost: a\n\r\n\r'],
    ['a bare CR inside a value', 'GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n'],
    ['CR CR LF', 'GET / HTTP/1.1\r\r\nHost: a\r\n\r\n'],
    ['CR CR LF as the empty line', 'GET / HTTP/1.1\r\nHost: a\r\n\r\r\n'],
    ['a bare CR before the start line', '\rGET / HTTP/1.1\r\n\r\n'],
    ['a bare LF before the start line', '\nGET / HTTP/1.1\r\n\r\n'],
  ])('RFC 9112 §2.2: refuses %s', (_, text) => {
    expect(scanInOne(text)).toBe(badByte);
  });

  it('RFC 9110 §5.5: refuses DEL and each control character but HT; accepts every other byte', () => {
    for (let byte = 0; byte < 256; byte++) {
      if (byte === 0x0d) continue;
      const control = (byte < 0x20 && byte !== 0x09) || byte === 0x7f;
      const text = `GET / HTTP/1.1\r\nA: b${String.fromCharCode(byte)}c\r\n\r\n`;
      expect(scanInOne(text), `byte ${byte}`).toBe(control ? badByte : text.length);
    }
  });
});

describe('caps', () => {
  it(`accepts ${maxFields} fields and refuses one more, in one piece and byte by byte`, () => {
    const full = headWithFields(maxFields);
    expect(scanInPieces(full, [full.length])).toMatchObject({ length: full.length });
    expect(scanInPieces(full, [full.length]).lineEnds).toHaveLength(maxFields + 1);
    const over = headWithFields(maxFields + 1);
    const byByte = Array.from({ length: over.length }, (_, index) => index + 1);
    for (const ends of [[over.length], byByte]) {
      const scanned = scanInPieces(over, ends);
      expect(scanned.length).toBe(tooManyLines);
      expect(scanned.lineEnds).toHaveLength(maxFields + 1);
    }
  });

  it('never counts more lines than it has room for, however often it scans again', () => {
    const bytes = bytesOf(headWithFields(3 * maxFields));
    const scanner = new HeadScanner();
    for (let round = 0; round < 5; round++) expect(scanner.scan(bytes, 0, bytes.length)).toBe(tooManyLines);
    expect(scanner.lines).toBeLessThanOrEqual(scanner.lineEnds.length);
  });

  it('leaves the limit on bytes to its caller', () => {
    const text = `GET / HTTP/1.1\r\nA: ${'b'.repeat(maxHeadBytes)}\r\n\r\n`;
    expect(scanInOne(text)).toBe(text.length);
  });
});

describe('resumption', () => {
  it.each([
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nEmpty:\r\nA:\tb \r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\rX',
    'GET / HTTP/1.1\r\nHost\0: a\r\n\r\n',
  ])('gives the same result for %j in two parts at any place, and byte by byte', (text) => {
    const whole = scanInPieces(text, [text.length]);
    for (const ends of arrivals(text.length)) expect(scanInPieces(text, ends), `ends ${ends}`).toEqual(whole);
  });

  it('looks about once at each byte of a head that arrives byte by byte', () => {
    let looks = 0;
    const bytes = bytesOf(`GET / HTTP/1.1\r\nA: ${'b'.repeat(2000)}\r\n\r\n`);
    const counting = new Proxy(bytes, {
      get(target, key) {
        looks++;
        return Reflect.get(target, key);
      },
    });
    const scanner = new HeadScanner();
    for (let end = 1; end <= bytes.length; end++) scanner.scan(counting, 0, end);
    expect(scanner.lines).toBe(2);
    expect(looks).toBeLessThan(2 * bytes.length);
  });
});
