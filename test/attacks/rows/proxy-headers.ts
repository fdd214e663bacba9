// PROXY protocol on a listener that asks for it: who the client is, said once, before any request, by whoever may say it.
// A connection that begins otherwise ends without an answer: who speaks there is not known.

import { proxyV2 } from '../../support/peers/proxy-header.ts';
import { family, get, type RequestRow } from '../row.ts';

const { row, passed, denied, refused } = family('proxy-headers');

const rule = 'PROXY protocol §2.1';
const binary = 'PROXY protocol §2.2';
const proxied = { gateway: 'proxied' } as const;
/** What every connection of this kind begins with, but for those whose row says it all. */
const from = '203.0.113.9';

const lines: readonly (readonly [id: string, what: string, header: string])[] = [
  ['none', 'no header', ''],
  ['lf', 'a bare LF behind it', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 80\n'],
  ['lower-case', 'small letters', 'proxy TCP4 192.0.2.1 192.0.2.2 1 80\r\n'],
  ['udp', 'another protocol', 'PROXY UDP4 192.0.2.1 192.0.2.2 1 80\r\n'],
  ['no-port', 'a port too few', 'PROXY TCP4 192.0.2.1 192.0.2.2 80\r\n'],
  ['port-too-high', 'port 65536', 'PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n'],
  ['port-zeros', 'a port with leading zeros', 'PROXY TCP4 192.0.2.1 192.0.2.2 00001 80\r\n'],
  ['octal', 'an octal address', 'PROXY TCP4 0300.0.2.1 192.0.2.2 1 80\r\n'],
  ['short-address', 'an address of three parts', 'PROXY TCP4 192.0.1 192.0.2.2 1 80\r\n'],
  ['family', 'IPv6 where IPv4 is said', 'PROXY TCP4 2001:db8::1 2001:db8::2 1 80\r\n'],
  ['two-blanks', 'two blanks', 'PROXY TCP4  192.0.2.1 192.0.2.2 1 80\r\n'],
  ['too-long', 'a line of 108 bytes', `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`],
  ['nul', 'a NUL', 'PROXY UNKNOWN \0\r\n'],
];

const headers: readonly (readonly [id: string, what: string, header: Buffer])[] = [
  ['v2-version', 'another version', proxyV2({ source: '192.0.2.1', destination: '192.0.2.2', command: 0x31 })],
  ['v2-command', 'an unknown command', proxyV2({ source: '192.0.2.1', destination: '192.0.2.2', command: 0x22 })],
  ['v2-datagram', 'a datagram', proxyV2({ source: '192.0.2.1', destination: '192.0.2.2', family: 0x12 })],
  ['v2-unix', 'a Unix socket', proxyV2({ source: '192.0.2.1', destination: '192.0.2.2', family: 0x31 })],
  [
    'v2-short',
    'IPv4 addresses where IPv6 is said',
    proxyV2({ source: '192.0.2.1', destination: '192.0.2.2', family: 0x21 }),
  ],
  [
    'v2-values',
    'values that reach beyond the header',
    proxyV2({ source: '192.0.2.1', destination: '192.0.2.2', tlvs: Buffer.from([1, 0xff, 0xff]) }),
  ],
  [
    'v2-checksum',
    'a wrong checksum',
    proxyV2({ source: '192.0.2.1', destination: '192.0.2.2', tlvs: Buffer.from([3, 0, 4, 1, 2, 3, 4]) }),
  ],
];

export const proxyHeaderRows: readonly RequestRow[] = [
  ...[...lines, ...headers.map(([id, what, bytes]) => [id, what, bytes.toString('latin1')] as const)].map(
    ([id, what, header]) =>
      row(id, what, header + get('/open/a'), id.startsWith('v2') ? binary : rule, {
        answers: [],
        after: 'closed',
        upstream: 'nothing',
        isFirst: true,
        ...proxied,
      }),
  ),
  row(
    'v1',
    'the client is whom the header names',
    `PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\n${get('/open/a', 'X-Forwarded-For: 198.51.100.1')}`,
    rule,
    {
      answers: [200],
      after: 'open',
      upstream: [{ line: 'GET /open/a', forwardedFor: '192.0.2.1' }],
      isFirst: true,
      ...proxied,
    },
  ),
  row(
    'v2',
    'the same in its binary form',
    proxyV2({ source: '2001:db8::1', destination: '::1' }).toString('latin1') + get('/open/a'),
    binary,
    {
      answers: [200],
      after: 'open',
      upstream: [{ line: 'GET /open/a', forwardedFor: '2001:db8::1' }],
      isFirst: true,
      ...proxied,
    },
  ),
  row(
    'unknown',
    'a header that names nobody leaves the neighbour',
    `PROXY UNKNOWN 192.0.2.1 192.0.2.2 1 80\r\n${get('/open/a')}`,
    rule,
    {
      answers: [200],
      after: 'open',
      upstream: [{ line: 'GET /open/a' }],
      isFirst: true,
      ...proxied,
    },
  ),
  row(
    'local',
    'nor does one of the balancer itself',
    proxyV2({ source: '192.0.2.1', destination: '192.0.2.2', command: 0x20 }).toString('latin1') + get('/open/a'),
    binary,
    {
      answers: [200],
      after: 'open',
      upstream: [{ line: 'GET /open/a' }],
      isFirst: true,
      ...proxied,
    },
  ),
  refused(
    'second',
    'a second header is no request',
    `PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\n${get('/open/a')}`,
    rule,
    400,
    proxied,
  ),
  row(
    'second-behind-request',
    'nor is one behind a request',
    `${get('/open/a')}PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\n${get('/open/b')}`,
    rule,
    {
      answers: [200, 400],
      after: 'closed',
      upstream: [{ line: 'GET /open/a', forwardedFor: from }],
      ...proxied,
    },
  ),
  passed(
    'forged-field',
    'a client cannot add to what the header says',
    get('/open/a', 'X-Forwarded-For: 192.0.2.1', 'Forwarded: for=192.0.2.1'),
    'fastify CVE-2026-3635',
    { line: 'GET /open/a', forwardedFor: from },
    proxied,
  ),
  denied(
    'forged-scope',
    'nor open what is for another address',
    (make) =>
      get('/vod/a', 'X-Forwarded-For: 192.0.2.1', `Authorization: Bearer ${make.token({ ips: ['192.0.2.1'] })}`),
    'fastify CVE-2026-3635',
    403,
    proxied,
  ),
  denied(
    'neighbour-scope',
    'nor what is for the balancer’s own address',
    (make) => get('/vod/a', `Authorization: Bearer ${make.token({ ips: ['127.0.0.1'] })}`),
    'fastify CVE-2026-3635',
    403,
    proxied,
  ),
];
