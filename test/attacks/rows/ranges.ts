// Ranges that cost a server more than they cost their sender, and conditions on what may not be seen at all.

import { family, get, type RequestRow } from '../row.ts';

const { passed, denied } = family('ranges');

const many = 'Apache CVE-2011-3192, RFC 9110 §17.15';

const ignored: readonly (readonly [id: string, what: string, value: string])[] = [
  [
    'hundred',
    'a hundred ranges',
    `bytes=${Array.from({ length: 100 }, (_, index) => `${index * 10}-${index * 10 + 1}`).join()}`,
  ],
  ['six', 'six ranges', 'bytes=0-1,10-11,20-21,30-31,40-41,50-51'],
  ['overlapping', 'two that overlap', 'bytes=0-100,50-150'],
  ['equal', 'two equal ones', 'bytes=0-1,0-1'],
  ['nested', 'one inside another', 'bytes=0-1000,10-20'],
  ['open-ends', 'two with open ends', 'bytes=0-,1-'],
  ['suffixes', 'two suffixes', 'bytes=-1,-2'],
  ['suffix-and-open', 'a suffix and an open end', 'bytes=0-,-5'],
  ['backwards', 'an end before its start', 'bytes=5-1'],
  ['empty', 'no range', 'bytes='],
  ['dash', 'a dash', 'bytes=-'],
  ['sign', 'a sign', 'bytes=+1-2'],
  ['huge', 'a number of 30 digits', `bytes=0-${'9'.repeat(30)}`],
  ['huge-suffix', 'a suffix of 30 digits', `bytes=-${'9'.repeat(30)}`],
  ['letters', 'letters', 'bytes=a-b'],
];

const kept: readonly (readonly [id: string, what: string, value: string])[] = [
  ['one', 'one range', 'bytes=0-1'],
  ['open', 'an open end', 'bytes=100-'],
  ['suffix', 'a suffix', 'bytes=-500'],
  ['five', 'five ranges', 'bytes=0-1,10-11,20-21,30-31,40-41'],
  ['other-unit', 'another unit', 'items=0-1,0-1'],
];

export const rangeRows: readonly RequestRow[] = [
  ...ignored.map(([id, what, value]) =>
    passed(id, `${what}: the field goes`, get('/open/a', `Range: ${value}`), many, { line: 'GET /open/a' }),
  ),
  ...kept.map(([id, what, value]) =>
    passed(`keeps-${id}`, `${what}: the field stays`, get('/open/a', `Range: ${value}`), 'RFC 9110 §14.2', {
      line: 'GET /open/a',
      fields: [`Range: ${value}`],
    }),
  ),
  passed(
    'two-fields',
    'two Range fields that overlap together',
    get('/open/a', 'Range: bytes=0-10', 'Range: bytes=5-20'),
    many,
    { line: 'GET /open/a' },
  ),
  denied(
    'condition-without-token',
    'a condition on what may not be seen: no 304, no 206',
    get('/vod/a', 'If-None-Match: "x"', 'Range: bytes=0-1'),
    'attacks, Path and route',
  ),
  denied(
    'condition-expired',
    'a condition with an expired token',
    (make) =>
      get(
        '/vod/a',
        'If-None-Match: *',
        `Authorization: Bearer ${make.forged('{"alg":"HS256","kid":"k1","typ":"JWT"}', `{"exp":${make.now - 100},"paths":["/*"]}`)}`,
      ),
    'attacks, Path and route',
  ),
];
