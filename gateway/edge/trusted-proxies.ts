// The client's address behind proxies that are trusted by name: `X-Forwarded-For`, walked from the right.
// The first address that is no trusted proxy is the client; everything left of it is the client's own word.

import type { AddressList } from '../core/token/address.ts';

// Hops looked at; a longer chain is somebody's flood, and the neighbour itself is then the client.
const maxHops = 32;

/** @param forwardedFor  all X-Forwarded-For values in order, joined by commas */
export function clientBehindProxies(forwardedFor: string, peerAddress: string, trusted: AddressList): string {
  const hops = forwardedFor.split(',');
  if (hops.length > maxHops) return peerAddress;
  let client = peerAddress;
  for (let index = hops.length - 1; index >= 0; index--) {
    const hop = foldMapped((hops[index] ?? '').trim());
    if (!isAddress(hop)) return client;
    client = hop;
    if (!trusted.contains(hop)) return client;
  }
  return client;
}

/** IPv4-mapped IPv6 as plain IPv4, so that one client has one name. */
export function foldMapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function isAddress(text: string): boolean {
  return text.length <= 45 && /^[0-9A-Fa-f:.]+$/.test(text) && /[:.]/.test(text);
}
