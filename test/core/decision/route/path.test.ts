// The canonical path: a table of inputs from the attack list, and properties over random ones.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalPath,
  canonicalPathKeepingSlashes,
  explainPath,
  rawQueryIsClean,
} from '../../../../gateway/core/decision/route/path.ts';

const kept = [
  '/',
  '/vod/',
  '/vod/a.m3u8',
  '/vod/a..b/c.d.',
  '/.well-known/x',
  '/.t/abc/vod/a.ts',
  '/.../x',
  '/..x/y',
  '/.x',
  '/a;b=c/d',
  '/a.;x',
  "/a!$&'()*+,=:@-_~/b",
  '/a|{}^[]`/b',
  '/%20',
  '/%25',
  '/%25zz',
  '/%253',
  '/%2A%3B%3F%23',
  '/caf%C3%A9',
  '/%E2%82%AC',
  '/%F0%9F%8E%AC.ts',
  '/%F4%8F%BF%BF',
  '/%ED%9F%BF',
  '/%EE%80%80',
];

const rewritten: readonly (readonly [string, string])[] = [
  ['/%61', '/a'],
  ['/%7Euser', '/~user'],
  ['/%7euser', '/~user'],
  ['/a%2Db%5fc%2ed', '/a-b_c.d'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/%e2%82%ac/%41', '/%E2%82%AC/A'],
  ['/a%3bx', '/a%3Bx'],
  ['/%2e%2e%2e/x', '/.../x'],
  ['/%2ewell-known/x', '/.well-known/x'],
];

const refused: readonly (readonly [string, string])[] = [
  ['', 'begin'],
  ['*', 'begin'],
  ['vod/', 'begin'],
  ['%2Fvod', 'begin'],
  ['http://a/', 'begin'],
  ['/.', 'dot segment'],
  ['/..', 'dot segment'],
  ['/a/.', 'dot segment'],
  ['/a/..', 'dot segment'],
  ['/./a', 'dot segment'],
  ['/public/../admin', 'dot segment'],
  ['/public/%2e%2e/admin', 'dot segment'],
  ['/public/%2E./admin', 'dot segment'],
  ['/public/.%2e', 'dot segment'],
  ['/public/%2e', 'dot segment'],
  ['/public/..;/admin', 'dot segment'],
  ['/public/..;x=1/admin', 'dot segment'],
  ['/public/.;x', 'dot segment'],
  ['/public/%2e%2e;x/admin', 'dot segment'],
  ['/public/..%3bx/admin', 'dot segment'],
  ['/public/..%3Bx/admin', 'dot segment'],
  ['//', 'empty segment'],
  ['//evil/x', 'empty segment'],
  ['/a//b', 'empty segment'],
  ['/a%20//b', 'empty segment'],
  ['/a/b//', 'empty segment'],
  ['/a\\b', 'unencoded'],
  ['/..\\admin', 'unencoded'],
  ['/a#b', 'unencoded'],
  ['/a"b', 'unencoded'],
  ['/a<b', 'unencoded'],
  ['/a>b', 'unencoded'],
  ['/a?b', 'unencoded'],
  ['/a b', 'unencoded'],
  ['/a\tb', 'unencoded'],
  ['/a\x00b', 'unencoded'],
  ['/a\x7fb', 'unencoded'],
  ['/a\x80b', 'unencoded'],
  ['/caf\xe9', 'unencoded'],
  ['/a\u0141b', 'unencoded'],
  ['/a%20\u0141b', 'unencoded'],
  ['/a%2fb', 'encoded slash'],
  ['/a%2Fb', 'encoded slash'],
  ['/a%5cb', 'encoded slash'],
  ['/a%5Cb', 'encoded slash'],
  ['/a%00b', 'encoded control'],
  ['/a%0d%0aX: y', 'encoded control'],
  ['/a%1F', 'encoded control'],
  ['/a%7f', 'encoded control'],
  ['/%', 'without two'],
  ['/%4', 'without two'],
  ['/%4g', 'without two'],
  ['/%u0041', 'without two'],
  ['/%%32%66', 'without two'],
  ['/%\u0134\u0131', 'without two'],
  ['/%252f', 'encoded twice'],
  ['/%252e%252e/x', 'encoded twice'],
  ['/%25%32%66', 'encoded twice'],
  ['/%2541', 'encoded twice'],
  ['/%c0%ae%c0%ae/x', 'not UTF-8'],
  ['/%c0%af', 'not UTF-8'],
  ['/%e0%80%af', 'not UTF-8'],
  ['/%f0%80%80%af', 'not UTF-8'],
  ['/%ed%a0%80', 'not UTF-8'],
  ['/%f4%90%80%80', 'not UTF-8'],
  ['/%ff', 'not UTF-8'],
  ['/%80', 'not UTF-8'],
  ['/%c3', 'not UTF-8'],
  ['/%c3/%a9', 'not UTF-8'],
  ['/%c3x', 'not UTF-8'],
  ['/%c3%41', 'not UTF-8'],
  ['/%e2%82', 'not UTF-8'],
];

/** Paths that crowd around the edges of the rules. */
const hostilePath = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '/',
        '.',
        '..',
        ';',
        '%',
        '%2',
        '%25',
        '%2e',
        '%2E',
        '%2f',
        '%5c',
        '%3b',
        '%32',
        '%65',
        '%c3',
        '%a9',
      ),
      fc.constantFrom(
        'a',
        'F',
        '0',
        '~',
        '%7E',
        '%e2',
        '%82',
        '%ac',
        '%00',
        '\\',
        '#',
        ' ',
        '\xff',
        '%C0',
        '%ed',
        '%f4',
      ),
      fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join('')}`);

describe('canonicalPath', () => {
  it.each(kept)('gives %s back as the same string', (path) => {
    expect(canonicalPath(path)).toBe(path);
    expect(explainPath(path)).toBe('the path is fine');
  });

  it.each(rewritten)('turns %s into %s', (raw, path) => {
    expect(canonicalPath(raw)).toBe(path);
  });

  it.each(refused)('refuses %j (%s)', (raw, word) => {
    expect(canonicalPath(raw)).toBeNull();
    expect(explainPath(raw)).toContain(word);
  });

  it('is idempotent and never throws, and explains exactly what it refuses', () => {
    fc.assert(
      fc.property(hostilePath, (raw) => {
        const path = canonicalPath(raw);
        expect(explainPath(raw) === 'the path is fine').toBe(path !== null);
        if (path !== null) expect(canonicalPath(path)).toBe(path);
      }),
      { numRuns: 3000 },
    );
  });

  it('never lets through what one more decoder would read as a dot segment, a slash or a control', () => {
    fc.assert(
      fc.property(hostilePath, (raw) => {
        const path = canonicalPath(raw);
        if (path === null) return;
        const decoded = decodeURIComponent(path.replace(/%(?![0-9A-F]{2})/g, '%25'));
        for (const segment of decoded.split('/')) expect(['.', '..']).not.toContain(segment.split(';')[0] || 'empty');
        expect(decoded.split('/').length).toBe(path.split('/').length);
        expect(decoded).not.toMatch(/\\|\/\/|%[0-9a-f]{2}/i);
        expect([...decoded].every((character) => character >= ' ' && character !== '\x7f')).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('takes time in proportion to the path, clean or refused at its end', () => {
    const long = '/segment'.repeat(50_000);
    const started = process.cpuUsage();
    expect(canonicalPath(long)).toBe(long);
    for (const end of ['//', '/..', ' ', '%', '%c3']) expect(canonicalPath(long + end)).toBeNull();
    expect(process.cpuUsage(started).user).toBeLessThan(2_000_000);
  });

  it('accepts every path that the URL standard leaves untouched, for printable unreserved text', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/)), (segments) => {
        const path = `/${segments.join('/')}`;
        expect(canonicalPath(path)).toBe(new URL(path, 'http://h').pathname);
      }),
    );
  });
});

describe('rawQueryIsClean', () => {
  it.each(['', 'a=b', 'a=%zz&b=%2f', 'x=|{}^[]\\`~', '/?=&', 'q="x"', '<x>', '\xc3\xbc', '\x80', '\xff'])(
    'leaves %j alone',
    (query) => {
      expect(rawQueryIsClean(query)).toBe(true);
    },
  );

  it.each(['a b', 'a#b', '\x00', '\t', '\r\n', '\x7f', '\u0141'])('refuses %j', (query) => {
    expect(rawQueryIsClean(query)).toBe(false);
  });
});

