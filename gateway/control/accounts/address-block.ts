// What counts as one client when guesses and requests are counted: an IPv4 address, or an IPv6 network of 64 bits, since
// whoever has one address of such a network has all of them. An IPv4-mapped IPv6 address is the IPv4 address.

import ipaddr from 'ipaddr.js';

/** @param address  as a socket or the edge reports it. @returns a text that is equal for one client; `unknown` for no address */
export function addressBlock(address: string): string {
  const bare = address.replace(/%.*$/, '');
  if (!ipaddr.isValid(bare)) return 'unknown';
  const parsed = ipaddr.process(bare);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/64`).toString();
}
