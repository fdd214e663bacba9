// Transfer-Encoding: exactly the word chunked, once, on 1.1, without a length beside it.

import { chunked, family, get, post, type RequestRow, request } from '../row.ts';

const { refused, passed } = family('transfer-encoding');

const rule = 'RFC 9112 §6.1';
const both = 'RFC 9112 §6.1, §6.3';
const end = '0\r\n\r\n';
const seen = { line: 'POST /open/a', fields: ['Transfer-Encoding: chunked'] };

const codings: readonly (readonly [id: string, what: string, value: string, reference: string])[] = [
  ['xchunked', 'a word that ends in chunked', 'xchunked', 'Node CVE-2022-32213'],
  ['chunkedx', 'a word that begins with chunked', 'chunkedx', 'Node CVE-2022-32213'],
  ['identity', 'identity', 'identity', rule],
  ['gzip', 'gzip alone', 'gzip', rule],
  ['gzip-chunked', 'gzip before chunked', 'gzip, chunked', 'RFC 9112 §7.1'],
  ['chunked-gzip', 'chunked before gzip', 'chunked, gzip', rule],
  ['chunked-identity', 'chunked before identity', 'chunked, identity', rule],
  ['identity-chunked', 'identity before chunked', 'identity, chunked', rule],
  ['chunked-twice', 'chunked twice in a list', 'chunked, chunked', rule],
  ['comma-first', 'an empty member first', ', chunked', 'RFC 9110 §5.6.1'],
  ['comma-last', 'an empty member last', 'chunked,', 'RFC 9110 §5.6.1'],
  ['empty', 'nothing', '', rule],
  ['quoted', 'quotes', '"chunked"', rule],
  ['single-quoted', 'single quotes', "'chunked'", rule],
  ['parameter', 'a parameter', 'chunked;q=1', rule],
  ['semicolon', 'a semicolon', 'chunked;', rule],
  ['two-words', 'two words', 'x chunked', rule],
  ['word-behind', 'a word behind', 'chunked x', rule],
  ['vertical-tab', 'a vertical tab before the word', '\x0bchunked', 'Node CVE-2022-32213'],
  ['form-feed', 'a form feed before the word', '\x0cchunked', 'Node CVE-2022-32213'],
  ['nul', 'a NUL before the word', '\0chunked', 'Node CVE-2022-32213'],
  ['nul-behind', 'a NUL behind the word', 'chunked\0', 'Node CVE-2022-32213'],
  ['no-break-space', 'a no-break space before the word', '\xa0chunked', 'Node CVE-2022-32213'],
  ['tab-behind', 'a tab behind the word', 'chunked\t', 'Node CVE-2022-32213'],
  ['blank-behind', 'a blank behind the word', 'chunked ', rule],
  ['high-k', 'a Kelvin sign, which folds to k', 'chun\xe2\x84\xaaed', rule],
  ['dotless', 'a letter of latin1', 'chunk\xe9d', rule],
  ['folded', 'the word in a folded line', '\r\n chunked', 'RFC 9112 §5.2'],
  ['folded-tab', 'the word in a line folded by a tab', '\r\n\tchunked', 'RFC 9112 §5.2'],
  ['folded-behind', 'another coding in a folded line', 'chunked\r\n , identity', 'RFC 9112 §5.2'],
  ['cr-before', 'a CR before the word', '\rchunked', 'RFC 9112 §2.2'],
  ['colon', 'a second colon', ': chunked', rule],
  ['equals', 'an equals sign', '=chunked', rule],
];

const names: readonly (readonly [id: string, what: string, line: string])[] = [
  ['name-blank', 'a blank before the colon', 'Transfer-Encoding : chunked'],
  ['name-tab', 'a tab before the colon', 'Transfer-Encoding\t: chunked'],
  ['name-nul', 'a NUL before the colon', 'Transfer-Encoding\0: chunked'],
  ['name-vertical-tab', 'a vertical tab before the colon', 'Transfer-Encoding\x0b: chunked'],
  ['name-no-break-space', 'a no-break space before the colon', 'Transfer-Encoding\xa0: chunked'],
  ['name-leading-blank', 'a blank before the name', ' Transfer-Encoding: chunked'],
  ['name-leading-tab', 'a tab before the name', '\tTransfer-Encoding: chunked'],
  ['name-quoted', 'the name in quotes', '"Transfer-Encoding": chunked'],
  ['name-no-colon', 'no colon', 'Transfer-Encoding chunked'],
  ['name-equals', 'an equals sign for the colon', 'Transfer-Encoding= chunked'],
  ['name-long-s', 'a long s for the s', 'Tran\xc5\xbffer-Encoding: chunked'],
  ['hidden-by-cr', 'a bare CR that hides the field', 'X: y\rTransfer-Encoding: chunked'],
  ['hidden-by-lf', 'a bare LF that shows the field', 'X: y\nTransfer-Encoding: chunked'],
  ['hidden-by-nul', 'a NUL that hides the field', 'X: y\0\r\nTransfer-Encoding: chunked'],
];

