// The mail address of a person in its normal form: one text for one mailbox, however it was typed. Accounts are found by this form.
// Pure. The form does not say whether the mailbox exists or whose it is: only a code that is sent there shows that.
// Mail is sent to the normal form alone, so that mail for a look-alike of an address reaches the holder of that address.
// Rules: RFC 5321 §4.5.3.1 (lengths), RFC 6531 (letters of all scripts), held stricter: no quoted parts, no names, no literals.

import { Buffer } from 'node:buffer';

/** RFC 5321 §4.5.3.1.3, without the angle brackets of a path. */
export const maxAddressLength = 254;
const maxLocalBytes = 64;

/** Every character but white space, control characters, and characters with a meaning in mail headers. */
const localForm = /^[^\s\p{C}()<>[\]:;@\\,"]+$/u;
/** A domain with letters of any script, before it becomes ASCII; without characters that have a meaning in a URL. */
const domainForm = /^[\p{L}\p{N}\p{M}.-]+$/u;
const labelForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The form in which an address is stored, compared and written to.
 *
 * @param text  the address as it was typed; white space around it is dropped
 * @returns NFC and lower case, the domain in ASCII (`xn--…`); null for a text that is not exactly one plain address
 */
export function normaliseMailAddress(text: string): string | null {
  if (text.length > 4 * maxAddressLength) return null;
  const folded = text.trim().normalize('NFC').toLowerCase().normalize('NFC');
  const at = folded.lastIndexOf('@');
  if (at < 1) return null;
  const local = folded.slice(0, at);
  const domain = domainInAscii(folded.slice(at + 1));
  if (domain === null || !localForm.test(local) || Buffer.byteLength(local) > maxLocalBytes) return null;
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) return null;
  const address = `${local}@${domain}`;
  return Buffer.byteLength(address) > maxAddressLength ? null : address;
}

/** The part behind the `@` of a normalised address. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** @returns the domain as in DNS, without a final dot; null for address literals and for names that DNS cannot hold */
function domainInAscii(domain: string): string | null {
  if (!domainForm.test(domain) || domain.endsWith('.') || !URL.canParse(`http://${domain}/`)) return null;
  const ascii = new URL(`http://${domain}/`).hostname;
  const labels = ascii.split('.');
  const last = labels.at(-1) ?? '';
  // some programs read a name whose last label is a number as an IPv4 address
  if (ascii.length > 253 || /^\d+$/.test(last) || !labels.every((label) => labelForm.test(label))) return null;
  return labels.length > 1 || ascii === 'localhost' ? ascii : null;
}
