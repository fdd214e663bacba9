// Finds what is unusual about the bytes of a secret: a byte order mark of an editor, a CRLF, blanks at an end. The bytes are used
// unchanged, so that every program with the same file has the same key; a warning tells the operator, who may not have meant them.
// Pure. No message holds a byte of the secret.

import { isUtf8 } from 'node:buffer';
import { type Problem, type ProblemPath, problemAt } from './problem.ts';

/** How a secret is read: what is dropped from its end before it is used. */
type SecretReading =
  /** One final LF or CRLF is dropped: secret files, a password on stdin. */
  | 'one-newline-dropped'
  /** Nothing is dropped: variables of the environment, values in YAML. */
  | 'as-it-stands';

export interface SecretOddity {
  /** A sentence that lacks its subject, the name of the file or variable: `ends in a blank, which is part of it`. */
  readonly problem: string;
  readonly hint: string;
}

/** Lists what is unusual about a secret; empty when nothing is. */
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
  // a key of random bytes was not typed, and may end in any byte
  if (!isText(body)) return found;
  if (/^[ \t\r\n]/.test(body))
    found.push({ problem: 'begins with a blank or a newline, which is part of it', hint: blankHint });
  const end = endOf(body);
  if (end !== null) found.push({ problem: `ends in ${end}, which is part of it`, hint: blankHint });
  return found;
}

/** The warnings about a secret. @param name  of the file or variable; null when the place in the configuration names it */
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
