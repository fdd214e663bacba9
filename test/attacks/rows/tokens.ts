// Tokens: forged, altered, expired, meant for something else, and put where none belongs.
// No row may be answered by the upstream unless every check held; no answer says which check failed.

import { family, get, type Making, type RequestRow, request } from '../row.ts';

const { refused, passed, denied, row } = family('tokens');

const header = '{"alg":"HS256","kid":"k1","typ":"JWT"}';
const jws = 'RFC 8725 §3.1, jsonwebtoken CVE-2022-23540';
const user = ['X-Forwarded-User: user-1'];
const lacks = /expired|signature|malformed|audience|unknown key/i;

type Token = (make: Making) => string;

const claims = (make: Making, more: object = {}) =>
  JSON.stringify({ sub: 'user-1', exp: make.now + 300, paths: ['/*'], ...more });
const withHeader =
  (text: string): Token =>
  (make) =>
    make.forged(text, claims(make));
const withClaims =
  (change: (make: Making) => object): Token =>
  (make) =>
    make.forged(header, claims(make, change(make)));
const rawClaims =
  (text: (make: Making) => string): Token =>
  (make) =>
    make.forged(header, text(make));
const altered =
  (change: (token: string) => string): Token =>
  (make) =>
    change(make.token());
const encode = (text: string) => Buffer.from(text).toString('base64url');
const part = (token: string, index: number) => token.split('.')[index] ?? '';

