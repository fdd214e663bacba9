// The PROXY protocol's header: what is one, what is none, and what it says. Examples from the specification, then properties.

import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { crc32c, maxProxyHeaderBytes, readProxyHeader } from '../../../gateway/edge/listen/proxy-protocol.ts';
import { proxyV2, withChecksum } from '../../support/peers/proxy-header.ts';

const read = (text: string) => readProxyHeader(Buffer.from(text, 'latin1'));

describe('version 1', () => {
  test.each([
    ['PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n', '192.0.2.7'],
    ['PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n', '0.0.0.0'],
    ['PROXY TCP6 2001:DB8:0:0::7 2001:db8::1 56324 443\r\n', '2001:db8::7'],
    ['PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n', '192.0.2.7'],
    ['PROXY UNKNOWN\r\n', null],
    ['PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n', null],
  ])('%j names %s', (text, address) => {
    expect(read(text)).toEqual({ kind: 'header', length: text.length, address });
    expect(read(`${text}GET / HTTP/1.1\r\n`)).toEqual({ kind: 'header', length: text.length, address });
  });

  test.each([
    'GET / HTTP/1.1\r\n',
    'proxy TCP4 192.0.2.7 198.51.100.1 56324 443\r\n',
    'PROXY  TCP4 192.0.2.7 198.51.100.1 56324 443\r\n',
    'PROXY TCP4  192.0.2.7 198.51.100.1 56324 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 \r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 56324\r443\r\n',
    'PROXY TCP4 192.0.2.07 198.51.100.1 56324 443\r\n',
    'PROXY TCP4 0x7f.0.0.1 198.51.100.1 56324 443\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.1 56324 443\r\n',
    'PROXY TCP4 192.0.2 198.51.100.1 56324 443\r\n',
    'PROXY TCP4 ::1 ::1 56324 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 056324 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 +1 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 443\r\n',
    'PROXY TCP6 192.0.2.7 198.51.100.1 56324 443\r\n',
    'PROXY TCP6 2001:db8::7%eth0 2001:db8::1 56324 443\r\n',
    'PROXY TCP6 2001::db8::7 2001:db8::1 56324 443\r\n',
    'PROXY TCP5 192.0.2.7 198.51.100.1 56324 443\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY UNKNOWN \x00\r\n',
    'PROXY \r\n',
    `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`,
    `PROXY UNKNOWN ${'x'.repeat(200)}`,
  ])('%j is refused', (text) => {
    expect(read(text)).toEqual({ kind: 'malformed' });
  });

  test('a line of 107 bytes is taken, one of 108 is not', () => {
    const line = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
    expect(line).toHaveLength(107);
    expect(read(line)).toMatchObject({ kind: 'header', length: 107 });
  });
});

