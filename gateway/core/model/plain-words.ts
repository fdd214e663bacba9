// Cleans texts that other people chose, so that they can stand in a sentence or a heading of latchkey's.
// Pure. This does not escape for HTML: the code that makes a page escapes as well.

/**
 * One line without control and direction characters, without runs of spaces, cut with an ellipsis.
 *
 * @param maxLength  in characters, not UTF-16 units
 */
export function oneLine(text: string, maxLength: number): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  const letters = [...line];
  return letters.length > maxLength ? `${letters.slice(0, maxLength - 1).join('')}…` : line;
}

/** `oneLine`, shorter, and with no address that a mail program turns into a link because of its scheme. For names and labels in mails. */
export function peoplesWords(text: string, maxLength = 80): string {
  return oneLine(text, maxLength).replaceAll('://', ': //');
}
