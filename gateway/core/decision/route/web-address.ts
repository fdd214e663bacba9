// Absolute web addresses in header fields, taken apart, so that origins can be compared and replaced.
// Pure text work. A text that browsers and servers read differently is no address here, so it is never taken for a known origin.
// Rules: RFC 3986 §3.2 and §4.2 (references), RFC 9110 §4.2.3 (origins that are one), URL Standard §4.4 (what browsers read).

import { canonicalHost } from './host.ts';

/** An absolute or scheme-relative reference, taken apart. */
export interface WebAddress {
  /** The scheme; empty in `//host/path`. */
  readonly scheme: 'http' | 'https' | '';
  /** The host in canonical form, from `canonicalHost`. */
  readonly host: string;
  /** The port; null where the address names none, which means the usual port of the scheme. */
  readonly port: number | null;
  /** Scheme and authority, as they are spelled. */
  readonly origin: string;
  /** Path, query and fragment, as they are spelled; may be empty. */
  readonly rest: string;
}

const reference = /^((?:(https?):)?\/\/([^/?#\\@]*))((?:[/?#].*)?)$/i;

/**
 * @param text  a reference from a header, latin1
 * @returns null for a relative reference, for other schemes, and for user information, backslashes, controls, blanks, bad hosts and ports
 */
export function parseWebAddress(text: string): WebAddress | null {
  const match = reference.exec(text);
  if (match === null) return null;
  const [, origin = '', scheme = '', authority = '', rest = ''] = match;
  // an empty port means the usual port of the scheme (RFC 3986 §3.2.3)
  const named = authority.endsWith(':') ? authority.slice(0, -1) : authority;
  const host = named === '' ? null : canonicalHost(named);
  if (host === null || hasControl(rest)) return null;
  const lower = scheme.toLowerCase();
  return { scheme: lower === 'http' || lower === 'https' ? lower : '', host, port: portOf(named), origin, rest };
}

/** The port of an authority; null for none. @param authority  a text for which `canonicalHost` gives a host */
export function portOf(authority: string): number | null {
  const digits = /:(\d{1,5})$/.exec(authority)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The port of a scheme, which addresses may leave out. */
export function usualPort(scheme: 'http' | 'https'): number {
  return scheme === 'https' ? 443 : 80;
}

/** Tabs and line ends, which browsers drop anywhere in an address, so `/\t/host` is `//host` to them. */
function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
