// Reads a PROXY protocol header, version 1 or 2: the client's address, as a balancer in front says it.
// Pure: bytes in, a verdict out. Whether the sender may be believed is the listener's question, asked before.
// Rules: the PROXY protocol specification (HAProxy, doc/proxy-protocol.txt) §2.1 and §2.2, held to its strict reading.

import ipaddr from 'ipaddr.js';

type ProxyHeader =
  /** So far the bytes are the beginning of a header. */
  | { readonly kind: 'partial' }
  /** `address` is null when the sender speaks for itself (LOCAL, UNKNOWN, UNSPEC): then the connection's own address counts. */
  | { readonly kind: 'header'; readonly length: number; readonly address: string | null }
  | { readonly kind: 'malformed' };

/** §2.1: the longest line of version 1, its CRLF included. */
const maxLineBytes = 107;
/** Longest header of version 2. The specification asks for 536 at least; balancers send a few hundred bytes of TLVs. */
export const maxProxyHeaderBytes = 4096;

const linePrefix = Buffer.from('PROXY ', 'latin1');
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes = 16;

const partial: ProxyHeader = { kind: 'partial' };
const malformed: ProxyHeader = { kind: 'malformed' };

/**
 * Reads the header at the beginning of a connection.
 *
 * @param bytes  everything that came so far; may go on behind the header
 * @returns `malformed` as soon as no continuation could make it a header
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, signature)) return bytes.length < fixedBytes ? partial : readBinary(bytes);
  if (startsLike(bytes, linePrefix)) return readLine(bytes);
  return malformed;
}

/** Whether the bytes agree with the prefix as far as they go. */
function startsLike(bytes: Buffer, prefix: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length);
  return bytes.compare(prefix, 0, length, 0, length) === 0;
}

function readLine(bytes: Buffer): ProxyHeader {
  const end = bytes.indexOf('\r\n', 0, 'latin1');
  const length = end + 2;
  if (end < 0) {
    // the CR of a CRLF may be the last byte that came
    if (bytes.length >= maxLineBytes || !/^[ -~]*\r?$/.test(bytes.toString('latin1'))) return malformed;
    return partial;
  }
  if (length > maxLineBytes) return malformed;
  const line = bytes.toString('latin1', 0, end);
  // whatever stands behind UNKNOWN is to be ignored, but it has to be a line
  if (/^PROXY UNKNOWN(?: [ -~]*)?$/.test(line)) return { kind: 'header', length, address: null };
  const match = /^PROXY TCP([46]) ([0-9A-Fa-f:.]{2,45}) ([0-9A-Fa-f:.]{2,45}) (\d{1,5}) (\d{1,5})$/.exec(line);
  if (match === null) return malformed;
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = ''] = match;
  const read = family === '4' ? ipv4Text : ipv6Text;
  const address = read(source);
  if (address === null || read(destination) === null || !isPort(sourcePort) || !isPort(destinationPort)) {
    return malformed;
  }
  return { kind: 'header', length, address };
}

function readBinary(bytes: Buffer): ProxyHeader {
  const versionAndCommand = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const length = fixedBytes + bytes.readUInt16BE(14);
  if (versionAndCommand !== 0x20 && versionAndCommand !== 0x21) return malformed;
  if (length > maxProxyHeaderBytes) return malformed;
  if (bytes.length < length) return partial;
  // LOCAL is the balancer itself, as in a health check: the rest is to be skipped, whatever it says
  if (versionAndCommand === 0x20 || family === 0x00) return { kind: 'header', length, address: null };
  // TCP over IPv4 or IPv6; datagrams and Unix sockets cannot have brought an HTTP client here
  const addressBytes = family === 0x11 ? 12 : family === 0x21 ? 36 : 0;
  const tlvs = fixedBytes + addressBytes;
  if (addressBytes === 0 || length < tlvs || !areSound(bytes.subarray(0, length), tlvs)) return malformed;
  const source = [...bytes.subarray(fixedBytes, fixedBytes + (family === 0x11 ? 4 : 16))];
  return { kind: 'header', length, address: canonicalText(ipaddr.fromByteArray(source)) };
}

/** Whether the type-length-values fill the header exactly, and its checksum, if there is one, holds (§2.2.3). */
function areSound(header: Buffer, start: number): boolean {
  let checksumAt = -1;
  let at = start;
  while (at < header.length) {
    if (at + 3 > header.length) return false;
    const size = header.readUInt16BE(at + 1);
    if (at + 3 + size > header.length) return false;
    if (header[at] === 0x03) {
      if (size !== 4 || checksumAt >= 0) return false;
      checksumAt = at + 3;
    }
    at += 3 + size;
  }
  if (checksumAt < 0) return true;
  const zeroed = Buffer.from(header);
  zeroed.writeUInt32BE(0, checksumAt);
  return crc32c(zeroed) === header.readUInt32BE(checksumAt);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** CRC-32C (RFC 4960 appendix B), which zlib does not have. @testing */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

function ipv4Text(text: string): string | null {
  return ipaddr.IPv4.isValidFourPartDecimal(text) && text === ipaddr.IPv4.parse(text).toString() ? text : null;
}

function ipv6Text(text: string): string | null {
  return text.includes(':') && ipaddr.IPv6.isValid(text) ? canonicalText(ipaddr.IPv6.parse(text)) : null;
}

/** The one spelling of an address; IPv4-mapped IPv6 is IPv4, as everywhere here. */
function canonicalText(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  if (address instanceof ipaddr.IPv4) return address.toString();
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}
