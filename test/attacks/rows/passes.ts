// Passes, and what stands beside them: made by a holder of the common key, planted by a sibling of the host, or next to a credential
// that is the site's own. Rows of the family `tokens`: they keep the names that they had there.

import { family, get, type RequestRow } from '../row.ts';

const { passed, denied } = family('tokens');

const user = ['X-Forwarded-User: user-1'];

export const passRows: readonly RequestRow[] = [
  passed(
    'cookie-beside-site-token',
    'a bearer token that names no key of ours is the site’s beside a good pass',
    (make) => get('/vod/a', 'Authorization: Bearer x.y.z', `Cookie: latchkey_pass=${make.token({}, 'pass')}`),
    'conventions, status',
    { line: 'GET /vod/a', fields: ['Authorization: Bearer x.y.z'], identity: user },
  ),
  passed(
    'cookie-beside-site-parameter',
    'so is a parameter of the same name, byte for byte',
    (make) => get('/vod/a?x=%2f&token=x.y.z&token&y', `Cookie: latchkey_pass=${make.token({}, 'pass')}`),
    'conventions, status',
    { line: 'GET /vod/a?x=%2f&token=x.y.z&token&y', identity: user },
  ),
  denied(
    'site-token-alone',
    'and nobody’s without one, where anyone may pass as well',
    get('/members/a', 'Authorization: Bearer x.y.z'),
    'conventions, status',
  ),
  ...(
    [
      ['nothing', 'that hangs on nothing', { n: [], v: ['none', 0] }],
      ['nothing-for-ever', 'that hangs on nothing and is ahead of every log', { n: [], v: ['none', 2 ** 53 - 1] }],
      ['ahead', 'far ahead of the log', { n: ['li_1'], v: ['none', 2 ** 53 - 1] }],
      ['two-answers', 'made from two answers', { cred: { id: 'c', v: 1 }, grant: 'me_1', n: ['c'], v: ['none', 0] }],
      ['member', 'of a member, where no member is taken', { grant: 'me_1', n: ['me_1'], v: ['none', 0] }],
      ['password', 'for a password, where none is taken', { cred: { id: 'c', v: 1 }, n: ['cr_c'], v: ['none', 0] }],
    ] as const
  ).map(([id, what, claims]) =>
    denied(
      `pass-${id}`,
      `a pass ${what}`,
      (make) => get('/vod/a', `Authorization: Bearer ${make.token(claims, 'pass')}`),
      'gateway/RULES.md, what a pass opens',
    ),
  ),
  passed(
    'five-cookies',
    'four planted pass cookies do not push out a good fifth',
    (make) =>
      get('/vod/a', `Cookie: ${'latchkey_pass=x; '.repeat(4)}a=1; latchkey_pass=${make.token({}, 'pass')}; b=2`),
    'cookie tossing',
    { line: 'GET /vod/a', fields: ['Cookie: a=1; b=2'], identity: user },
  ),
  passed(
    'hundred-cookies',
    'nor do a hundred different ones',
    (make) =>
      get(
        '/vod/a',
        `Cookie: ${Array.from({ length: 100 }, (_, at) => `latchkey_pass=${at}; `).join('')}latchkey_pass=${make.token({}, 'pass')}`,
      ),
    'cookie tossing',
    { line: 'GET /vod/a', identity: user },
  ),
];
