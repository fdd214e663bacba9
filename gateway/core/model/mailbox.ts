// The mailboxes that a mail may go to or come from: exactly one mailbox, in a form that all programs read alike.
// Pure. This file does not know whether a mailbox exists. Rules: RFC 5321 section 4.1.2, RFC 6531, without quoted parts.

/** The sender that `mail.from` names. */
export interface Sender {
  /** The display name; empty for none. */
  readonly name: string;
  readonly address: string;
}

/**
 * Whether a text is one mailbox that can stand in a header and in SMTP's commands as it is. Stricter than RFC 5321 on
 * purpose: no quoted parts, comments, lists, names or white space.
 */
export function isMailbox(text: string): boolean {
  if (text.length > 254) return false;
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  return at > 0 && local.length <= 64 && localPart.test(local) && !local.includes('..') && domainPart.test(domain);
}

// Letters of all scripts are allowed, but no characters that have a meaning in mail headers.
const localPart = /^[^\s\p{C}()<>[\]:;@\\,"]+$/u;
const domainPart = /^[\p{L}\p{N}\p{M}][\p{L}\p{N}\p{M}-]*(?:\.[\p{L}\p{N}\p{M}][\p{L}\p{N}\p{M}-]*)*$/u;

/** @param text  `Name <mailbox>` or a mailbox alone. @returns null for any other text */
export function parseSender(text: string): Sender | null {
  const match = /^([^<>\p{C}]*)<([^<>]+)>$/u.exec(text.trim());
  const address = (match?.[2] ?? text).trim();
  const name = (match?.[1] ?? '').trim().replace(/^"(.*)"$/, '$1');
  return isMailbox(address) ? { name, address } : null;
}
