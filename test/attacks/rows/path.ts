// Paths that two servers read in two ways: dot segments, encodings, parameters, empty segments.
// One canonical path is decided on and forwarded; whatever could be read as another one is refused.

import { family, get, type RequestRow } from '../row.ts';

const { refused, passed, denied } = family('path');

const dots = 'RFC 3986 §5.2.4, Oathkeeper CVE-2026-33494';
const once = 'RFC 3986 §6.2.2, Envoy CVE-2021-29492';
const utf8 = 'RFC 3629 §3';

const dotSegments: readonly (readonly [id: string, path: string])[] = [
  ['dot-dot', '/open/../vod/a'],
  ['dot-dot-end', '/open/..'],
  ['dot-dot-deep', '/open/a/b/../../../vod/a'],
  ['dot-dot-first', '/../vod/a'],
  ['dot', '/open/./a'],
  ['dot-end', '/open/.'],
  ['encoded-dots', '/open/%2e%2e/vod/a'],
  ['encoded-dots-upper', '/open/%2E%2E/vod/a'],
  ['half-encoded-first', '/open/%2e./vod/a'],
  ['half-encoded-second', '/open/.%2e/vod/a'],
  ['encoded-dot', '/open/%2e/a'],
  ['dots-parameter', '/open/..;/vod/a'],
  ['dots-parameter-value', '/open/..;x=1/vod/a'],
  ['dot-parameter', '/open/.;/a'],
  ['dots-encoded-parameter', '/open/..%3b/vod/a'],
  ['encoded-dots-parameter', '/open/%2e%2e;/vod/a'],
  ['dots-encoded-slash', '/open/..%2fvod/a'],
  ['dots-encoded-slash-both', '/open/%2e%2e%2fvod/a'],
  ['dots-encoded-backslash', '/open/..%5cvod/a'],
  ['dots-double-encoded', '/open/%252e%252e/vod/a'],
  ['dots-backslash', '/open/..\\vod/a'],
];

const refusedPaths: readonly (readonly [id: string, what: string, path: string, reference: string])[] = [
  ['double-slash', 'an empty segment', '/open//a', 'RFC 3986 §3.3'],
  ['double-slash-first', 'two slashes in front, which some take for an authority', '//open/a', 'RFC 3986 §3.3'],
  ['double-slash-host', 'another host behind two slashes', '//evil.example/open/a', 'oauth2-proxy CVE-2021-21291'],
  ['double-slash-end', 'an empty segment at the end', '/open/a//', 'RFC 3986 §3.3'],
  ['encoded-slash', 'an encoded slash', '/open%2fa', once],
  ['encoded-slash-upper', 'an encoded slash in capitals', '/open/a%2Fb', once],
  ['encoded-backslash', 'an encoded backslash', '/open/a%5cb', once],
  ['encoded-backslash-upper', 'an encoded backslash in capitals', '/open/a%5Cb', once],
  ['encoded-nul', 'an encoded NUL', '/open/a%00', 'CWE-158'],
  ['encoded-nul-extension', 'an encoded NUL in front of an extension', '/open/a%00.jpg', 'CWE-158'],
  ['encoded-crlf', 'an encoded CRLF with a field behind it', '/open/a%0d%0aX-Forwarded-User:%20root', 'CWE-93'],
  ['encoded-lf', 'an encoded LF', '/open/a%0a', 'CWE-93'],
  ['encoded-tab', 'an encoded tab', '/open/a%09', 'CWE-93'],
  ['encoded-del', 'an encoded DEL', '/open/a%7f', 'CWE-93'],
  ['double-encoded-slash', 'a slash encoded twice', '/open/a%252fb', once],
  ['double-encoded-letter', 'a letter encoded twice', '/open/%2561', 'Caddy CVE-2026-52844'],
  ['triple-encoded', 'a slash encoded three times', '/open/a%25252fb', once],
  ['piecewise-encoded', 'the percent sign’s own digits encoded', '/open/a%25%32%66b', once],
  ['percent-alone', 'a percent sign alone', '/open/100%', 'RFC 3986 §2.1'],
  ['percent-one-digit', 'a percent sign with one digit', '/open/%4', 'RFC 3986 §2.1'],
  ['percent-no-hex', 'a percent sign with other letters', '/open/%zz', 'RFC 3986 §2.1'],
  ['percent-u', 'the %u form of old servers', '/open/%u002e%u002e/vod/a', 'RFC 3986 §2.1'],
  ['percent-half', 'a digit and a letter that is none', '/open/%2g', 'RFC 3986 §2.1'],
  ['overlong-dot', 'an overlong dot', '/open/%c0%ae%c0%ae/vod/a', utf8],
  ['overlong-slash', 'an overlong slash', '/open/%c0%afvod', utf8],
  ['overlong-slash-three', 'an overlong slash of three bytes', '/open/%e0%80%afvod', utf8],
  ['overlong-slash-four', 'an overlong slash of four bytes', '/open/%f0%80%80%af', utf8],
  ['surrogate', 'half of a surrogate pair', '/open/%ed%a0%80', utf8],
  ['beyond-unicode', 'a code point above U+10FFFF', '/open/%f4%90%80%80', utf8],
  ['lone-continuation', 'a continuation byte alone', '/open/%80', utf8],
  ['cut-sequence', 'a sequence that ends early', '/open/%e2%82', utf8],
  ['byte-ff', 'a byte that no UTF-8 holds', '/open/%ff', utf8],
  ['latin1', 'latin1 in place of UTF-8', '/open/%e4', utf8],
];

