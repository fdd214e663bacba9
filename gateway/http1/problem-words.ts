// What was wrong with a message, in words for the log: the line, the field and the fault. The words never hold the value of a
// field, so that no log holds a cookie or a token. They are bounded in length and plain ASCII.

import { type HeadScanner, maxFields, maxHeadBytes } from './head-scanner.ts';
import { type MessageHead, maxNameShown } from './message-head.ts';
import type { MessageProblem } from './problems.ts';

/** The problem of a complete head, in words: `two content-length fields (line 4)`. */
export function problemWords(problem: MessageProblem, head: MessageHead): string {
  const where = head.problemLine < 0 ? '' : ` (line ${head.problemLine + 1}${nameInText(problem, head)})`;
  return `${words(problem)}${where}`;
}

/** The problem of a head that the scanner refused, in words. @param scanner  the scanner that has just refused the head */
export function scanWords(problem: MessageProblem, scanner: HeadScanner): string {
  if (problem !== 'bad-byte') return words(problem);
  const { bytes, start, lines, lineStart, badAt } = scanner;
  const byte = bytes[start + badAt] ?? 0;
  const what =
    byte === 0x0d ? 'a bare CR' : byte === 0x0a ? 'a bare LF' : `byte 0x${byte.toString(16).padStart(2, '0')}`;
  if (lines === 0) return `${what} in the first line`;
  const line = Buffer.from(bytes.subarray(start + lineStart, start + badAt)).toString('latin1');
  const name = leadingName(line);
  const place = line.charCodeAt(name.length) === 0x3a && name !== '' ? `the value of "${clip(name)}"` : 'a field name';
  return `${what} in ${place} (line ${lines + 1})`;
}

/** The characters of a name at the front of a line, which may stand in a log. Other characters may be part of a misplaced value. */
function leadingName(line: string): string {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*/.exec(line)?.[0] ?? '';
}

// A line without a colon may be a value that was broken off its field. A text of this form is surely a name and no secret.
const plainWord = /^[A-Za-z][A-Za-z-]{0,31}$/;

const likeToken = /^[^.]{8,}\.[^.]{2,}\./;

function nameInText(problem: MessageProblem, head: MessageHead): string {
  const line = head.text.slice(head.problemStart, head.text.indexOf('\r', head.problemStart));
  const name = problem === 'bad-field-line' && !plainWord.test(line) ? '' : leadingName(line);
  return name === '' ? '' : `, "${clip(name)}"`;
}

function clip(name: string): string {
  if (likeToken.test(name)) return '...';
  return name.length > maxNameShown ? `${name.slice(0, maxNameShown)}...` : name;
}

function words(problem: MessageProblem): string {
  switch (problem) {
    case 'head-too-large':
      return `a head of more than ${maxHeadBytes} bytes`;
    case 'too-many-fields':
      return `more than ${maxFields} fields`;
    case 'bad-field-name':
      return 'a field name that is none, or a blank before the colon';
    case 'bad-field-line':
      return 'a field line without a colon';
    case 'bad-content-length':
      return 'a content-length that is no plain number, or not for this status';
    case 'content-length-repeated':
      return 'two content-length fields';
    case 'bad-transfer-encoding':
      return 'a transfer-encoding that is not chunked, or not for this status';
    case 'transfer-encoding-repeated':
      return 'two transfer-encoding fields';
    case 'both-framings':
      return 'both content-length and transfer-encoding';
    case 'transfer-encoding-on-1.0':
      return 'transfer-encoding in HTTP/1.0';
    case 'bad-connection':
      return 'a connection field that lists what it may not, or too much';
    case 'bad-version':
      return 'status line or request line: the version';
    case 'bad-status':
      return 'status line: the status';
    case 'host-repeated':
      return 'two host fields';
    case 'host-missing':
      return 'no host field';
    case 'bad-host':
      return 'a host that is no host';
    default:
      // every other problem is described by its own name
      return problem.replaceAll('-', ' ');
  }
}
