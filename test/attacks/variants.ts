// One idea with each byte in turn: controls and separators in the places where one parser skips what another keeps.
// Counted apart from the rows that each have an idea of their own.

import { chunked, family, get, host, post, type RequestRow } from './row.ts';

const { refused, broken, passed } = family('variants');

const hex = (byte: number) => byte.toString(16).padStart(2, '0');
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Controls that may stand nowhere in a head; CR and LF have rows of their own, HT is a blank. */
const controls = [...range(0x00, 0x08), 0x0b, 0x0c, ...range(0x0e, 0x1f), 0x7f];
/** Signs that a token may hold beside the hyphen (RFC 9110 §5.6.2). */
const signs = [..."!#$%&'*+.^_`|~"].map((sign) => sign.charCodeAt(0));
/** ASCII that no field name holds, but for the colon. */
const separators = [
  ...range(0x20, 0x2c),
  0x2f,
  ...range(0x3b, 0x40),
  ...range(0x5b, 0x60),
  ...range(0x7b, 0x7e),
].filter((byte) => !signs.includes(byte));
/** A few of the bytes that some parser takes for a blank, or drops. */
const oddBlanks = [0x0b, 0x0c, 0x1c, 0x1f, 0x85, 0xa0, 0xad];

function each(
  place: string,
  bytes: readonly number[],
  reference: string,
  make: (character: string) => string,
): RequestRow[] {
  return [...new Set(bytes)].map((byte) => ({
    ...refused(
      `${place}-${hex(byte)}`,
      `byte 0x${hex(byte)}: ${place.replaceAll('-', ' ')}`,
      make(String.fromCharCode(byte)),
      reference,
    ),
    isVariant: true,
  }));
}

export const variantRows: readonly RequestRow[] = [
  ...each('in-value', controls, 'RFC 9110 §5.5', (character) => get('/open/a', `X-Name: a${character}b`)),
  ...each('in-name', [...controls, ...separators], 'RFC 9110 §5.1', (character) =>
    get('/open/a', `X-Na${character}me: a`),
  ),
  ...signs.map((byte) => {
    const line = `X-Na${String.fromCharCode(byte)}me: a`;
    const seen = { line: 'GET /open/a', fields: [line] };
    const id = `in-name-${hex(byte)}`;
    return {
      ...passed(id, `byte 0x${hex(byte)}: in name`, get('/open/a', line), 'RFC 9110 §5.1', seen),
      isVariant: true,
    };
  }),
  ...each('before-colon', [...controls, 0x09, 0x20, ...oddBlanks], 'RFC 9112 §5.1', (character) =>
    post([`Transfer-Encoding${character}: chunked`], '0\r\n\r\n'),
  ),
  ...each('before-chunked', [...controls, ...oddBlanks, 0x2c, 0x3b, 0x22, 0x27], 'Node CVE-2022-32213', (character) =>
    post([`Transfer-Encoding: ${character}chunked`], '0\r\n\r\n'),
  ),
  ...each(
    'behind-chunked',
    [...controls, ...oddBlanks, 0x09, 0x20, 0x2c, 0x3b, 0x2e],
    'Node CVE-2022-32213',
    (character) => post([`Transfer-Encoding: chunked${character}`], '0\r\n\r\n'),
  ),
  ...each('before-length', [...controls, ...oddBlanks, 0x2b, 0x2d, 0x2e, 0x30], 'RFC 9110 §8.6', (character) =>
    post([`Content-Length: ${character}3`], 'abc'),
  ),
  ...each('behind-length', [...controls, ...oddBlanks, 0x2c, 0x2e, 0x3b, 0x61], 'RFC 9110 §8.6', (character) =>
    post([`Content-Length: 3${character}`], 'abc'),
  ),
  ...each(
    'in-target',
    [...controls, 0x09, 0x20, 0x22, 0x23, 0x3c, 0x3e, ...range(0x80, 0x8f), 0xa0, 0xff],
    'RFC 9112 §3.2',
    (character) => get(`/open/a${character}b`),
  ),
  ...each('in-path', [0x5c], 'RFC 3986 §3.3', (character) => get(`/open/a${character}b`)),
  ...each(
    'behind-method',
    [...controls, 0x09, ...oddBlanks],
    'RFC 9112 §3',
    (character) => `GET${character}/open/a HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  ),
  ...each(
    'before-version',
    [...controls, 0x09, ...oddBlanks],
    'RFC 9112 §3',
    (character) => `GET /open/a${character}HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  ),
  ...each(
    'in-host',
    [...controls, 0x09, 0x20, ...separators.filter((byte) => byte !== 0x2e && byte !== 0x5f), ...oddBlanks],
    'RFC 9110 §7.2',
    (character) => get('/open/a', `Host: media${character}example`),
  ),
  ...range(0x00, 0x1f)
    .concat(0x7f, 0x2f, 0x5c)
    .map((byte) => ({
      ...refused(
        `encoded-${hex(byte)}`,
        `%${hex(byte)} in a path`,
        get(`/open/a%${hex(byte)}b`),
        'Envoy CVE-2021-29492',
      ),
      isVariant: true,
    })),
  ...[...new Set([...controls, 0x09, 0x20, 0x2b, 0x2d, 0x2e, 0x2c, 0x5f, ...oddBlanks])].flatMap((byte) => [
    {
      ...broken(
        `chunk-size-before-${hex(byte)}`,
        `byte 0x${hex(byte)} before a chunk’s size`,
        chunked(`${String.fromCharCode(byte)}3\r\nabc\r\n0\r\n\r\n`),
        'RFC 9112 §7.1',
      ),
      isVariant: true,
    },
    {
      ...broken(
        `chunk-size-behind-${hex(byte)}`,
        `byte 0x${hex(byte)} behind a chunk’s size`,
        chunked(`3${String.fromCharCode(byte)}\r\nabc\r\n0\r\n\r\n`),
        'RFC 9112 §7.1',
      ),
      isVariant: true,
    },
  ]),
];