describe('canonicalPathKeepingSlashes', () => {
  it.each([...kept, '/a%2Fb', '/a%2Fb/c%2Fd', '/a%2F', '/a/b%2F..c', '/a%2F.b'])('gives %s back', (path) => {
    expect(canonicalPathKeepingSlashes(path)).toBe(path);
  });

  it('writes it in upper case, and decodes the rest once', () => {
    expect(canonicalPathKeepingSlashes('/%61%2fb%7e')).toBe('/a%2Fb~');
  });

  it.each([
    '/%2F',
    '/%2Fa',
    '/a/%2Fb',
    '/a%2F/b',
    '/a%2F%2Fb',
    '/a%2F%2f',
    '/a/..%2Fb',
    '/a/..%2f',
    '/a/%2e%2e%2Fb',
    '/a/.%2Fb',
    '/a%2F..',
    '/a%2F../b',
    '/a%2F.',
    '/a%2F%2e%2e',
    '/a%2F.;x',
    '/a%2F..%3Bx/b',
    '/a;%2F..;x%2Fb',
    '/a%5Cb',
    '/a%2F%5c',
    '/a%252Fb',
    '/a%2F%252e',
    '/a%2',
    '/a%2F%00',
    '/a%c0%afb',
    '%2Fa',
  ])('refuses %s', (raw) => {
    expect(canonicalPathKeepingSlashes(raw)).toBeNull();
  });

  it('never lets through what one more decoder would read as an empty or a dot segment, or a backslash', () => {
    fc.assert(
      fc.property(hostilePath, (raw) => {
        const path = canonicalPathKeepingSlashes(raw);
        if (path === null) return;
        expect(canonicalPathKeepingSlashes(path)).toBe(path);
        const decoded = path.replaceAll('%2F', '/');
        expect(canonicalPath(decoded)).toBe(decoded);
        if (!path.includes('%2F')) expect(canonicalPath(raw)).toBe(path);
      }),
      { numRuns: 3000 },
    );
  });
});
