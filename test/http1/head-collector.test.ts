// Heads read out of chunks, however the stream is cut.

import { describe, expect, test } from 'vitest';
import { HeadCollector, headTooLarge } from '../../gateway/http1/head-collector.ts';
import { badByte, HeadScanner, maxHeadBytes, needMore, tooManyLines } from '../../gateway/http1/head-scanner.ts';

const head = 'GET /a HTTP/1.1\r\nHost: example.org\r\nX-Long: aaaaaaaaaa\r\n\r\n';

function collect(chunks: readonly string[]): { text: string; rest: string; lines: number } | number {
  const heads = new HeadCollector(new HeadScanner());
  for (const text of chunks) {
    const chunk = Buffer.from(text, 'latin1');
    const length = heads.read(chunk, 0, chunk.length);
    if (length === needMore) continue;
    if (length < 0) return length;
    return { text: heads.takeText(), rest: text.slice(heads.end), lines: heads.scanner.lines };
  }
  return needMore;
}

test('a head in one piece ends where its empty line ends', () => {
  expect(collect([`${head}body`])).toEqual({ text: head, rest: 'body', lines: 3 });
});

test('a head that arrives in two pieces, cut anywhere, is read like a whole one', () => {
  for (let at = 1; at < head.length; at++) {
    expect(collect([head.slice(0, at), `${head.slice(at)}body`])).toEqual({ text: head, rest: 'body', lines: 3 });
  }
  expect(collect([...head.slice(0, -1), `${head.slice(-1)}body`])).toEqual({ text: head, rest: 'body', lines: 3 });
});

test('the head after one that came in pieces is read on its own', () => {
  const heads = new HeadCollector(new HeadScanner());
  const first = Buffer.from(head.slice(0, 20));
  const second = Buffer.from(head.slice(20) + head);
  expect(heads.read(first, 0, first.length)).toBe(needMore);
  expect(heads.isPartial).toBe(true);
  expect(heads.read(second, 0, second.length)).toBe(head.length);
  expect(heads.isPartial).toBe(false);
  expect(heads.read(second, heads.end, second.length)).toBe(head.length);
  expect(heads.takeText()).toBe(head);
  expect(heads.takeText()).toBe('');
});

describe('a head that is refused', () => {
  test('is longer than the limit, in one piece or in many', () => {
    const long = `GET / HTTP/1.1\r\nX: ${'a'.repeat(maxHeadBytes)}\r\n\r\n`;
    expect(collect([long])).toBe(headTooLarge);
    expect(collect([long.slice(0, 20_000), long.slice(20_000)])).toBe(headTooLarge);
    expect(collect(['GET / HTTP/1.1\r\nX: ', 'a'.repeat(maxHeadBytes)])).toBe(headTooLarge);
  });

  test('is accepted at exactly the limit', () => {
    const fitting = `GET / HTTP/1.1\r\nX: ${'a'.repeat(maxHeadBytes - 23)}\r\n\r\n`;
    expect(fitting).toHaveLength(maxHeadBytes);
    expect(collect([fitting])).toMatchObject({ text: fitting });
    expect(collect([fitting.slice(0, 5), fitting.slice(5)])).toMatchObject({ text: fitting });
  });

  test('has a bad byte or too many lines', () => {
    expect(collect(['GET / HT', 'TP/1.1\n\n'])).toBe(badByte);
    expect(collect([`GET / HTTP/1.1\r\n`, 'A: b\r\n'.repeat(101), '\r\n'])).toBe(tooManyLines);
  });
});