export const pathRows: readonly RequestRow[] = [
  ...dotSegments.map(([id, path]) => refused(id, `a way out: ${path}`, get(path), dots)),
  ...refusedPaths.map(([id, what, path, reference]) => refused(id, what, get(path), reference)),

  passed('encoded-letter', 'an unreserved character is decoded, once', get('/%6fpen/%61'), once, {
    line: 'GET /open/a',
  }),
  passed('lower-case-hex', 'hex digits become capitals', get('/open/%c3%a4%3d'), once, { line: 'GET /open/%C3%A4%3D' }),
  passed('encoded-tilde', 'an encoded tilde is a tilde', get('/open/%7ea'), once, { line: 'GET /open/~a' }),
  passed('encoded-blank', 'an encoded blank stays encoded', get('/open/a%20b'), once, { line: 'GET /open/a%20b' }),
  passed('encoded-percent', 'an encoded percent sign that encodes nothing', get('/open/100%25'), once, {
    line: 'GET /open/100%25',
  }),
  passed('encoded-question', 'an encoded question mark begins no query', get('/open/a%3fb'), once, {
    line: 'GET /open/a%3Fb',
  }),
  passed('encoded-hash', 'an encoded number sign begins no fragment', get('/open/a%23b'), once, {
    line: 'GET /open/a%23b',
  }),
  passed('three-dots', 'three dots are a name', get('/open/.../a'), dots, { line: 'GET /open/.../a' }),
  passed('dots-in-name', 'dots inside a name', get('/open/a..b'), dots, { line: 'GET /open/a..b' }),
  passed('hidden-name', 'a name that begins with dots', get('/open/..a'), dots, { line: 'GET /open/..a' }),
  passed('parameter', 'a parameter behind a name', get('/open/a;v=1'), 'RFC 3986 §3.3', { line: 'GET /open/a;v=1' }),
  passed('colon', 'a colon inside a segment', get('/open/a:80'), 'RFC 3986 §3.3', { line: 'GET /open/a:80' }),
  passed('at', 'an at sign inside a segment', get('/open/@a'), 'RFC 3986 §3.3', { line: 'GET /open/@a' }),
  passed('emoji', 'four bytes of UTF-8', get('/open/%F0%9F%98%80'), utf8, { line: 'GET /open/%F0%9F%98%80' }),
  denied('encoded-route', 'a protected path with an encoded letter', get('/%76od/a'), once),
  denied('encoded-route-all', 'a protected path with every letter encoded', get('/%76%6f%64/%61'), once),
  denied(
    'parameter-on-route',
    'a parameter in the route’s own segment',
    get('/vod;x/a'),
    'Tomcat path parameters',
    400,
  ),
  denied(
    'parameter-before-route',
    'an open prefix whose parameter hides a protected path',
    get('/open;/vod/a'),
    'Tomcat path parameters',
    400,
  ),
  denied(
    'parameter-segment',
    'a segment of nothing but a parameter',
    get('/open/;/vod/a'),
    'Tomcat path parameters',
    400,
  ),
  denied(
    'encoded-semicolon',
    'an encoded semicolon in the route’s segment',
    get('/vod%3bx/a'),
    'Tomcat path parameters',
    400,
  ),
  denied(
    'reserved-path',
    'our own prefix is shadowed by no route',
    get('/.latchkey/%6ce/../a'),
    'conventions, reserved paths',
    400,
    { after: 'closed' },
  ),
  denied(
    'reserved-unknown-host',
    'our own pages for a host that nobody configured',
    get('/.latchkey/me', 'Host: rebound.example'),
    'RFC 9110 §15.5.20',
    200,
    { answers: [[404, 421, 502]] },
  ),
];
