// The Host field: exactly one, a host and perhaps a port, and nothing that another parser reads as more.

import { family, get, host, type RequestRow } from '../row.ts';

const { refused, passed, denied } = family('host');

const rule = 'RFC 9112 §3.2';
const grammar = 'RFC 9110 §7.2';

const malformed: readonly (readonly [id: string, what: string, value: string])[] = [
  ['user-info', 'user info', `user@${host}`],
  ['user-password', 'user and password', `user:pass@${host}`],
  ['path', 'a path', `${host}/vod`],
  ['query', 'a query', `${host}?x`],
  ['fragment', 'a fragment', `${host}#x`],
  ['scheme', 'a scheme', `http://${host}`],
  ['two-hosts', 'two hosts with a comma', `${host}, admin.example`],
  ['two-hosts-blank', 'two hosts with a blank', `${host} admin.example`],
  ['port-letters', 'a port of letters', `${host}:http`],
  ['port-empty', 'an empty port', `${host}:`],
  ['port-zero', 'port 0', `${host}:0`],
  ['port-too-high', 'port 65536', `${host}:65536`],
  ['port-sign', 'a port with a sign', `${host}:+80`],
  ['two-ports', 'two ports', `${host}:80:80`],
  ['port-then-host', 'a host behind the port', `${host}:80@evil.example`],
  ['only-port', 'nothing but a port', ':80'],
  ['only-dot', 'a dot', '.'],
  ['leading-dot', 'a leading dot', `.${host}`],
  ['empty-label', 'an empty label', 'media..example'],
  ['two-trailing-dots', 'two dots at the end', `${host}..`],
  ['percent', 'an encoded letter', '%6dedia.example'],
  ['backslash', 'a backslash', `${host}\\x`],
  ['quote', 'quotes', `"${host}"`],
  ['asterisk', 'a wildcard', '*.example'],
  ['less-than', 'markup', '<script>'],
  ['bracket-open', 'a bracket that never closes', '[::1'],
  ['bracket-name', 'a name in brackets', `[${host}]`],
  ['bracket-junk', 'junk behind the bracket', '[::1]x'],
  ['zone', 'an IPv6 zone', '[fe80::1%25eth0]'],
  ['ipv6-bare', 'IPv6 without brackets', '::1'],
  ['high-byte', 'a byte from 0x80 on', 'm\xe4dia.example'],
  ['too-long', 'a name of 300 characters', `${'a.'.repeat(150)}a`],
  ['tab-inside', 'a tab inside', 'media\t.example'],
];

export const hostRows: readonly RequestRow[] = [
  refused('missing', 'no Host on 1.1', 'GET /open/a HTTP/1.1\r\n\r\n', rule),
  refused('twice', 'two Host fields', get('/open/a', `Host: ${host}`, 'Host: admin.example'), rule),
  refused('twice-equal', 'two equal Host fields', get('/open/a', `Host: ${host}`, `Host: ${host}`), rule),
  refused(
    'twice-other-case',
    'two Host fields in other letters',
    get('/open/a', `hOST: ${host}`, 'HOST: admin.example'),
    rule,
  ),
  refused('twice-first-empty', 'an empty Host and another', get('/open/a', 'Host:', `Host: ${host}`), rule),
  refused('twice-1.0', 'two Host fields of a 1.0 client', 'GET /open/a HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', rule),
  refused('empty', 'an empty Host', get('/open/a', 'Host:'), rule),
  refused('blanks', 'a Host of blanks', get('/open/a', 'Host: \t '), rule),
  refused('blank-before-colon', 'a blank before Host’s colon', get('/open/a', `Host : ${host}`), 'RFC 9112 §5.1'),
  refused(
    'folded',
    'a Host that goes on in a folded line',
    get('/open/a', `Host: ${host}\r\n .evil.example`),
    'RFC 9112 §5.2',
  ),
  refused(
    'indented',
    'a second Host, indented',
    get('/open/a', `Host: ${host}\r\n Host: admin.example`),
    'RFC 9112 §5.2',
  ),
  ...malformed.map(([id, what, value]) => refused(id, `Host with ${what}`, get('/open/a', `Host: ${value}`), grammar)),

  passed('port', 'a port', get('/open/a', `Host: ${host}:8080`), grammar, {
    line: 'GET /open/a',
    host: `${host}:8080`,
  }),
  passed('blanks-around', 'blanks and tabs around it', get('/open/a', `Host:\t ${host} \t`), grammar, {
    line: 'GET /open/a',
  }),
  passed('capitals', 'capitals', get('/open/a', 'Host: MEDIA.example'), grammar, {
    line: 'GET /open/a',
    host: 'MEDIA.example',
  }),
  passed('trailing-dot', 'a final dot', get('/open/a', `Host: ${host}.`), grammar, {
    line: 'GET /open/a',
    host: `${host}.`,
  }),
  passed('ipv6', 'an IPv6 literal', get('/open/a', 'Host: [2001:db8::1]:80'), grammar, {
    line: 'GET /open/a',
    host: '[2001:db8::1]:80',
  }),
  denied(
    'route-of-host',
    'a host’s own route is not had under another name',
    get('/host/a', `Host: ${host}`),
    'connection contamination',
    404,
  ),
  denied(
    'route-of-host-trailing-dot',
    'a final dot does not lead around a host’s route',
    get('/host/a', 'Host: admin.example.'),
    'RFC 3986 §3.2.2',
  ),
  denied(
    'route-of-host-port',
    'a port does not lead around a host’s route',
    get('/host/a', 'Host: admin.example:1'),
    grammar,
  ),
  denied(
    'route-of-host-capitals',
    'capitals do not lead around a host’s route',
    get('/host/a', 'Host: ADMIN.example'),
    grammar,
  ),
  denied(
    'token-of-other-host',
    'a token for another host',
    (make) => get('/vod/a', `Authorization: Bearer ${make.token({ hosts: ['admin.example'] })}`),
    'connection contamination',
    403,
  ),
];