const forged: readonly (readonly [id: string, what: string, token: Token, reference: string])[] = [
  ['alg-none', 'alg none with a good MAC', withHeader('{"alg":"none","kid":"k1"}'), jws],
  [
    'alg-none-unsigned',
    'alg none without a MAC',
    (make) => `${encode('{"alg":"none","kid":"k1"}')}.${encode(claims(make))}.`,
    jws,
  ],
  ['alg-none-capitals', 'alg NoNe', (make) => `${encode('{"alg":"NoNe","kid":"k1"}')}.${encode(claims(make))}.`, jws],
  ['alg-missing', 'no alg', withHeader('{"kid":"k1"}'), jws],
  ['alg-hs512', 'HS512', withHeader('{"alg":"HS512","kid":"k1"}'), jws],
  [
    'alg-rs256',
    'RS256 with the key as a public key',
    withHeader('{"alg":"RS256","kid":"k1"}'),
    'fast-jwt CVE-2023-48223',
  ],
  ['alg-lower-case', 'hs256', withHeader('{"alg":"hs256","kid":"k1"}'), jws],
  ['alg-list', 'a list of algorithms', withHeader('{"alg":["HS256"],"kid":"k1"}'), jws],
  ['alg-twice', 'alg twice', withHeader('{"alg":"none","alg":"HS256","kid":"k1"}'), 'RFC 7515 §4'],
  ['kid-missing', 'no kid', withHeader('{"alg":"HS256"}'), jws],
  ['kid-unknown', 'an unknown kid', withHeader('{"alg":"HS256","kid":"k9"}'), jws],
  ['kid-path', 'a kid that is a path', withHeader('{"alg":"HS256","kid":"../../k1.secret"}'), 'kid injection'],
  [
    'kid-null-device',
    'a kid that is an empty file',
    (make) => make.forged('{"alg":"HS256","kid":"/dev/null"}', claims(make), Buffer.alloc(0)),
    'kid injection',
  ],
  ['kid-sql', 'a kid that is SQL', withHeader(`{"alg":"HS256","kid":"k1' OR '1'='1"}`), 'kid injection'],
  [
    'kid-prototype',
    'a kid that every object has',
    withHeader('{"alg":"HS256","kid":"constructor"}'),
    'prototype pollution',
  ],
  ['kid-proto', 'a kid of __proto__', withHeader('{"alg":"HS256","kid":"__proto__"}'), 'prototype pollution'],
  ['kid-number', 'a kid that is a number', withHeader('{"alg":"HS256","kid":1}'), jws],
  ['kid-case', 'a kid in capitals', withHeader('{"alg":"HS256","kid":"K1"}'), jws],
  [
    'jku',
    'a key’s address',
    withHeader('{"alg":"HS256","kid":"k1","jku":"https://evil.example/keys"}'),
    'RFC 8725 §3.10',
  ],
  ['jwk', 'a key inside', withHeader('{"alg":"HS256","kid":"k1","jwk":{"kty":"oct","k":"AAAA"}}'), 'CVE-2018-0114'],
  [
    'x5u',
    'a certificate’s address',
    withHeader('{"alg":"HS256","kid":"k1","x5u":"https://evil.example/"}'),
    'RFC 8725 §3.10',
  ],
  [
    'crit',
    'an extension that must be understood',
    withHeader('{"alg":"HS256","kid":"k1","crit":["b64"],"b64":false}'),
    'RFC 7515 §4.1.11',
  ],
  ['typ-other', 'another type', withHeader('{"alg":"HS256","kid":"k1","typ":"at+jwt"}'), 'RFC 8725 §3.11'],
  ['typ-refresh', 'a refresh token', withHeader('{"alg":"HS256","kid":"k1","typ":"lr+jwt"}'), 'RFC 8725 §3.11'],
  [
    'typ-application',
    'a type with its media type’s prefix',
    withHeader('{"alg":"HS256","kid":"k1","typ":"application/lp+jwt"}'),
    'RFC 8725 §3.11',
  ],
  ['other-secret', 'another key’s MAC', (make) => make.forged(header, claims(make), Buffer.from('x'.repeat(32))), jws],
  [
    'empty-secret',
    'an empty key’s MAC',
    (make) => make.forged(header, claims(make), Buffer.alloc(0)),
    'CVE-2021-43777',
  ],
  [
    'changed-claims',
    'claims changed behind the MAC',
    altered((token) => `${part(token, 0)}.${encode('{"exp":99999999999,"paths":["/*"]}')}.${part(token, 2)}`),
    'RFC 7515 §5.2',
  ],
  [
    'mac-truncated',
    'a MAC without its last character',
    altered((token) => token.slice(0, -1)),
    'Zitadel CVE-2026-27840',
  ],
  ['mac-half', 'half a MAC', altered((token) => token.slice(0, -22)), 'Zitadel CVE-2026-27840'],
  ['mac-empty', 'no MAC', altered((token) => `${part(token, 0)}.${part(token, 1)}.`), 'Zitadel CVE-2026-27840'],
  ['mac-longer', 'a MAC with four characters more', altered((token) => `${token}AAAA`), 'Zitadel CVE-2026-27840'],
  ['mac-padding', 'a padded MAC', altered((token) => `${token}=`), 'RFC 7515 §2'],
  ['mac-blank', 'a blank behind the header', altered((token) => token.replace('.', ' .')), 'RFC 7515 §2'],
  [
    'mac-standard-alphabet',
    'the alphabet of plain base64',
    altered((token) => `${token.slice(0, -3)}+/A`),
    'RFC 7515 §2',
  ],
  [
    'mac-last-bits',
    'last bits that no encoder makes',
    altered((token) => `${token.slice(0, -1)}${token.endsWith('B') ? 'C' : 'B'}`),
    'RFC 4648 §3.5',
  ],
  ['two-parts', 'two parts', altered((token) => token.slice(0, token.lastIndexOf('.'))), 'RFC 7515 §7.1'],
  ['four-parts', 'four parts', altered((token) => `${token}.AAAA`), 'golang-jwt CVE-2025-30204'],
  ['many-dots', '4,000 dots', () => '.'.repeat(4000), 'golang-jwt CVE-2025-30204'],
  ['json-form', 'the JSON form', (make) => encode(`{"payload":"${part(make.token(), 1)}"}`), 'RFC 7515 §7.2'],
  ['empty', 'nothing', () => '', 'RFC 6750 §2.1'],
  ['too-long', 'five thousand characters', altered((token) => `${token}${'A'.repeat(5000)}`), 'limits'],
  ['claims-not-json', 'claims that are no JSON', rawClaims(() => 'exp'), 'RFC 7519 §7.2'],
  ['claims-array', 'claims that are a list', rawClaims(() => '[]'), 'RFC 7519 §7.2'],
  ['claims-twice', 'exp twice', rawClaims((make) => `{"exp":1,"exp":${make.now + 300},"paths":["/*"]}`), 'RFC 7519 §4'],
  ['exp-missing', 'no exp', withClaims(() => ({ exp: undefined })), 'OpenFGA CVE-2026-55689'],
  ['exp-string', 'exp as a string', withClaims((make) => ({ exp: String(make.now + 300) })), 'OpenFGA CVE-2026-55689'],
  [
    'exp-float-past',
    'a fraction in an exp that is over',
    withClaims((make) => ({ exp: make.now - 59.5 })),
    'RFC 7519 §2',
  ],
  ['exp-infinite', 'an exp beyond every number', rawClaims(() => '{"exp":1e400,"paths":["/*"]}'), 'RFC 7519 §2'],
  ['paths-null', 'paths of null, which are none', withClaims(() => ({ paths: null })), 'RFC 7519 §2'],
  ['exp-negative', 'a negative exp', withClaims(() => ({ exp: -1 })), 'OpenFGA CVE-2026-55689'],
  ['exp-huge', 'an exp beyond 2^53', rawClaims(() => '{"exp":1e300,"paths":["/*"]}'), 'OpenFGA CVE-2026-55689'],
  ['exp-null', 'an exp of null', withClaims(() => ({ exp: null })), 'OpenFGA CVE-2026-55689'],
  ['expired', 'an expired token', withClaims((make) => ({ exp: make.now - 60 })), 'RFC 7519 §4.1.4'],
  ['nbf-ahead', 'a token of tomorrow', withClaims((make) => ({ nbf: make.now + 200 })), 'RFC 7519 §4.1.5'],
  ['iat-ahead', 'a token issued tomorrow', withClaims((make) => ({ iat: make.now + 200 })), 'RFC 7519 §4.1.6'],
  [
    'lives-too-long',
    'a token that lives ten years',
    withClaims((make) => ({ exp: make.now + 315_360_000 })),
    'route limit',
  ],
  [
    'aud-unasked',
    'a token for some audience where none is asked for',
    withClaims(() => ({ aud: 'app' })),
    'RFC 7519 §4.1.3',
  ],
  [
    'sub-crlf',
    'a line end in the user’s name',
    withClaims(() => ({ sub: 'a\r\nX-Forwarded-Groups: admins' })),
    'CWE-93',
  ],
  ['sub-number', 'a user that is a number', withClaims(() => ({ sub: 7 })), 'RFC 7519 §4.1.2'],
  ['groups-comma', 'a group that is two', withClaims(() => ({ groups: ['a,admins'] })), 'CWE-93'],
  ['paths-string', 'paths that is no list', withClaims(() => ({ paths: '/*' })), 'claims'],
  [
    'deep',
    'claims nested a thousand deep',
    rawClaims((make) => `{"exp":${make.now + 300},"paths":["/*"],"x":${'['.repeat(1000)}${']'.repeat(1000)}}`),
    'golang-jwt CVE-2025-30204',
  ],
];

