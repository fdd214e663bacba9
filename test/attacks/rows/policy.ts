// Cross-origin rules and rate limits under attack: foreign pages that ask to read, and clients that pretend to be many.

import { family, get, type Making, type RequestRow, request } from '../row.ts';

const { passed, denied, row } = family('policy');

const fetch = 'Fetch §3.2';
const limits = 'RFC 6585 §4, fastify CVE-2026-3635';
const own = 'Origin: https://app.example';
const asks = 'Access-Control-Request-Method: PUT';
const lacks = /access-control-allow/i;

const foreign: readonly (readonly [id: string, what: string, origin: string])[] = [
  ['other', 'another site', 'https://evil.example'],
  ['suffix', 'a site whose name begins like the listed one', 'https://app.example.evil.example'],
  ['prefix', 'a site whose name ends like the listed one', 'https://evilapp.example'],
  ['scheme', 'the listed site without TLS', 'http://app.example'],
  ['port', 'the listed site on another port', 'https://app.example:8443'],
  ['null', 'a page of no site', 'null'],
  ['user-info', 'the listed site as user info', 'https://app.example@evil.example'],
  ['path', 'the listed site with a path', 'https://app.example/'],
  ['list', 'the listed site in a list', 'https://app.example https://evil.example'],
  ['wildcard-itself', 'the wildcard as it is written', 'https://*.pages.example'],
  ['wildcard-bare', 'the name below which pages are listed', 'https://pages.example'],
  ['wildcard-dash', 'a name that only ends like it', 'https://evilpages.example'],
];

let visitors = 0;
/** An address that no row had before. */
const nextAddress = () => `198.51.${100 + Math.floor(++visitors / 250)}.${visitors % 250}`;
const thrice = (make: (index: number) => string) => [0, 1, 2].map(make).join('');

export const policyRows: readonly RequestRow[] = [
  row('preflight', 'a listed site’s preflight is answered here', request('OPTIONS', '/cors/a', [own, asks]), fetch, {
    answers: [204],
    after: 'open',
    upstream: 'nothing',
    contains: /Access-Control-Allow-Origin: https:\/\/app\.example\r\n/,
  }),
  row(
    'preflight-body',
    'a preflight with a request as its body',
    request('OPTIONS', '/cors/a', [own, asks, 'Content-Length: 48'], get('/open/inner')),
    fetch,
    {
      answers: [204],
      after: 'closed',
      upstream: 'nothing',
    },
  ),
  ...foreign.map(([id, what, origin]) =>
    denied(
      `preflight-${id}`,
      `a preflight of ${what}`,
      request('OPTIONS', '/cors/a', [`Origin: ${origin}`, asks]),
      fetch,
      403,
      {
        lacks,
      },
    ),
  ),
  ...foreign.map(([id, what, origin]) =>
    passed(
      `answer-${id}`,
      `an answer to ${what} is not for its scripts`,
      get('/cors/a', `Origin: ${origin}`),
      fetch,
      { line: 'GET /cors/a', fields: [`Origin: ${origin}`] },
      { lacks },
    ),
  ),
  denied(
    'preflight-protected',
    'a preflight opens nothing behind it',
    request('OPTIONS', '/vod/a', [own, asks]),
    fetch,
    401,
    { lacks },
  ),

  passed(
    'private-answer',
    'what a token opened is for no shared cache',
    get('/vod/a', 'Authorization: Bearer {{token}}'),
    'RFC 9111 §3.5',
    { line: 'GET /vod/a', identity: ['X-Forwarded-User: user-1'] },
    { contains: /Cache-Control: private/ },
  ),

  row(
    'limit-forged-addresses',
    'a client with a new forged address in front of its own each time',
    () => {
      const from = nextAddress();
      return thrice((index) => get('/limited/a', `X-Forwarded-For: 203.0.113.${index}, ${from}`));
    },
    limits,
    {
      answers: [200, 200, 429],
      after: 'open',
      upstream: [/^GET \/limited\/a /, /^GET \/limited\/a /],
      gateway: 'trusting',
    },
  ),
  row(
    'limit-other-fields',
    'a client that names other addresses in other fields',
    () => {
      const from = nextAddress();
      return thrice((index) =>
        get(
          '/limited/a',
          `X-Real-IP: 203.0.113.${index}`,
          `Forwarded: for=203.0.113.${index}`,
          `X-Forwarded-For: ${from}`,
        ),
      );
    },
    limits,
    {
      answers: [200, 200, 429],
      after: 'open',
      upstream: [/^GET \/limited\/a /, /^GET \/limited\/a /],
      gateway: 'trusting',
    },
  ),
  row(
    'limit-spellings',
    'one address in three spellings',
    () => {
      const from = nextAddress();
      const spelled = [from, `::ffff:${from}`, `0:0:0:0:0:ffff:${from}`];
      return thrice((index) => get('/limited/a', `X-Forwarded-For: ${spelled[index]}`));
    },
    limits,
    {
      answers: [200, 200, 429],
      after: 'open',
      upstream: [/^GET \/limited\/a /, /^GET \/limited\/a /],
      gateway: 'trusting',
    },
  ),
  row(
    'limit-other-paths',
    'a client that asks for another path each time, in another spelling of the route',
    () => {
      const from = nextAddress();
      const paths = ['/limited/a', '/%6cimited/b?x', '/limited/%63'];
      return thrice((index) => get(paths[index] ?? '', `X-Forwarded-For: ${from}`));
    },
    limits,
    {
      answers: [200, 200, 429],
      after: 'open',
      upstream: [/^GET \/limited\/a /, /^GET \/limited\/b\?x /],
      gateway: 'trusting',
    },
  ),
  row(
    'limit-many-tokens',
    'one subject with a new token each time',
    (make: Making) => {
      const sub = `visitor-${++visitors}`;
      return thrice((index) => get('/counted/a', `Authorization: Bearer ${make.token({ sub, jti: `${index}` })}`));
    },
    limits,
    { answers: [200, 200, 429], after: 'open', upstream: [/^GET \/counted\/a /, /^GET \/counted\/a /] },
  ),
  row(
    'limit-own',
    'another client has its own count',
    () =>
      [nextAddress(), nextAddress(), nextAddress()]
        .map((from) => get('/limited/a', `X-Forwarded-For: ${from}`))
        .join(''),
    limits,
    { answers: [200, 200, 200], after: 'open', upstream: [/^GET /, /^GET /, /^GET /], gateway: 'trusting' },
  ),
  row(
    'limit-body',
    'a client over its limit whose body is a request',
    () => {
      const from = `X-Forwarded-For: ${nextAddress()}`;
      return (
        get('/limited/a', from) +
        get('/limited/a', from) +
        request('POST', '/limited/a', [from, 'Content-Length: 48'], get('/open/inner'))
      );
    },
    limits,
    {
      answers: [200, 200, 429],
      after: 'closed',
      upstream: [/^GET \/limited\/a /, /^GET \/limited\/a /],
      gateway: 'trusting',
    },
  ),
];
