// Blanks of protocol texts: SP and HT, and nothing else (RFC 9110 §5.6.3). What comes off a wire is read one character a
// byte, and in that reading `trim()` and `\s` also cut bytes that belong to the text: A0 is the second byte of many a letter
// in UTF-8, and a cookie named `\xa0__Host-latchkey` is another cookie than ours.

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
