// Response heads: they are parsed as strictly as request heads, and say how the body ends.

import { describe, expect, it } from 'vitest';
import { ResponseHead } from '../../gateway/http1/response-head.ts';
import { arrivals, fieldsOf, readResponse } from './reading.ts';

function accept(input: string): ResponseHead {
  const head = readResponse(input);
  if (typeof head === 'string') throw new Error(`refused: ${head}`);
  return head;
}

function withLines(status: number, ...lines: string[]): string {
  return `HTTP/1.1 ${status} x\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

describe('the status line', () => {
  it.each([
    ['HTTP/1.1 200 OK', 200, '200 OK'],
    ['HTTP/1.1 404 Not Found', 404, '404 Not Found'],
    ['HTTP/1.1 200 ', 200, '200 '],
    ['HTTP/1.1 200', 200, '200'],
    ['HTTP/1.0 599 \xe4\t', 599, '599 \xe4\t'],
    ['HTTP/1.1 100 Continue', 100, '100 Continue'],
  ])('RFC 9112 §4: accepts %j', (line, status, rest) => {
    const head = accept(`${line}\r\n\r\n`);
    expect(head.status).toBe(status);
    expect(head.text.slice(ResponseHead.statusAt, head.startLineEnd)).toBe(rest);
  });

  it.each([
    ['HTTP/1.1 20 OK', 'bad-status'],
    ['HTTP/1.1 2000 OK', 'bad-status'],
    ['HTTP/1.1 099 x', 'bad-status'],
    ['HTTP/1.1 600 x', 'bad-status'],
    ['HTTP/1.1 2x0 x', 'bad-status'],
    ['HTTP/1.1 +20 x', 'bad-status'],
    ['HTTP/1.1  200 OK', 'bad-status'],
    ['HTTP/1.1 200\tOK', 'bad-status'],
    ['HTTP/1.1 ', 'bad-status'],
    ['HTTP/1.1 2', 'bad-status'],
    ['HTTP/1.1', 'bad-version'],
    ['HTTP/1.1\t200 OK', 'bad-version'],
    ['HTTP/2.0 200 OK', 'bad-version'],
    ['HTTP/1.2 200 OK', 'bad-version'],
    ['http/1.1 200 OK', 'bad-version'],
    ['ICY 200 OK', 'bad-version'],
    ['GET / HTTP/1.1', 'bad-version'],
  ])('RFC 9112 §4: refuses %j', (line, problem) => {
    expect(readResponse(`${line}\r\nA: b\r\n\r\n`)).toBe(problem);
  });
});

describe('fields', () => {
  it('RFC 9110 §5.6.2: accepts every token as a name', () => {
    expect(fieldsOf(accept(withLines(200, "!#$%&'*+-.^_`|~: a", 'x_y: b')))).toEqual([
      ["!#$%&'*+-.^_`|~", 'a'],
      ['x_y', 'b'],
    ]);
  });

  it.each([
    ['a blank before the colon', ['A : b'], 'bad-field-name'],
    ['a folded line', ['A: b', ' c: d'], 'bad-field-name'],
    ['no colon', ['A'], 'bad-field-line'],
    ['two lengths', ['Content-Length: 3', 'Content-Length: 3'], 'content-length-repeated'],
    ['a list of lengths', ['Content-Length: 3, 3'], 'bad-content-length'],
    ['another coding', ['Transfer-Encoding: gzip, chunked'], 'bad-transfer-encoding'],
    ['two codings', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], 'transfer-encoding-repeated'],
    ['both framings', ['Transfer-Encoding: chunked', 'Content-Length: 3'], 'both-framings'],
    ['a hidden length', ['Connection: content-length', 'Content-Length: 3'], 'bad-connection'],
  ] as const)('RFC 9112 §5, §6: refuses %s', (_, lines, problem) => {
    expect(readResponse(withLines(200, ...lines))).toBe(problem);
  });

  it('refuses a bare LF in a value', () => {
    expect(readResponse(withLines(200, 'A: b\nSet-Cookie: c'))).toBe('bad-byte');
  });

  it('RFC 9112 §6.1: refuses chunked in HTTP/1.0', () => {
    expect(readResponse('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')).toBe('transfer-encoding-on-1.0');
  });

  it.each([100, 101, 103, 204])('RFC 9112 §6.1: refuses a body with status %d', (status) => {
    expect(readResponse(withLines(status, 'Transfer-Encoding: chunked'))).toBe('bad-transfer-encoding');
    expect(readResponse(withLines(status, 'Content-Length: 3'))).toBe('bad-content-length');
    expect(accept(withLines(status, 'Content-Length: 0')).framing('GET')).toBe('none');
  });

  it.each([100, 102, 103])('RFC 9110 §15.2: refuses %d that ends the connection before the final answer', (status) => {
    expect(readResponse(withLines(status, 'Connection: close'))).toBe('bad-connection');
    expect(readResponse(`HTTP/1.0 ${status} Early\r\n\r\n`)).toBe('bad-connection');
    expect(accept(withLines(status, 'Connection: keep-alive')).status).toBe(status);
  });
});

describe('RFC 9112 §6.3: the end of the body', () => {
  it.each([
    ['GET', 200, ['Content-Length: 3'], 'length'],
    ['GET', 200, ['Content-Length: 0'], 'none'],
    ['GET', 200, ['Transfer-Encoding: chunked'], 'chunked'],
    ['GET', 200, [], 'until-close'],
    ['POST', 500, [], 'until-close'],
    ['HEAD', 200, ['Content-Length: 3'], 'none'],
    ['HEAD', 200, ['Transfer-Encoding: chunked'], 'none'],
    ['HEAD', 200, [], 'none'],
    ['GET', 304, ['Content-Length: 3'], 'none'],
    ['GET', 304, ['Transfer-Encoding: chunked'], 'none'],
    ['GET', 204, [], 'none'],
    ['GET', 100, [], 'none'],
    ['GET', 103, [], 'none'],
  ] as const)('an answer to %s with status %d and %j is framed by: %s', (method, status, lines, framing) => {
    expect(accept(withLines(status, ...lines)).framing(method)).toBe(framing);
  });

  it.each([
    ['1.1', [], true],
    ['1.1', ['Connection: close'], false],
    ['1.0', [], false],
    ['1.0', ['Connection: keep-alive'], true],
  ] as const)('RFC 9112 §9.3: the connection stays open after %s with %j: %s', (version, lines, stays) => {
    const text = `HTTP/${version} 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
    expect(accept(text).isPersistent).toBe(stays);
  });
});

describe('resumption', () => {
  it.each([
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\n',
    'HTTP/1.1 304\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
    'HTTP/1.1 200 OK\nA: b\r\n\r\n',
  ])('gives the same result for %j in two parts at any place, and byte by byte', (input) => {
    const seen = (head: ReturnType<typeof readResponse>) =>
      typeof head === 'string' ? head : { ...head, names: fieldsOf(head), framing: head.framing('GET') };
    const whole = seen(readResponse(input));
    for (const ends of arrivals(input.length))
      expect(seen(readResponse(input, [...ends])), `ends ${ends}`).toEqual(whole);
  });
});
