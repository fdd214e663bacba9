// Which addresses count as one client where guesses, requests and connections are counted. A single IPv6 address never does: a client
// with one address of a /64 has all of them, and a site gets a /56 or a /48 (RFC 6177).
// An IPv6 address that carries an IPv4 address counts as the IPv4 address: mapped (RFC 4291 §2.5.5.2), translated (RFC 7915, with the
// well-known prefix of RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380). Otherwise one IPv4 address would count as many clients, and all
// clients behind one translator as a single one. Local translation prefixes (RFC 8215) are not known here, so such addresses count as
// IPv6.

import ipaddr from 'ipaddr.js';

/** A client in two widths: addresses that surely belong to one party, and those that may. Equal texts are the same client. */
interface ClientNetworks {
  /** An IPv4 address, or the /64 of an IPv6 address; `unknown` for a text that is no address. */
  readonly source: string;
  /** The /24 of an IPv4 address, or the /48 of an IPv6 address; `unknown` for a text that is no address. */
  readonly network: string;
}

const unknown: ClientNetworks = { source: 'unknown', network: 'unknown' };

/** @param address  as a socket, a PROXY header or a trusted proxy gives it: in any spelling, with or without a zone */
export function clientNetworks(address: string): ClientNetworks {
  const percent = address.indexOf('%');
  const bare = percent < 0 ? address : address.slice(0, percent);
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return fromIpv4(ipaddr.IPv4.parse(bare).octets);
  // a longer text is no address, and is not parsed
  if (!bare.includes(':') || bare.length > 45 || !ipaddr.IPv6.isValid(bare)) return unknown;
  const { parts } = ipaddr.IPv6.parse(bare);
  const inside = embeddedIpv4(parts);
  if (inside !== null) return fromIpv4(inside);
  const hex = (count: number): string => parts.slice(0, count).map(toHex).join(':');
  return { source: `${hex(4)}::/64`, network: `${hex(3)}::/48` };
}

function fromIpv4(octets: readonly number[]): ClientNetworks {
  return { source: octets.join('.'), network: `${octets.slice(0, 3).join('.')}.0/24` };
}

/** The IPv4 address that an IPv6 address carries. @returns null when it carries none */
function embeddedIpv4(parts: readonly number[]): readonly number[] | null {
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0, seventh = 0, eighth = 0] = parts;
  if (first === 0x2002) return octetsOf(second, third);
  if (first === 0x2001 && second === 0) return octetsOf(seventh ^ 0xffff, eighth ^ 0xffff);
  const isWellKnown = first === 0x64 && second === 0xff9b && (third | fourth | fifth | sixth) === 0;
  const hasFourZeros = (first | second | third | fourth) === 0;
  const isMapped = hasFourZeros && fifth === 0 && sixth === 0xffff;
  const isTranslated = hasFourZeros && fifth === 0xffff && sixth === 0;
  return isWellKnown || isMapped || isTranslated ? octetsOf(seventh, eighth) : null;
}

function octetsOf(high: number, low: number): readonly number[] {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff];
}

function toHex(part: number): string {
  return part.toString(16);
}