describe('version 2', () => {
  const source4 = { source: '192.0.2.7', destination: '198.51.100.1' };
  const source6 = { source: '2001:db8::7', destination: '2001:db8::1' };

  test('names the source of a connection over IPv4 and IPv6', () => {
    expect(readProxyHeader(proxyV2(source4))).toEqual({ kind: 'header', length: 28, address: '192.0.2.7' });
    expect(readProxyHeader(proxyV2(source6))).toEqual({ kind: 'header', length: 52, address: '2001:db8::7' });
    const mapped = proxyV2({ source: '::ffff:c000:207', destination: '::1' });
    expect(readProxyHeader(mapped)).toMatchObject({ address: '192.0.2.7' });
  });

  test('LOCAL and UNSPEC leave the address to the connection, and their rest is skipped', () => {
    const local = proxyV2({ ...source4, command: 0x20 });
    expect(readProxyHeader(local)).toEqual({ kind: 'header', length: 28, address: null });
    const unspec = proxyV2({ ...source4, family: 0 });
    expect(readProxyHeader(unspec)).toEqual({ kind: 'header', length: 28, address: null });
  });

  test.each([
    ['another version', proxyV2({ ...source4, command: 0x11 })],
    ['an unknown command', proxyV2({ ...source4, command: 0x22 })],
    ['datagrams', proxyV2({ ...source4, family: 0x12 })],
    ['Unix sockets', proxyV2({ ...source4, family: 0x31 })],
    ['an unknown family', proxyV2({ ...source4, family: 0x41 })],
    ['IPv6 with the bytes of IPv4', proxyV2({ ...source4, family: 0x21 })],
    ['a TLV that goes on behind the header', proxyV2({ ...source4, tlvs: Buffer.from([4, 0, 9, 1]) })],
    ['half a TLV', proxyV2({ ...source4, tlvs: Buffer.from([4, 0]) })],
    ['a wrong checksum', proxyV2({ ...source4, tlvs: Buffer.from([3, 0, 4, 1, 2, 3, 4]) })],
    ['a checksum of another size', proxyV2({ ...source4, tlvs: Buffer.from([3, 0, 2, 1, 2]) })],
    ['more than it may hold', proxyV2({ ...source4, tlvs: Buffer.alloc(maxProxyHeaderBytes) })],
    ['a broken signature', Buffer.from('\r\n\r\n\0\r\nQUIT\r', 'latin1')],
  ])('%s is refused', (_, bytes) => {
    expect(readProxyHeader(bytes)).toEqual({ kind: 'malformed' });
  });

  test('unknown TLVs are skipped, and a checksum that holds is taken', () => {
    const tlvs = Buffer.from([4, 0, 2, 9, 9, 0xea, 0, 0]);
    expect(readProxyHeader(proxyV2({ ...source4, tlvs }))).toMatchObject({ length: 36, address: '192.0.2.7' });
    const checked = withChecksum({ ...source6, tlvs });
    expect(readProxyHeader(checked)).toMatchObject({ length: checked.length, address: '2001:db8::7' });
    // any changed byte of the addresses is found
    const changed = Buffer.from(checked);
    changed.writeUInt8(changed.readUInt8(20) ^ 1, 20);
    expect(readProxyHeader(changed)).toEqual({ kind: 'malformed' });
  });

  test('the checksum is CRC-32C', () => {
    expect(crc32c(Buffer.from('123456789', 'latin1'))).toBe(0xe3069283);
  });
});

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
const canonical = (text: string) => ipaddr.process(text).toString();

const sound = fc.oneof(
  fc.tuple(ipv4, ipv4, fc.nat(65_535), fc.nat(65_535)).map(([source, destination, from, to]) => ({
    bytes: Buffer.from(`PROXY TCP4 ${source} ${destination} ${from} ${to}\r\n`, 'latin1'),
    address: canonical(source),
  })),
  fc.tuple(ipv6, ipv6, fc.nat(65_535), fc.nat(65_535)).map(([source, destination, from, to]) => ({
    bytes: Buffer.from(`PROXY TCP6 ${source} ${destination} ${from} ${to}\r\n`, 'latin1'),
    address: canonical(source),
  })),
  fc
    .tuple(
      fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6)),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }),
    )
    .map(([[source, destination], values]) => {
      const tlvs = Buffer.concat(values.map((value) => Buffer.from([0x20, 0, value.length, ...value])));
      return { bytes: withChecksum({ source, destination, tlvs }), address: canonical(source) };
    }),
);

test('every header is read whatever follows it, and every cut of it is its beginning', () => {
  fc.assert(
    fc.property(sound, fc.uint8Array({ maxLength: 50 }), ({ bytes, address }, rest) => {
      const verdict = readProxyHeader(Buffer.concat([bytes, rest]));
      expect(verdict).toMatchObject({ kind: 'header', length: bytes.length });
      if (verdict.kind === 'header') expect(canonical(verdict.address ?? '')).toBe(address);
      for (let cut = 0; cut < bytes.length; cut++) {
        expect(readProxyHeader(bytes.subarray(0, cut))).toEqual({ kind: 'partial' });
      }
    }),
    { numRuns: 150 },
  );
});

test('no bytes make it throw, and no verdict asks for more than the longest header', () => {
  const beginnings = fc.constantFrom(
    '',
    'PROXY ',
    'PROXY TCP4 ',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11',
  );
  fc.assert(
    fc.property(beginnings, fc.uint8Array({ maxLength: 200 }), (start, rest) => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), rest]);
      const verdict = readProxyHeader(bytes);
      if (verdict.kind === 'header') expect(verdict.length).toBeLessThanOrEqual(bytes.length);
      const filled = Buffer.concat([bytes, Buffer.alloc(maxProxyHeaderBytes, 0x20)]);
      expect(readProxyHeader(filled).kind).not.toBe('partial');
    }),
    { numRuns: 1000 },
  );
});
