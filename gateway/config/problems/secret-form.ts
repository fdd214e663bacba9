// What surprises about the bytes of a secret: an editor's byte order mark, a CRLF, blanks that nobody sees. The bytes are taken as
// they stand, so that every program with the same file has the same key; whoever made one by accident hears of it.
// Pure. No message holds a byte of the secret.

import { isUtf8 } from 'node:buffer';
import { type Problem, type ProblemPath, problemAt } from './problem.ts';

/** How a secret is read: what of its end is dropped before anything else. */
type SecretReading =
  /** One final LF or CRLF is dropped: secret files, a password on stdin. */
  | 'one-newline-dropped'
  /** Nothing is: variables of the environment, values in YAML. */
  | 'as-it-stands';

export interface SecretOddity {
  /** Without the name of what is read: `ends in a blank, which is part of it`. */
  readonly problem: string;
  readonly hint: string;
}

/** Says what surprises; empty for a secret as everybody would expect it. */
export function secretOddities(bytes: Uint8Array, reading: SecretReading): readonly SecretOddity[] {
  const found: SecretOddity[] = [];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const mark = byteOrderMarks.find(([start]) => text.startsWith(start));
  if (mark !== undefined)
    found.push({ problem: `begins with a byte order mark (${mark[1]}), which is part of it`, hint: markHint });
  let body = mark === undefined ? text : text.slice(mark[0].length);
  if (reading === 'one-newline-dropped') {
    if (body.endsWith('\r\n')) {
      found.push({ problem: 'ends in CRLF; both bytes are dropped', hint: crlfHint });
      body = body.slice(0, -2);
    } else if (body.endsWith('\n')) body = body.slice(0, -1);
  }
  // a key of random bytes may end in whatever; nobody typed it
  if (!isText(body)) return found;
  if (/^[ \t\r\n]/.test(body))
    found.push({ problem: 'begins with a blank or a newline, which is part of it', hint: blankHint });
  const end = endOf(body);
  if (end !== null) found.push({ problem: `ends in ${end}, which is part of it`, hint: blankHint });
  return found;
}

/** The warnings about a secret. @param name  what is read: the path of a file, a variable; null when the place says all */
export function secretWarnings(
  at: ProblemPath,
  name: string | null,
  bytes: Uint8Array,
  reading: SecretReading,
): readonly Problem[] {
  return secretOddities(bytes, reading).map(({ problem, hint }) =>
    problemAt(at, name === null ? problem : `${name} ${problem}`, hint),
  );
}

const byteOrderMarks = [
  ['\xef\xbb\xbf', 'UTF-8'],
  ['\xff\xfe', 'UTF-16'],
  ['\xfe\xff', 'UTF-16'],
] as const;

const markHint =
  'save it as UTF-8 without a byte order mark; other programs may drop the mark and then have another secret';
const crlfHint = 'save it with LF or without a final newline; a program that drops only the LF has another secret';
const blankHint =
  'write it without, like: printf %s SECRET; or leave it when it is meant, as every program with it must';

/** Printable, in UTF-8 or latin1, and white space. */
function isText(body: string): boolean {
  for (let at = 0; at < body.length; at++) {
    const byte = body.charCodeAt(at);
    if (byte === 0x7f || (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)) return false;
  }
  // bytes above ASCII are text only as UTF-8
  return isUtf8(Buffer.from(body, 'latin1'));
}

function endOf(body: string): string | null {
  switch (body.at(-1)) {
    case ' ':
    case '\t':
      return 'a blank';
    case '\n':
      return 'a newline';
    case '\r':
      return 'a CR';
    default:
      // no-break space, zero-width space and joiner, byte order mark at the end, as UTF-8
      return /(?:\xc2\xa0|\xe2\x80[\x8b-\x8d]|\xef\xbb\xbf)$/.test(body) ? 'a blank that nobody sees' : null;
  }
}
