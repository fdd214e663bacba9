// The host of a Host field as routes compare it: lower case, no port, no trailing dot.
// This file says which host the field names, not whether latchkey serves it.
// Rules: RFC 9110 §7.2, RFC 3986 §3.2.2, held stricter: no percent-encoding, no empty label, no empty port.

import ipaddr from 'ipaddr.js';

const REFUSED = 0;
const LETTER_OR_DIGIT = 1;
const UPPER = 2;
const DOT = 3;
const COLON = 4;

const classes = new Uint8Array(256);
for (const character of 'abcdefghijklmnopqrstuvwxyz0123456789-_') classes[character.charCodeAt(0)] = LETTER_OR_DIGIT;
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') classes[character.charCodeAt(0)] = UPPER;
classes[0x2e] = DOT;
classes[0x3a] = COLON;

/** RFC 1035 §2.3.4: a name has at most 253 characters, and a final dot. */
const maxHostLength = 254;

/**
 * The host that a Host field names.
 *
 * @param field  the field's value without surrounding white space; a latin1 string
 * @returns lower-case name, IPv4 address, or IPv6 address in brackets and shortest form; no port, no final dot. Null when
 *   malformed: empty, user info, path, query, spaces, empty label, bad port, bad address literal
 */
export function canonicalHost(field: string): string | null {
  if (field.charCodeAt(0) === 0x5b) return canonicalLiteral(field);
  let end = field.length;
  let hasUpper = false;
  let previous = DOT;
  for (let index = 0; index < field.length; index++) {
    const kind = classes[field.charCodeAt(index)];
    if (kind === COLON) {
      if (!isPort(field, index + 1)) return null;
      end = index;
      break;
    }
    if (kind === undefined || kind === REFUSED) return null;
    if (kind === DOT && previous === DOT) return null;
    if (kind === UPPER) hasUpper = true;
    previous = kind;
  }
  if (previous === DOT) end--;
  // for a field of only a port or only dots, the end is zero or below here
  if (end <= 0 || end >= maxHostLength) return null;
  const host = end === field.length ? field : field.slice(0, end);
  return hasUpper ? host.toLowerCase() : host;
}

/** Whether a host is a loopback name or address (RFC 6761 §6.3, RFC 5735 §3). @param host  canonical */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Whether the rest of the field is a port, 1 to 65535 in at most five digits. */
function isPort(field: string, start: number): boolean {
  const digits = field.length - start;
  if (digits < 1 || digits > 5) return false;
  let port = 0;
  for (let index = start; index < field.length; index++) {
    const digit = field.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port >= 1 && port <= 65535;
}

/** `[…]` with an IPv6 address inside; zones and future address forms are refused. */
function canonicalLiteral(field: string): string | null {
  const close = field.indexOf(']');
  if (close < 3 || close > 46) return null;
  if (close !== field.length - 1 && (field.charCodeAt(close + 1) !== 0x3a || !isPort(field, close + 2))) return null;
  const address = field.slice(1, close);
  if (!/^[0-9A-Fa-f:.]+$/.test(address) || !ipaddr.IPv6.isValid(address)) return null;
  return `[${ipaddr.IPv6.parse(address).toRFC5952String()}]`;
}
