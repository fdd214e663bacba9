// Lists of client addresses: CIDR blocks and single addresses, IPv4 and IPv6.
// An IPv4-mapped IPv6 address counts as the IPv4 address, in lists and in look-ups. Look-ups keep no state.
// Only the strict forms are accepted: no octal, hexadecimal or short IPv4, no zone in a list.

import ipaddr from 'ipaddr.js';

interface Ipv6Block {
  readonly address: ipaddr.IPv6;
  readonly bits: number;
}

/** A compiled list. Made by `compileIpList`. */
export class IpList {
  /** The IPv4 blocks as pairs of network and mask, both as unsigned 32-bit numbers. */
  readonly #ipv4: readonly number[];
  readonly #ipv6: readonly Ipv6Block[];

  /** @internal use `compileIpList` */
  constructor(ipv4: readonly number[], ipv6: readonly Ipv6Block[]) {
    this.#ipv4 = ipv4;
    this.#ipv6 = ipv6;
  }

  /**
   * Whether the address lies in one of the blocks.
   *
   * @param address  as a socket reports it, e.g. `192.0.2.1`, `::ffff:192.0.2.1`, `fe80::1%eth0`; anything else is in no block
   */
  contains(address: string): boolean {
    const ipv4 = parseIpv4(address);
    if (ipv4 !== null) return this.#containsIpv4(ipv4);
    if (!address.includes(':') || !ipaddr.IPv6.isValid(address)) return false;
    const ipv6 = ipaddr.IPv6.parse(address);
    if (ipv6.isIPv4MappedAddress()) return this.#containsIpv4(mappedIpv4(ipv6));
    return this.#ipv6.some((block) => ipv6.match(block.address, block.bits));
  }

  #containsIpv4(address: number): boolean {
    for (let index = 0; index < this.#ipv4.length; index += 2) {
      if ((address & (this.#ipv4[index + 1] ?? 0)) >>> 0 === this.#ipv4[index]) return true;
    }
    return false;
  }
}

/**
 * Compiles a list of CIDR blocks and single addresses. Bits below the prefix are ignored: `10.1.2.3/8` is `10.0.0.0/8`.
 *
 * @returns null when any entry is malformed
 */
export function compileIpList(list: readonly string[]): IpList | null {
  const ipv4: number[] = [];
  const ipv6: Ipv6Block[] = [];
  for (const entry of list) {
    const slash = entry.indexOf('/');
    const text = slash < 0 ? entry : entry.slice(0, slash);
    const prefix = slash < 0 ? null : entry.slice(slash + 1);
    const four = parseIpv4(text);
    if (four !== null) {
      const bits = prefixLength(prefix, 32);
      if (bits === null) return null;
      pushIpv4(ipv4, four, bits);
      continue;
    }
    if (!/^[0-9A-Fa-f:.]{2,45}$/.test(text) || !ipaddr.IPv6.isValid(text)) return null;
    const bits = prefixLength(prefix, 128);
    if (bits === null) return null;
    const address = ipaddr.IPv6.parse(text);
    if (address.isIPv4MappedAddress() && bits >= 96) pushIpv4(ipv4, mappedIpv4(address), bits - 96);
    else ipv6.push({ address, bits });
  }
  return new IpList(ipv4, ipv6);
}

function pushIpv4(blocks: number[], address: number, bits: number): void {
  const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
  blocks.push((address & mask) >>> 0, mask);
}

function prefixLength(text: string | null, longest: number): number | null {
  if (text === null) return longest;
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(text)) return null;
  const bits = Number(text);
  return bits <= longest ? bits : null;
}

function mappedIpv4(address: ipaddr.IPv6): number {
  return ((((address.parts[6] ?? 0) << 16) >>> 0) + (address.parts[7] ?? 0)) >>> 0;
}

/** Four decimal parts without leading zeros, as a number; null for any other text. A loop reads them, so that a look-up allocates nothing. */
function parseIpv4(text: string): number | null {
  if (text.length < 7 || text.length > 15) return null;
  let address = 0;
  let part = -1;
  let dots = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x2e) {
      if (part < 0 || ++dots > 3) return null;
      address = address * 256 + part;
      part = -1;
    } else {
      const digit = code - 0x30;
      if (digit < 0 || digit > 9 || part === 0) return null;
      part = part < 0 ? digit : part * 10 + digit;
      if (part > 255) return null;
    }
  }
  return dots === 3 && part >= 0 ? address * 256 + part : null;
}
