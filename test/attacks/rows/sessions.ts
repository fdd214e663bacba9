// Sessions, passes and links where they do not belong: one kind of token as another, another host's, two at once.
// No row may reach the site unless it is none of ours, and no session may be made with the key that content servers share.

import { family, get, type Making } from '../row.ts';

const { passed, denied } = family('sessions');

const typed = 'RFC 8725 §3.11: refused by its type, inside the MAC';
const place = 'gateway/RULES.md, where a credential may stand';
const host = 'media.example';

/** A good session, but for `changes`. */
const session = (make: Making, changes: object = {}): string => {
  const own = { sub: 'ac_1', sid: 'se_1', did: 'dv_1', aud: [host], iat: make.now, exp: make.now + 300 };
  return make.token({ ...own, paths: undefined, n: ['ac_1', 'se_1', 'dv_1'], v: ['none', 0], ...changes }, 'session');
};
const cookie = (value: string): string => `Cookie: latchkey=${value}`;
const claims = (make: Making): string =>
  JSON.stringify({ sub: 'ac_1', sid: 'se_1', did: 'dv_1', aud: [host], iat: make.now, exp: make.now + 300 });

export const sessionRows = [
  denied(
    'as-bearer',
    'a session as a bearer token',
    (make) => get('/club/a', `Authorization: Bearer ${session(make)}`),
    place,
  ),
  denied(
    'as-bearer-for-members',
    'a session as a bearer token where tokens are taken',
    (make) => get('/members/a', `Authorization: Bearer ${session(make)}`),
    typed,
  ),
  denied('in-the-path', 'a session in the path', (make) => get(`/.t/${session(make)}/members/a`), typed),
  denied('in-the-query', 'a session in the query', (make) => get(`/members/a?token=${session(make)}`), typed),
  denied(
    'as-a-pass',
    'a session in the cookie of passes',
    (make) => get('/members/a', `Cookie: latchkey_pass=${session(make)}`),
    typed,
  ),
  denied(
    'pass-as-session',
    'a pass in the cookie of sessions',
    (make) => get('/club/a', cookie(make.token({ sub: 'ac_1', sid: 'se_1', did: 'dv_1', aud: [host] }, 'pass'))),
    typed,
  ),
  denied(
    'token-as-session',
    'an outside token in the cookie of sessions',
    (make) => get('/club/a', cookie(make.token({ sub: 'ac_1', sid: 'se_1', did: 'dv_1', aud: [host] }))),
    typed,
  ),
  denied(
    'by-the-common-key',
    'a session made with the key that content servers share',
    (make) => get('/club/a', cookie(make.forged('{"alg":"HS256","kid":"k1","typ":"ls+jwt"}', claims(make)))),
    typed,
  ),
  denied(
    'by-another-secret',
    'a session under the id of the inner key',
    (make) => get('/club/a', cookie(make.forged('{"alg":"HS256","kid":"i1","typ":"ls+jwt"}', claims(make)))),
    typed,
  ),
  denied(
    'of-another-host',
    'a session of another host',
    (make) => get('/club/a', cookie(session(make, { aud: ['other.example'] }))),
    'contamination; gateway/RULES.md "Hosts"',
  ),
  denied(
    'of-no-host',
    'a session without a host',
    (make) => get('/club/a', cookie(session(make, { aud: undefined }))),
    typed,
  ),
  denied(
    'of-another-epoch',
    'a session from before a restore',
    (make) => get('/club/a', cookie(session(make, { v: ['other', 0] }))),
    'gateway/RULES.md "Restore"',
  ),
  denied(
    'prefixed-name',
    'the name that only https has, over http',
    (make) => get('/club/a', `Cookie: __Host-latchkey=${session(make)}`),
    'cookie tossing',
  ),
  denied(
    'pass-of-another-host',
    'a pass of another host',
    (make) => get('/members/a', `Cookie: latchkey_pass=${make.token({ hosts: ['other.example'] }, 'pass')}`),
    place,
    403,
  ),
  denied('two-links', 'two link tokens', () => get('/members/a?key=k&authtoken=a.b&authtoken=c.d'), place, 400),
  denied(
    'link-beside-token',
    'a link token beside a token',
    (make) => get('/members/a?authtoken=a.b', `Authorization: Bearer ${make.token()}`),
    place,
    400,
  ),
  denied(
    'link-in-path-form',
    'a link token behind a token in the path',
    (make) => get(`/.t/${make.token()}/members/a?authtoken=a.b`),
    place,
    400,
  ),
  passed(
    'site-parameter',
    'authtoken where no member is taken is the site’s',
    (make) => get('/vod/a?authtoken=a.b', `Authorization: Bearer ${make.token()}`),
    place,
    { line: 'GET /vod/a?authtoken=a.b', identity: ['X-Forwarded-User: user-1'] },
  ),
  denied(
    'no-break-space',
    'a session under a name that begins with a no-break space',
    (make) => get('/club/a', `Cookie: \xa0latchkey=${session(make)}`),
    'RFC 6265 §5.4: SP and HT are the blanks',
  ),
  denied(
    'no-break-space-pass',
    'a pass under a name that ends with a no-break space',
    (make) => get('/vod/a', `Cookie: latchkey_pass\xa0=${make.token({}, 'pass')}`),
    'RFC 6265 §5.4: SP and HT are the blanks',
  ),
  denied(
    'two-sessions',
    'two sessions that differ',
    (make) => get('/club/a', `Cookie: latchkey=a.b.c; latchkey=${session(make)}`),
    'session fixation',
  ),
  passed(
    'look-alikes-stay-behind',
    'cookies that are ours to who cuts more than blanks go no further than here',
    get(
      '/open/a',
      'Cookie: \xa0__Host-latchkey=1; a=1; \x85latchkey_pass=2; "latchkey"=3; latchkey_flow\xc2\xa0=4; =latchkey=5; b=\xa02',
    ),
    'RFC 6265 §5.4: SP and HT are the blanks',
    { line: 'GET /open/a', fields: ['Cookie: a=1; b=\xa02'] },
  ),
  passed(
    'cookies-stay-behind',
    'our cookies go no further than here',
    (make) =>
      get('/open/a', `Cookie: a=1; latchkey=${session(make)}; latchkey_device=d; latchkey_flow=f; latchkey_share=s`),
    place,
    { line: 'GET /open/a', fields: ['Cookie: a=1'] },
  ),
];
