// Field lines: names, colons, folding, control characters, how many and how long.

import { family, get, type RequestRow } from '../row.ts';

const { refused, passed } = family('fields');

const lineRule = 'RFC 9112 §5';
const nameRule = 'RFC 9110 §5.1';
const valueRule = 'RFC 9110 §5.5';

const lines: readonly (readonly [id: string, what: string, line: string, reference: string])[] = [
  ['no-colon', 'a line without a colon', 'Nothing', lineRule],
  ['empty-name', 'an empty name', ': value', nameRule],
  ['blank-name', 'a name of a blank', ' : value', nameRule],
  ['name-with-blank', 'a blank inside the name', 'X Y: value', nameRule],
  ['blank-before-colon', 'a blank before the colon', 'X-Name : value', 'RFC 9112 §5.1'],
  ['tab-before-colon', 'a tab before the colon', 'X-Name\t: value', 'RFC 9112 §5.1'],
  ['folded', 'a folded line', 'X-Name: a\r\n b', 'RFC 9112 §5.2'],
  ['folded-tab', 'a line folded by a tab', 'X-Name: a\r\n\tb', 'RFC 9112 §5.2'],
  ['folded-empty', 'a line of a blank alone', 'X-Name: a\r\n ', 'RFC 9112 §5.2'],
  ['folded-field', 'a field that hides in a folded line', 'X-Name: a\r\n X-Forwarded-User: root', 'RFC 9112 §5.2'],
  ['lf-end', 'a bare LF behind a field', 'X-Name: a\nX-Other: b', 'RFC 9112 §2.2'],
  ['cr-end', 'a bare CR behind a field', 'X-Name: a\rX-Other: b', 'RFC 9112 §2.2'],
  ['cr-inside', 'a bare CR inside a value', 'X-Name: a\rb', 'RFC 9112 §2.2'],
  ['cr-cr-lf', 'two CR at a line’s end', 'X-Name: a\r', 'RFC 9112 §2.2'],
  ['nul', 'a NUL inside a value', 'X-Name: a\0b', valueRule],
  ['escape', 'a terminal’s escape inside a value', 'X-Name: \x1b[2J', valueRule],
  ['delete', 'DEL inside a value', 'X-Name: a\x7fb', valueRule],
  ['nul-name', 'a NUL inside a name', 'X-\0Name: a', nameRule],
  ['at', 'an at sign in a name', 'X@Name: a', nameRule],
  ['slash', 'a slash in a name', 'X/Name: a', nameRule],
  ['quote', 'a quote in a name', 'X"Name: a', nameRule],
  ['equals', 'an equals sign in a name', 'X=Name: a', nameRule],
  ['bracket', 'a bracket in a name', 'X[Name]: a', nameRule],
  ['high-name', 'a byte from 0x80 on in a name', 'X-N\xe4me: a', nameRule],
  ['pseudo', 'a pseudo field of HTTP/2', ':authority: admin.example', 'RFC 9113 §8.3'],
  ['pseudo-path', 'a pseudo path', ':path: /vod/a', 'RFC 9113 §8.3'],
  ['request-line-as-field', 'a second request line as a field', 'GET /vod/a HTTP/1.1', lineRule],
];

