// Request heads: which are accepted and how they are framed, which are refused and why.

import { describe, expect, it } from 'vitest';
import { FieldNames } from '../../gateway/http1/field-names.ts';
import { maxFields } from '../../gateway/http1/head-scanner.ts';
import { statusOf } from '../../gateway/http1/problems.ts';
import { RequestHead } from '../../gateway/http1/request-head.ts';
import { arrivals, bytesOf, fieldsOf, readHead, readRequest } from './reading.ts';

function accept(input: string): RequestHead {
  const head = readRequest(input);
  if (typeof head === 'string') throw new Error(`refused: ${head}`);
  return head;
}

/** A sound 1.1 head with these lines behind `Host`. */
function withLines(...lines: string[]): string {
  return `GET / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** All that a caller can see of a result. */
function seen(head: ReturnType<typeof readRequest>): unknown {
  return typeof head === 'string' ? head : { ...head, names: fieldsOf(head), persistent: head.isPersistent };
}

describe('valid heads', () => {
  it('gives method, path, query, host and fields as they were sent', () => {
    const head = accept(
      'POST /a/%62?c=d?e HTTP/1.1\r\nHost: Example.org:8080\r\nX-A:  b c \t\r\nx-empty:\r\nX-A: d\r\n\r\n',
    );
    expect(head).toMatchObject({ method: 'POST', rawPath: '/a/%62', rawQuery: '?c=d?e', host: 'Example.org:8080' });
    expect(head).toMatchObject({ minorVersion: 1, contentLength: -1, isChunked: false, hasBody: false });
    expect(fieldsOf(head)).toEqual([
      ['Host', 'Example.org:8080'],
      ['X-A', 'b c'],
      ['x-empty', ''],
      ['X-A', 'd'],
    ]);
  });

  it('RFC 9110 §9.1: accepts every registered method, and methods are case-sensitive', () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'REPORT', 'UNLINK']) {
      for (const spelled of [method, method.toLowerCase()]) {
        expect(accept(`${spelled} / HTTP/1.1\r\nHost: a\r\n\r\n`).method).toBe(spelled);
      }
    }
  });

  it('RFC 9112 §5.1: accepts blanks and tabs around a value, and bytes from 0x80 on inside it', () => {
    expect(fieldsOf(accept(withLines('A:\t \xe4\xff b\t ')))[1]).toEqual(['A', '\xe4\xff b']);
  });

  it('a value of blanks alone is empty', () => {
    expect(fieldsOf(accept(withLines('A: \t ')))[1]).toEqual(['A', '']);
  });

  it('keeps a no-break space at the edges of a value, because it is no blank', () => {
    expect(fieldsOf(accept(withLines('A:\xa0b\xa0')))[1]).toEqual(['A', '\xa0b\xa0']);
  });

  it(`accepts ${maxFields} fields and refuses one more with 431`, () => {
    const lines = Array.from({ length: maxFields }, (_, index) => `F${index}: ${index}`);
    expect(accept(withLines(...lines.slice(1))).fieldCount).toBe(maxFields);
    expect(readRequest(withLines(...lines))).toBe('too-many-fields');
    expect(statusOf('too-many-fields')).toBe(431);
  });

  it('keeps nothing of the previous head in a reused object', () => {
    const head = new RequestHead();
    const names = new FieldNames('strict', () => 0);
    const first =
      'POST http://a/x?y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close, b\r\n' +
      'Expect: 100-continue\r\nUpgrade: c\r\n\r\n';
    const second = 'GET / HTTP/1.0\r\n\r\n';
    for (const text of [first, second]) {
      const outcome = readHead(bytesOf(text), [text.length]);
      if (outcome.kind !== 'complete') throw new Error(outcome.kind);
      expect(head.parse(text, outcome.scanner, names)).toBeNull();
    }
    const fresh = accept(second);
    expect({ ...head, fields: [] }).toEqual({ ...fresh, fields: [] });
    expect(head.isPersistent).toBe(false);
  });
});

describe('the start line', () => {
  it.each([
    ['two blanks behind the method', '§3', 'GET  / HTTP/1.1'],
    ['two blanks behind the target', '§3', 'GET /  HTTP/1.1'],
    ['a tab for a blank', '§3', 'GET\t/ HTTP/1.1'],
    ['a blank in front', '§3', ' GET / HTTP/1.1'],
    ['a blank at the end', '§3', 'GET / HTTP/1.1 '],
    ['a blank in the target', '§3.2', 'GET /a b HTTP/1.1'],
    ['no target', '§3', 'GET HTTP/1.1'],
    ['an empty target', '§3.2', 'GET  HTTP/1.1'],
    ['no version (HTTP/0.9)', '§3', 'GET /'],
    ['one word', '§3', 'GET'],
    ['a lower-case version', '§2.3', 'GET / http/1.1'],
    ['a version with two digits', '§2.3', 'GET / HTTP/1.10'],
    ['a version with a leading zero', '§2.3', 'GET / HTTP/01.1'],
    ['another protocol', '§2.3', 'GET / HTCPCP/1.0'],
    ['a comma in the version', '§2.3', 'GET / HTTP/1,1'],
    ['a method that is no token', '§3.1', 'G(T / HTTP/1.1'],
    ['a method with a byte from 0x80 on', '§3.1', 'G\xc4T / HTTP/1.1'],
  ])('refuses %s with 400 (RFC 9112 %s)', (_, __, line) => {
    const problem = readRequest(`${line}\r\nHost: a\r\n\r\n`);
    expect(['bad-start-line', 'bad-method', 'bad-version', 'bad-target']).toContain(problem);
    if (typeof problem === 'string' && problem !== 'incomplete') expect(statusOf(problem)).toBe(400);
  });

  it.each([
    ['CONNECT a:443 HTTP/1.1', 'method-refused', 405],
    ['TRACE / HTTP/1.1', 'method-refused', 405],
    ['connect a:443 HTTP/1.1', 'method-refused', 405],
    ['Trace / HTTP/1.1', 'method-refused', 405],
    ['PRI / HTTP/1.1', 'method-unknown', 501],
    [`${'B'.repeat(33)} / HTTP/1.1`, 'method-unknown', 501],
    ['PRI * HTTP/2.0', 'version-unsupported', 505],
    ['GET / HTTP/2.0', 'version-unsupported', 505],
    ['GET / HTTP/1.2', 'version-unsupported', 505],
    ['GET / HTTP/0.9', 'version-unsupported', 505],
  ] as const)('refuses %s as %s with %d', (line, problem, status) => {
    expect(readRequest(`${line}\r\nHost: a\r\n\r\n`)).toBe(problem);
    expect(statusOf(problem)).toBe(status);
  });
});

describe('field lines', () => {
  it.each([
    ['a blank before the colon', 'RFC 9112 §5.1', 'A : b', 'bad-field-name'],
    ['a tab before the colon', 'RFC 9112 §5.1', 'A\t: b', 'bad-field-name'],
    ['a folded line', 'RFC 9112 §5.2', ' b: c', 'bad-field-name'],
    ['a line folded by a tab', 'RFC 9112 §5.2', '\tb', 'bad-field-line'],
    ['a line without a colon', 'RFC 9112 §5', 'Ab', 'bad-field-line'],
    ['an empty name', 'RFC 9110 §5.1', ': b', 'bad-field-name'],
    ['an underscore', 'CVE-2025-64484', 'X_Forwarded_User: b', 'bad-field-name'],
    ['a point', 'CVE-2025-64484', 'X.Forwarded.User: b', 'bad-field-name'],
    ['a byte from 0x80 on', 'RFC 9110 §5.1', 'A\xe4: b', 'bad-field-name'],
    ['a no-break space before the colon', 'RFC 9110 §5.1', 'Transfer-Encoding\xa0: chunked', 'bad-field-name'],
    ['a quote', 'RFC 9110 §5.1', 'A": b', 'bad-field-name'],
  ])('refuses %s (%s)', (_, __, line, problem) => {
    expect(readRequest(withLines(line))).toBe(problem);
    // the last line has no line behind it to borrow a colon from; the first one has
    expect(readRequest(withLines(line, 'C: d'))).toBe(problem);
  });
});

describe('Host', () => {
  it.each([
    ['RFC 9112 §3.2: none on 1.1', 'GET / HTTP/1.1\r\n\r\n', 'host-missing'],
    ['RFC 9112 §3.2: two', withLines('Host: b'), 'host-repeated'],
    ['RFC 9112 §3.2: two equal ones in other letters', withLines('hOST: a'), 'host-repeated'],
    ['two on 1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', 'host-repeated'],
    ['an empty one', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 'bad-host'],
    ['one of blanks', 'GET / HTTP/1.1\r\nHost: \t\r\n\r\n', 'bad-host'],
  ])('refuses %s', (_, input, problem) => {
    expect(readRequest(input)).toBe(problem);
  });

  it('may be missing in HTTP/1.0', () => {
    expect(accept('GET / HTTP/1.0\r\n\r\n').host).toBe('');
  });
});

describe('framing', () => {
  it.each([
    ['0', 0],
    ['3', 3],
    ['999999999999999', 999_999_999_999_999],
  ])('RFC 9112 §6.2: accepts Content-Length %s', (value, length) => {
    const head = accept(withLines(`Content-Length: ${value}`));
    expect(head).toMatchObject({ contentLength: length, isChunked: false, hasBody: length > 0 });
  });

  it.each([
    '',
    '+3',
    '-3',
    '-0',
    '03',
    '00',
    '0x3',
    '3, 3',
    '3,3',
    '3;',
    '3 3',
    '3.0',
    '3e1',
    '1000000000000000',
    '\xb23',
  ])('RFC 9110 §8.6: refuses Content-Length %j', (value) => {
    expect(readRequest(withLines(`Content-Length: ${value}`))).toBe('bad-content-length');
  });

  it.each([
    ['equal', '3', '3'],
    ['different', '3', '4'],
    ['zero and another', '0', '3'],
    ['another and zero', '3', '0'],
  ])('RFC 9112 §6.3: refuses two Content-Length fields, %s', (_, first, second) => {
    const input = withLines(`Content-Length: ${first}`, `content-LENGTH: ${second}`);
    expect(readRequest(input)).toBe('content-length-repeated');
  });

  it('RFC 9112 §7: accepts chunked in upper and lower case', () => {
    expect(accept(withLines('Transfer-Encoding: chunked'))).toMatchObject({ isChunked: true, hasBody: true });
    expect(accept(withLines('transfer-encoding:\t CHUNKED')).isChunked).toBe(true);
  });

  it.each([
    'xchunked',
    'chunkedx',
    'identity',
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'chunked,',
    ',chunked',
    'chunked;q=1',
    '"chunked"',
    'chun ked',
    '\xa0chunked',
    'chunked\xa0',
    'chunked ',
    'chunked\t',
    '',
  ])('RFC 9112 §6.1: refuses Transfer-Encoding %j', (value) => {
    expect(readRequest(withLines(`Transfer-Encoding: ${value}`))).toBe('bad-transfer-encoding');
  });

  it.each([
    [
      'two Transfer-Encoding',
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
      'transfer-encoding-repeated',
    ],
    ['a length, then chunked', ['Content-Length: 3', 'Transfer-Encoding: chunked'], 'both-framings'],
    ['chunked, then a length', ['Transfer-Encoding: chunked', 'Content-Length: 3'], 'both-framings'],
    ['chunked and a length of 0', ['Content-Length: 0', 'Transfer-Encoding: chunked'], 'both-framings'],
  ] as const)('RFC 9112 §6.3: refuses %s', (_, lines, problem) => {
    expect(readRequest(withLines(...lines))).toBe(problem);
  });

  it('RFC 9112 §6.1: refuses chunked in HTTP/1.0', () => {
    expect(readRequest('POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')).toBe(
      'transfer-encoding-on-1.0',
    );
  });

  it('CVE-2022-32213: refuses a control character before chunked', () => {
    expect(readRequest(withLines('Transfer-Encoding: \x0bchunked'))).toBe('bad-byte');
  });
});

describe('Connection', () => {
  it.each([
    ['1.1', [], true],
    ['1.1', ['Connection: close'], false],
    ['1.1', ['Connection: Close'], false],
    ['1.1', ['Connection: keep-alive, close'], false],
    ['1.1', ['Connection: keep-alive', 'connection: x, CLOSE'], false],
    ['1.1', ['Connection:'], true],
    ['1.0', [], false],
    ['1.0', ['Connection: keep-alive'], true],
    ['1.0', ['Connection: Keep-Alive, x'], true],
    ['1.0', ['Connection: keep-alive', 'Connection: close'], false],
  ] as const)('RFC 9112 §9.3: %s with %j is persistent: %s', (version, lines, persistent) => {
    const head = accept(`GET / HTTP/${version}\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`);
    expect(head.isPersistent).toBe(persistent);
  });

  it('RFC 9110 §7.6.1: Connection gives the listed names in lower case, without blanks and without close', () => {
    const head = accept(withLines('Connection: close, X-Forwarded-User ,,\tTE', 'Connection: Upgrade'));
    expect(head.connectionNames).toEqual(['x-forwarded-user', 'te', 'upgrade']);
    expect(head.saysClose).toBe(true);
    expect(accept(withLines('Connection: keep-alive')).connectionNames).toBeNull();
  });

  it.each(['a b', 'close; x', '"close"', 'a\xa0', '\xa0close', 'close\xa0', '(x)'])('refuses %j', (value) => {
    expect(readRequest(withLines(`Connection: ${value}`))).toBe('bad-connection');
  });

  it.each(['Host', 'Content-Length', 'close, transfer-encoding', 'Connection', 'EXPECT'])(
    'RFC 9110 §7.6.1: refuses to hide %s from the next hop',
    (value) => {
      expect(readRequest(withLines(`Connection: ${value}`))).toBe('bad-connection');
    },
  );

  it('refuses more than 32 options, on one line or on several', () => {
    const options = Array.from({ length: 32 }, (_, index) => `n${index}`);
    expect(accept(withLines(`Connection: ${options.join(',')}`)).connectionNames).toEqual(options);
    expect(readRequest(withLines(`Connection: ${options.join(',')},x`))).toBe('bad-connection');
    expect(readRequest(withLines(`Connection: ${','.repeat(32)}`))).toBe('bad-connection');
    expect(readRequest(withLines(`Connection: ${options.join(',')}`, 'Connection: x'))).toBe('bad-connection');
  });
});

describe('Expect and Upgrade', () => {
  it('RFC 9110 §10.1.1: reads 100-continue in upper and lower case, and ignores it in HTTP/1.0', () => {
    expect(accept(withLines('Expect: 100-Continue')).expectsContinue).toBe(true);
    expect(accept('GET / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n').expectsContinue).toBe(false);
  });

  it.each([
    ['another one', ['Expect: 200-ok']],
    ['an empty one', ['Expect:']],
    ['a list', ['Expect: 100-continue, x']],
    ['two', ['Expect: 100-continue', 'Expect: 100-continue']],
  ])('RFC 9110 §10.1.1: refuses %s with 417, in HTTP/1.1 and HTTP/1.0', (_, lines) => {
    expect(readRequest(withLines(...lines))).toBe('bad-expectation');
    expect(readRequest(withLines(...lines).replace('HTTP/1.1', 'HTTP/1.0'))).toBe('bad-expectation');
    expect(statusOf('bad-expectation')).toBe(417);
  });

  it('notices that the request asks for an upgrade', () => {
    expect(accept(withLines('Upgrade: websocket')).hasUpgrade).toBe(true);
    expect(accept(withLines('X-Upgrade: websocket')).hasUpgrade).toBe(false);
  });
});

describe('resumption', () => {
  it.each([
    'POST http://a/x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close, b\r\nCookie: c=d\r\nE:\r\n\r\n',
    '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    'GET / HTTP/1.0\r\n\r\n',
    withLines('A : b'),
    withLines('Content-Length: 3', 'Transfer-Encoding: chunked'),
    '\r\nGET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n',
    '\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ])('gives the same result for %j in two parts at any place, and byte by byte', (input) => {
    const whole = seen(readRequest(input));
    for (const ends of arrivals(input.length))
      expect(seen(readRequest(input, [...ends])), `ends ${ends}`).toEqual(whole);
  });
});
