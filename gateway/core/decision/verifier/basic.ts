// Reads user name and password out of `Authorization: Basic`. Only their form is checked.
// Rules: RFC 7617 §2 (UTF-8, no colon in the user name, no control characters); base64 in its canonical form only.

interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

// base64 of a name of 128 bytes and a password of 1024
const maxLength = 1540;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @returns null when the text is not canonical base64 of `user:password` in UTF-8 */
export function parseBasic(base64: string): BasicCredentials | null {
  if (base64.length === 0 || base64.length > maxLength) return null;
  const bytes = Buffer.from(base64, 'base64');
  // Buffer skips characters that are no base64, so the text is base64 only if encoding gives it back unchanged
  if (bytes.toString('base64') !== base64) return null;
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return null;
  }
  const colon = text.indexOf(':');
  if (colon <= 0 || hasControl(text)) return null;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