export const fieldRows: readonly RequestRow[] = [
  ...lines.map(([id, what, line, reference]) => refused(id, what, get('/open/a', line), reference)),
  ...lines
    .filter(([id]) => ['no-colon', 'folded', 'nul', 'empty-name'].includes(id))
    .map(([id, what, line, reference]) =>
      refused(
        `${id}-last`,
        `${what}, with a token and a field behind it`,
        get('/vod/a', line, 'Authorization: Bearer {{token}}'),
        reference,
      ),
    ),
  refused(
    '101',
    '101 fields',
    get('/open/a', ...Array.from({ length: 100 }, (_, index) => `X-${index}: 1`)),
    'RFC 6585 §5',
    431,
  ),
  refused(
    'thousands',
    '10,000 fields',
    get('/open/a', ...Array.from({ length: 10_000 }, () => 'X: 1')),
    'RFC 6585 §5',
    431,
  ),
  refused('long-value', 'a value of 40 KiB', get('/open/a', `X: ${'a'.repeat(40 * 1024)}`), 'RFC 6585 §5', 431),
  refused('long-name', 'a name of 40 KiB', get('/open/a', `${'a'.repeat(40 * 1024)}: 1`), 'RFC 6585 §5', 431),
  refused(
    'long-together',
    'fields of 40 KiB together',
    get('/open/a', ...Array.from({ length: 40 }, (_, index) => `X-${index}: ${'a'.repeat(1024)}`)),
    'RFC 6585 §5',
    431,
  ),

  passed(
    '100',
    '100 fields',
    get('/open/a', ...Array.from({ length: 99 }, (_, index) => `X-${index}: 1`)),
    'RFC 6585 §5',
    { line: 'GET /open/a', fields: Array.from({ length: 99 }, (_, index) => `X-${index}: 1`) },
  ),
  ...(
    [
      ['underscore', 'an underscore in a name', 'X_Name: a'],
      ['dot', 'a dot in a name', 'X.Name: a'],
      ['tilde', 'a tilde in a name', 'X~Name: a'],
      ['apostrophe', 'an apostrophe in a name', "X'Name: a"],
      ['every-sign', 'every sign that a token may have', "!#$%&'*+-.^_`|~: a"],
      ['client-id', 'names that programs use', 'client_id: a\r\nX_API_KEY: b\r\nx.custom: c'],
      ['near-host', 'names near such as matter', '_Host: a\r\nhost_: b\r\nx_host: c\r\nX-Account_: d'],
    ] as const
  ).map(([id, what, line]) =>
    passed(id, what, get('/open/a', line), nameRule, { line: 'GET /open/a', fields: line.split('\r\n') }),
  ),
  passed(
    'underscore-last',
    'an underscore in a name, with a token and a field behind it',
    get('/vod/a', 'X_Name: a', 'Authorization: Bearer {{token}}'),
    nameRule,
    { line: 'GET /vod/a', fields: ['X_Name: a'], identity: ['X-Forwarded-User: user-1'] },
  ),
  passed('empty-value', 'an empty value', get('/open/a', 'X-Name:'), valueRule, {
    line: 'GET /open/a',
    fields: ['X-Name:'],
  }),
  passed(
    'tabs-and-blanks',
    'tabs and blanks around and inside a value',
    get('/open/a', 'X-Name:\t a\t b \t'),
    valueRule,
    { line: 'GET /open/a', fields: ['X-Name:\t a\t b \t'] },
  ),
  passed('high-value', 'bytes from 0x80 on in a value', get('/open/a', 'X-Name: \x80\xe4\xff'), valueRule, {
    line: 'GET /open/a',
    fields: ['X-Name: \x80\xe4\xff'],
  }),
  passed('colons', 'colons in a value', get('/open/a', 'X-Name: a: b:'), lineRule, {
    line: 'GET /open/a',
    fields: ['X-Name: a: b:'],
  }),
  passed(
    'repeated',
    'a field that is repeated keeps its order',
    get('/open/a', 'X-Name: 1', 'X-Other: 2', 'X-Name: 3'),
    'RFC 9110 §5.3',
    { line: 'GET /open/a', fields: ['X-Name: 1', 'X-Other: 2', 'X-Name: 3'] },
  ),
  passed('digits', 'a name of digits and hyphens', get('/open/a', '-1-: 2'), nameRule, {
    line: 'GET /open/a',
    fields: ['-1-: 2'],
  }),
  passed(
    'prototype',
    'names that objects have',
    get('/open/a', 'constructor: 1', 'toString: 2', 'hasOwnProperty: 3'),
    'prototype pollution',
    { line: 'GET /open/a', fields: ['constructor: 1', 'toString: 2', 'hasOwnProperty: 3'] },
  ),
];
