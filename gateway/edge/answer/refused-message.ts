// What the access line of a refused message says: what was wrong and where, and as much of the request line as is known.
// A refused message may hold anything anywhere. So the line has names and places only: never a query, of the fields no value but
// Host's, no segment of a path that could be a token, and nothing of a first line that does not look like a request line.

import { canonicalPath, explainPath, rawQueryIsClean } from '../../core/decision/route/path.ts';
import { fieldClass } from '../../http1/field-names.ts';
import type { HeadScanner } from '../../http1/head-scanner.ts';
import { fieldStride } from '../../http1/message-head.ts';
import { problemWords, scanWords } from '../../http1/problem-words.ts';
import type { MessageProblem } from '../../http1/problems.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import type { DescribeProblem } from '../request/describe.ts';
import type { MessageRefusal } from './responder.ts';

/** What is known of a refused message. Unknown parts are empty. */
export interface RefusedMessage {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** What was wrong, in words. */
  readonly detail: string;
}

const nothingKnown = { method: '', host: '', path: '' };

/** A message whose bytes could not be read as lines. @param scanner  the one that refused them just now */
export function refusedBytes(problem: MessageProblem, scanner: HeadScanner, tokenPathPrefix: string): RefusedMessage {
  const detail = scanWords(problem, scanner);
  if (scanner.lines === 0) return { ...nothingKnown, detail };
  const { bytes, start, lineEnds } = scanner;
  const line = Buffer.from(bytes.subarray(start, start + (lineEnds[0] ?? 0))).toString('latin1');
  return { ...requestLineParts(line, tokenPathPrefix), host: '', detail };
}

/** A message whose head was not sound. */
export function refusedHead(problem: MessageProblem, head: RequestHead, tokenPathPrefix: string): RefusedMessage {
  const line = head.text.slice(0, head.text.indexOf('\r'));
  return { ...requestLineParts(line, tokenPathPrefix), host: hostOf(head), detail: problemWords(problem, head) };
}

/** The Host, as far as the fields were read; `head.host` is still the host of the message before. */
function hostOf(head: RequestHead): string {
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fields[index * fieldStride] === fieldClass.host) return head.valueOf(index);
  }
  return '';
}

/** A message with a sound head that went no further, or with no head at all. */
export function refusedRequest(
  problem: MessageRefusal,
  head: RequestHead | null,
  tokenPathPrefix: string,
): RefusedMessage {
  const detail = problem === 'bad-target' && head !== null ? targetWords(head) : wordsFor(problem);
  if (head === null) return { ...nothingKnown, detail };
  return { method: head.method, host: head.host, path: shownPath(head.rawPath, tokenPathPrefix), detail };
}

// The longest method that is one; and what a request line begins with, in origin or absolute form.
const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,24}) (?:[A-Za-z]{1,10}:\/\/[^/?# ]*)?(\/[^?# ]*)?/;

function requestLineParts(line: string, tokenPathPrefix: string): { method: string; path: string } {
  const [, method = '', path = ''] = requestLine.exec(line) ?? [];
  return { method, path: path === '' ? '' : shownPath(path, tokenPathPrefix) };
}

// A JWT, or anything as long as a secret.
const likeToken = /^[^.]{8,}\.[^.]{2,}\.|^.{65,}$/;

/** A path without what may be a token in it. */
function shownPath(rawPath: string, tokenPathPrefix: string): string {
  const path = canonicalPath(rawPath) ?? rawPath;
  const cut = path.startsWith(tokenPathPrefix) ? tokenPathPrefix.length : 0;
  const shown = path
    .slice(cut)
    .split('/')
    .map((segment, index) => ((cut > 0 && index === 0) || likeToken.test(segment) ? '...' : segment))
    .join('/');
  return path.slice(0, cut) + shown;
}

/** What is in a path or a query that this route, or any route, does not take; never a piece of either. */
function targetWords({ rawPath, rawQuery }: RequestHead): string {
  if (canonicalPath(rawPath) === null) return `in the path: ${explainPath(rawPath)}`;
  return rawQueryIsClean(rawQuery) ? wordsFor('bad-target') : 'a control character, a blank or # in the query';
}

function wordsFor(problem: MessageRefusal): string {
  switch (problem satisfies DescribeProblem | MessageRefusal) {
    case 'authorization-repeated':
      return 'two authorization fields';
    case 'bad-path-token':
      return 'a token in the path with nothing behind it, or with another one';
    case 'bad-target':
      return 'a path or query that is not taken';
    case 'bad-host':
      return 'a host that is no host';
    default:
      return problem.replaceAll('-', ' ');
  }
}
