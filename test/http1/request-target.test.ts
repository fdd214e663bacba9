// Request targets and methods: which are accepted, which part is path or query, and which host the request is for.

import { describe, expect, it } from 'vitest';
import { statusOf } from '../../gateway/http1/problems.ts';
import { maxTargetLength, type RequestHead } from '../../gateway/http1/request-head.ts';
import { readRequest } from './reading.ts';

function accept(input: string): RequestHead {
  const head = readRequest(input);
  if (typeof head === 'string') throw new Error(`refused: ${head}`);
  return head;
}

function withTarget(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

describe('the method', () => {
  it.each(['BREW', 'QUERY', 'SUBSCRIBE', 'PURGE', 'get', 'Get', "M-SEARCH'*", 'B'.repeat(32)])(
    'RFC 9110 §9.1: accepts %s, and keeps its case',
    (method) => {
      expect(accept(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`).method).toBe(method);
    },
  );
});

describe('the target', () => {
  it.each([
    ['/', '/', ''],
    ['/?', '/', '?'],
    ['/a?b?c', '/a', '?b?c'],
    ['//a//b', '//a//b', ''],
    ['/a:b@c', '/a:b@c', ''],
    ['/\xc3\xbc?q="\xc3\xbc"&<x>', '/\xc3\xbc', '?q="\xc3\xbc"&<x>'],
    ['/http://x/?y', '/http://x/', '?y'],
    ['http://a/b?c', '/b', '?c'],
    ['http://a', '/', ''],
    ['http://a?b', '/', '?b'],
    ['HTTP://A/b', '/b', ''],
  ])('RFC 9112 §3.2: %s has the path %j and the query %j', (target, rawPath, rawQuery) => {
    expect(accept(withTarget(target))).toMatchObject({ rawPath, rawQuery });
  });

  it.each([
    ['*', '§3.2.4'],
    ['a:443', '§3.2.3'],
    ['a/b', '§3.2.1'],
    ['?a', '§3.2.1'],
    ['https://a/', '§3.2.2'],
    ['ftp://a/', '§3.2.2'],
    ['http:/a', '§3.2.2'],
    ['http:///a', '§3.2.2'],
    ['http://?a', '§3.2.2'],
    ['http://u@a/', '§3.2.2'],
    ['http://a\\b/', '§3.2.2'],
    ['/a#b', '§3.2'],
    ['/a?b#c', '§3.2'],
    ['http://a/#b', '§3.2'],
    ['http://a#b', '§3.2'],
    ['/a\tb', '§3.2'],
    ['/\xe4', '§3.2'],
    ['/?\xff', '§3.2'],
    ['/?\xc3', '§3.2'],
    ['/\xc0\xaf', '§3.2'],
  ])('refuses %j (RFC 9112 %s)', (target) => {
    expect(readRequest(withTarget(target))).toBe('bad-target');
  });

  it('RFC 9112 §3.2.2: the authority of a target in absolute form is the host, whatever Host says', () => {
    for (const line of [
      'http://b:81/ HTTP/1.1\r\nHost: a',
      'http://b:81/ HTTP/1.0',
      'HTTP://b:81 HTTP/1.1\r\nHost: b',
    ]) {
      expect(accept(`GET ${line}\r\n\r\n`)).toMatchObject({ host: 'b:81', isHostOfTarget: true, rawPath: '/' });
    }
    expect(accept('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatchObject({ host: 'a', isHostOfTarget: false });
  });

  it('RFC 9112 §3.2: an invalid Host is refused even where the target names the host', () => {
    for (const fields of [
      '',
      'Host:\r\n',
      'Host: a b\r\n',
      'Host: u@a\r\n',
      'Host: a\r\nHost: a\r\n',
      'Host: a/\r\n',
    ]) {
      expect(typeof readRequest(`GET http://b/ HTTP/1.1\r\n${fields}\r\n`)).toBe('string');
    }
    expect(readRequest('GET http:/// HTTP/1.0\r\n\r\n')).toBe('bad-target');
  });

  it(`RFC 9112 §3: accepts ${maxTargetLength} characters and refuses one more with 414`, () => {
    const longest = `/${'a'.repeat(maxTargetLength - 1)}`;
    expect(accept(withTarget(longest)).rawPath).toBe(longest);
    expect(readRequest(withTarget(`${longest}a`))).toBe('target-too-long');
    expect(statusOf('target-too-long')).toBe(414);
  });
});