const outside: readonly (readonly [id: string, what: string, target: string, claims: object])[] = [
  ['unscoped', 'a token without paths', '/vod/a', { paths: undefined }],
  ['no-paths', 'a token with an empty list of paths', '/vod/a', { paths: [] }],
  ['other-path', 'a token for another path', '/vod/b', { paths: ['/vod/a'] }],
  ['path-prefix', 'a token for a path that only begins like it', '/vod/film2/a', { paths: ['/vod/film/*'] }],
  ['other-method', 'a token for another method', '/vod/a', { methods: ['POST'] }],
  ['other-host', 'a token for another host', '/vod/a', { hosts: ['admin.example'] }],
  ['other-address', 'a token for another address', '/vod/a', { ips: ['192.0.2.1'] }],
];

const bearer = (token: Token) => (make: Making) => get('/vod/a', `Authorization: Bearer ${token(make)}`);

export const tokenRows: readonly RequestRow[] = [
  ...forged.map(([id, what, token, reference]) => denied(id, what, bearer(token), reference, 401, { lacks })),
  ...outside.map(([id, what, target, change]) =>
    denied(
      `outside-${id}`,
      what,
      (make) => get(target, `Authorization: Bearer ${make.token(change)}`),
      'tokens, claims',
      id === 'unscoped' ? 401 : 403,
    ),
  ),
  denied(
    'aud-missing',
    'no audience where one is asked for',
    (make) => get('/aud/a', `Authorization: Bearer ${make.token()}`),
    'RFC 7519 §4.1.3',
    401,
  ),
  denied(
    'aud-other',
    'another audience',
    (make) => get('/aud/a', `Authorization: Bearer ${make.token({ aud: ['other', 'App'] })}`),
    'Oathkeeper CVE-2026-33496',
  ),
  row(
    'aud-cached',
    'the same token on two routes is decided twice',
    (make) =>
      ((token) => get('/aud/a', `Authorization: Bearer ${token}`) + get('/vod/a', `Authorization: Bearer ${token}`))(
        make.token({ aud: 'app' }),
      ),
    'Oathkeeper CVE-2026-33496',
    { answers: [200, 401], after: 'open', upstream: [{ line: 'GET /aud/a', identity: user }] },
  ),
  passed(
    'bearer',
    'a good token opens, and is not passed on',
    bearer((make) => make.token()),
    'RFC 6750 §2.1',
    { line: 'GET /vod/a', identity: user },
  ),
  passed(
    'exp-float',
    'exp as a fraction, as some libraries write it, and null for what they were not given',
    bearer(withClaims((make) => ({ exp: make.now + 300.5, iat: make.now - 0.25, nbf: null, aud: null, jti: null }))),
    'RFC 7519 §2',
    { line: 'GET /vod/a', identity: user },
  ),
  passed(
    'query',
    'a token in the query is taken out, and nothing else',
    (make) => get(`/vod/a?x=1&token=${make.token()}&y=%2f`),
    'RFC 6750 §2.3',
    { line: 'GET /vod/a?x=1&y=%2f', identity: user },
  ),
  passed(
    'path-form',
    'a token in the path is taken out',
    (make) => get(`/.t/${make.token()}/vod/a`),
    'conventions, reserved paths',
    { line: 'GET /vod/a', identity: user },
  ),
  passed(
    'pass-cookie',
    'a pass in a cookie is taken out',
    (make) => get('/vod/a', `Cookie: a=1; latchkey_pass=${make.token({}, 'pass')}; b=2`),
    'RFC 6265',
    { line: 'GET /vod/a', fields: ['Cookie: a=1; b=2'], identity: user },
  ),
  passed(
    'case-of-scheme',
    'the scheme’s letters do not matter',
    (make) => get('/vod/a', `authorization: bEaReR   ${make.token()}`),
    'RFC 9110 §11.1',
    { line: 'GET /vod/a', identity: user },
  ),
  passed(
    'query-behind-many',
    'a token behind a thousand parameters is found, and taken out',
    (make) => get(`/vod/a?${'x=1&'.repeat(1000)}token=${make.token()}`),
    'Go CVE-2026-39825',
    /^GET \/vod\/a\?(?:x=1&){999}x=1 HTTP\/1\.1\r\n/,
  ),
  denied(
    'query-many-tokens',
    'a thousand tokens in the query',
    (make) => get(`/vod/a?${'token=x&'.repeat(1000)}token=${make.token()}`),
    'Go CVE-2026-39825',
    400,
  ),
  denied(
    'outside-token-as-cookie',
    'a bearer token as a pass cookie is still a token',
    (make) => get('/vod/a', `Cookie: latchkey_pass=${make.token({ paths: ['/other/*'] })}`),
    'RFC 8725 §3.11',
    403,
  ),
  denied(
    'two-places',
    'a token in the query and another in a field',
    (make) => get(`/vod/a?token=${make.token()}`, `Authorization: Bearer ${make.token()}`),
    'RFC 6750 §2',
    400,
  ),
  denied(
    'query-twice',
    'two tokens in the query',
    (make) => get(`/vod/a?token=${make.token()}&token=${make.token()}`),
    'RFC 6750 §2',
    400,
  ),
  denied(
    'query-and-path',
    'a token in the path and another in the query',
    (make) => get(`/.t/${make.token()}/vod/a?token=${make.token()}`),
    'RFC 6750 §2',
    400,
  ),
  refused(
    'two-authorizations',
    'two Authorization fields',
    (make) => get('/vod/a', `Authorization: Bearer ${make.token()}`, `Authorization: Bearer ${make.token()}`),
    'RFC 9110 §11.6.2',
  ),
  refused(
    'two-authorizations-basic',
    'Bearer and Basic',
    (make) => get('/both/a', `Authorization: Bearer ${make.token()}`, 'Authorization: Basic dTpw'),
    'RFC 9110 §11.6.2',
  ),
  refused(
    'path-form-nested',
    'a token inside a token’s path',
    (make) => get(`/.t/${make.token()}/.t/${make.token()}/vod/a`),
    'conventions, reserved paths',
  ),
  refused(
    'path-form-no-path',
    'a token in the path and no path behind it',
    (make) => get(`/.t/${make.token()}`),
    'conventions, reserved paths',
  ),
  refused(
    'path-form-dots',
    'a way out behind a token in the path',
    (make) => get(`/.t/${make.token({ paths: ['/open/*'] })}/open/../vod/a`),
    'Oathkeeper CVE-2026-33494',
  ),
  denied(
    'path-form-post',
    'a token in the path with POST',
    (make) => request('POST', `/.t/${make.token()}/vod/a`, ['Content-Length: 0']),
    'conventions, reserved paths',
    405,
  ),
  denied(
    'encoded-parameter',
    'the parameter’s name encoded is another name',
    (make) => get(`/vod/a?%74oken=${make.token()}`),
    'RFC 6750 §2.3',
  ),
  denied(
    'parameter-in-fragmentless-path',
    'a token as a path parameter',
    (make) => get(`/vod/a;token=${make.token()}`),
    'RFC 6750 §2.3',
  ),
  denied(
    'cookie-beside-wrong-token',
    'a good pass does not help a wrong token',
    (make) =>
      get(
        '/vod/a',
        `Authorization: Bearer ${make.token({ exp: make.now - 60 })}`,
        `Cookie: latchkey_pass=${make.token({}, 'pass')}`,
      ),
    'RFC 6750 §3.1',
  ),
  denied('basic-malformed', 'Basic that is no base64', get('/both/a', 'Authorization: Basic %%%'), 'RFC 7617 §2'),
  denied(
    'basic-no-colon',
    'Basic without a colon',
    get('/both/a', `Authorization: Basic ${Buffer.from('anna').toString('base64')}`),
    'RFC 7617 §2',
  ),
  denied(
    'basic-on-token-route',
    'a password where tokens are asked for',
    get('/vod/a', `Authorization: Basic ${Buffer.from('anna:x').toString('base64')}`),
    'RFC 7617 §2',
  ),
  denied('digest', 'another scheme', get('/vod/a', 'Authorization: Digest username="root"'), 'RFC 9110 §11.6.1'),
];
