// The bodies that the backend serves: the same bytes in every run, so that answers can be compared byte for byte.
// Pure: no files, no sockets. Bodies are plain ASCII, because nginx serves one of them from its configuration.

/** Size of a body, as it stands in a request's path: `/vod/<size>/…`. */
export type BodySize = '1k' | '64k' | '1m';

/** Length of each body in bytes. */
export const bodyBytes: Readonly<Record<BodySize, number>> = { '1k': 1024, '64k': 65_536, '1m': 1_048_576 };

/** The body of a size: letters and digits in an order that does not repeat every line, `bodyBytes[size]` bytes long. */
export function makeBody(size: BodySize): string {
  const length = bodyBytes[size];
  const lines: string[] = [];
  for (let made = 0, line = 0; made < length; line += 1) {
    const text = `${size}-${line.toString(36).padStart(6, '0')}-0123456789abcdefghijklmnopqrstuvwxyz`;
    lines.push(text);
    made += text.length;
  }
  return lines.join('').slice(0, length);
}
