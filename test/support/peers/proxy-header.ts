// Writes headers of PROXY protocol version 2, sound ones and broken ones.
// On its own terms: nothing of the gateway but the checksum's arithmetic, which has a known answer of its own.

import ipaddr from 'ipaddr.js';
import { crc32c } from '../../../gateway/edge/listen/proxy-protocol.ts';

interface ProxyV2 {
  readonly source: string;
  readonly destination: string;
  /** Version and command; PROXY of version 2 by default. */
  readonly command?: number;
  /** Address family and transport; what the addresses are by default. */
  readonly family?: number;
  readonly tlvs?: Buffer;
}

/** The header's bytes. */
export function proxyV2({ source, destination, command = 0x21, family, tlvs = Buffer.alloc(0) }: ProxyV2): Buffer {
  const addresses = [source, destination].flatMap((text) => ipaddr.parse(text).toByteArray());
  const isIpv4 = ipaddr.parse(source).kind() === 'ipv4';
  const block = Buffer.concat([Buffer.from([...addresses, 0xdd, 0xd5, 0x01, 0xbb]), tlvs]);
  const head = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1');
  head[12] = command;
  head[13] = family ?? (isIpv4 ? 0x11 : 0x21);
  head.writeUInt16BE(block.length, 14);
  return Buffer.concat([head, block]);
}

/** The same with a checksum behind its other values. */
export function withChecksum(header: ProxyV2): Buffer {
  const empty = Buffer.from([0x03, 0, 4, 0, 0, 0, 0]);
  const bytes = proxyV2({ ...header, tlvs: Buffer.concat([header.tlvs ?? Buffer.alloc(0), empty]) });
  bytes.writeUInt32BE(crc32c(bytes), bytes.length - 4);
  return bytes;
}
