// Blanks in protocol texts: SP and HT, and no other characters (RFC 9110 §5.6.3). Protocol texts are read as latin1, one character a
// byte. There `trim()` and `\s` also cut bytes that belong to the text: byte A0 is the second byte of many letters in UTF-8, and
// `\xa0__Host-latchkey` is not the name of latchkey's cookie.

/** @returns the text without SP and HT at both ends */
export function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Whether a character is SP or HT. */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