export const transferEncodingRows: readonly RequestRow[] = [
  ...codings.map(([id, what, value, reference]) =>
    refused(id, `Transfer-Encoding of ${what}`, post([`Transfer-Encoding: ${value}`], end), reference),
  ),
  ...names.map(([id, what, line]) =>
    refused(id, what, post(['Content-Length: 5', line], end), 'RFC 9112 §5.1, Node CVE-2022-32215'),
  ),
  ...(
    [
      ['name-underscore', 'an underscore in the name', 'Transfer_Encoding: chunked'],
      ['name-dot', 'a dot in the name', 'Transfer.Encoding: chunked'],
    ] as const
  ).map(([id, what, line]) =>
    passed(id, what, post(['Content-Length: 5', line], end), 'RFC 9112 §5.1, Node CVE-2022-32215', {
      line: 'POST /open/a',
      fields: ['Content-Length: 5'],
      body: end,
    }),
  ),
  refused(
    'with-length',
    'a length before the coding (CL.TE)',
    post(['Content-Length: 5', 'Transfer-Encoding: chunked'], end),
    both,
  ),
  refused(
    'with-length-behind',
    'a length behind the coding (TE.CL)',
    post(['Transfer-Encoding: chunked', 'Content-Length: 5'], end),
    both,
  ),
  refused(
    'with-length-zero',
    'a length of zero beside the coding',
    post(['Content-Length: 0', 'Transfer-Encoding: chunked'], end),
    both,
  ),
  refused(
    'with-length-of-rest',
    'a length that reaches behind the last chunk',
    post(['Content-Length: 50', 'Transfer-Encoding: chunked'], `${end}${get('/open/inner')}`),
    both,
  ),
  refused(
    'with-bad-length',
    'a broken length beside the coding',
    post(['Content-Length: x', 'Transfer-Encoding: chunked'], end),
    both,
  ),
  refused('twice', 'two fields', post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], end), rule),
  refused(
    'twice-identity',
    'chunked, then identity in another field',
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], end),
    rule,
  ),
  refused(
    'twice-identity-first',
    'identity, then chunked in another field',
    post(['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'], end),
    rule,
  ),
  refused(
    'twice-obfuscated',
    'one good field and one that is none',
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: cow'], end),
    rule,
  ),
  refused(
    'twice-other-case',
    'two fields in other letters',
    post(['transfer-encoding: chunked', 'TRANSFER-ENCODING: chunked'], end),
    rule,
  ),
  refused(
    'on-1.0',
    'a coding on 1.0',
    `POST /open/a HTTP/1.0\r\nHost: media.example\r\nTransfer-Encoding: chunked\r\n\r\n${end}`,
    'RFC 9112 §6.1',
  ),
  refused(
    'on-1.0-keep-alive',
    'a coding on a 1.0 connection that stays',
    `POST /open/a HTTP/1.0\r\nHost: media.example\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${end}`,
    'RFC 9112 §6.1',
  ),
  refused(
    'hidden-by-connection',
    'a coding that Connection names',
    post(['Connection: Transfer-Encoding', 'Transfer-Encoding: chunked'], end),
    'RFC 9110 §7.6.1',
  ),
  refused(
    'length-hidden-by-connection',
    'a length that Connection names',
    post(['Connection: Content-Length', 'Content-Length: 3'], 'abc'),
    'RFC 9110 §7.6.1',
  ),
  refused(
    'host-hidden-by-connection',
    'a Host that Connection names',
    get('/open/a', 'Connection: Host'),
    'RFC 9110 §7.6.1',
  ),

  passed('chunked', 'chunked', chunked(`3\r\nabc\r\n${end}`), rule, { ...seen, body: `3\r\nabc\r\n${end}` }),
  passed(
    'capitals',
    'name and word in capitals are written anew',
    post(['TRANSFER-ENCODING: CHUNKED'], end),
    'RFC 9112 §7',
    { ...seen, body: end },
  ),
  passed(
    'te-field',
    'TE is the neighbour’s business',
    post(['TE: trailers, chunked', 'Transfer-Encoding: chunked'], end),
    'RFC 9110 §10.1.4',
    { ...seen, body: end },
  ),
  passed(
    'get-chunked',
    'GET with an empty chunked body',
    request('GET', '/open/a', ['Transfer-Encoding: chunked'], end),
    rule,
    { ...seen, line: 'GET /open/a', body: end },
  ),
  passed(
    'other-name',
    'a name that only resembles it',
    post(['X-Transfer-Encoding: chunked', 'Content-Length: 5'], end),
    rule,
    { line: 'POST /open/a', fields: ['X-Transfer-Encoding: chunked', 'Content-Length: 5'], body: end },
  ),
];
