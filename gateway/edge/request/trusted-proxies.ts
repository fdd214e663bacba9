// The client's address behind proxies that are trusted by name: `X-Forwarded-For`, walked from the right.
// The first address that is no trusted proxy is the client's; everything left of it the client wrote itself, and goes no further.

import ipaddr from 'ipaddr.js';
import { withoutBlanks } from '../../core/model/blanks.ts';
import type { IpList } from '../../core/token/ip-list.ts';

// Trusted proxies followed at most; behind so many of them the last one counts as the client.
const maxHops = 32;

/** Where a request came from, as far as trusted neighbours vouch for it. */
interface Origin {
  readonly client: string;
  /** Value of `X-Forwarded-For` for the next hop: the client, then the proxies, the neighbour last. */
  readonly chain: string;
  /** There were more trusted proxies than are followed. */
  readonly isEndless: boolean;
}

/**
 * Walks the chain that a trusted neighbour sent.
 *
 * @param forwardedFor  all X-Forwarded-For values in order, joined by commas
 */
function walkProxies(forwardedFor: string, peerAddress: string, trusted: IpList): Origin {
  let client = peerAddress;
  let chain = peerAddress;
  let end = forwardedFor.length;
  let hops = 0;
  for (; hops < maxHops && end >= 0; hops++) {
    const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1);
    const hop = canonicalAddress(withoutBlanks(forwardedFor.slice(comma + 1, end)));
    if (hop === null) break;
    client = hop;
    chain = `${hop}, ${chain}`;
    if (!trusted.contains(hop)) break;
    end = comma;
  }
  return { client, chain, isEndless: hops === maxHops };
}

/**
 * Where a request of a trusted neighbour came from. Its own header for the client's address is its last word when it holds
 * one plain address; otherwise the chain is walked.
 *
 * @param forwardedFor  as for `walkProxies`; null without one
 * @param saidAddress   value of the configured header; null without one
 */
export function originBehind(
  forwardedFor: string | null,
  saidAddress: string | null,
  peerAddress: string,
  trusted: IpList,
): Origin {
  const walked =
    forwardedFor === null
      ? { client: peerAddress, chain: peerAddress, isEndless: false }
      : walkProxies(forwardedFor, peerAddress, trusted);
  const said = saidAddress === null ? null : canonicalAddress(saidAddress);
  return said === null || said === walked.client
    ? walked
    : { ...walked, client: said, chain: `${said}, ${peerAddress}` };
}

/** IPv4-mapped IPv6 as plain IPv4, so that one client has one name. @param address  as a socket reports it */
export function foldMapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** The one spelling of an address in a header; null for anything else, ports and zones included. */
function canonicalAddress(text: string): string | null {
  if (text.length > 45) return null;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return text;
  if (!/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(text) || !ipaddr.IPv6.isValid(text)) return null;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
}
