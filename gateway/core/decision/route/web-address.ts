// Absolute addresses of the web inside header fields: whose origin one names, and the same path under another origin.
// Pure text work. What no browser and no server would read alike has no origin here, so it is never taken for anybody's.
// Rules: RFC 3986 §3.2 and §4.2 (references), RFC 9110 §4.2.3 (origins that are one), URL Standard §4.4 (what browsers read).

import { canonicalHost } from './host.ts';

/** An absolute or scheme-relative reference, taken apart. */
export interface WebAddress {
  /** Empty in `//host/path`. */
  readonly scheme: 'http' | 'https' | '';
  /** As `canonicalHost` gives it. */
  readonly host: string;
  /** null where the address says none: that of its scheme. */
  readonly port: number | null;
  /** Scheme and authority, as spelled. */
  readonly origin: string;
  /** Path, query and fragment, as spelled; may be empty. */
  readonly rest: string;
}

const reference = /^((?:(https?):)?\/\/([^/?#\\@]*))((?:[/?#].*)?)$/i;

/**
 * @param text  a reference as a header says it, latin1
 * @returns null for a relative one, for other schemes, and for user information, backslashes, controls, blanks, bad hosts and ports
 */
export function parseWebAddress(text: string): WebAddress | null {
  const match = reference.exec(text);
  if (match === null) return null;
  const [, origin = '', scheme = '', authority = '', rest = ''] = match;
  // an empty port is the scheme's own (RFC 3986 §3.2.3)
  const named = authority.endsWith(':') ? authority.slice(0, -1) : authority;
  const host = named === '' ? null : canonicalHost(named);
  if (host === null || hasControl(rest)) return null;
  const lower = scheme.toLowerCase();
  return { scheme: lower === 'http' || lower === 'https' ? lower : '', host, port: portOf(named), origin, rest };
}

/** The port that a sound authority says; null for none. @param authority  one that has a `canonicalHost` */
export function portOf(authority: string): number | null {
  const digits = /:(\d{1,5})$/.exec(authority)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The port that a scheme goes without. */
export function usualPort(scheme: 'http' | 'https'): number {
  return scheme === 'https' ? 443 : 80;
}

/** Browsers leave tabs and line ends out wherever they stand, so `/\t/host` is `//host` to them. */
function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
