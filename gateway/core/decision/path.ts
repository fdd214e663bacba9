// The path and the query of a request target, as far as the decision needs them.
// The canonical form itself is core/model/path.ts, because token patterns are held to it as well.
// The query is never rewritten: what a browser sends there raw stays as it is.

import type { PathProblem } from '../model/path.ts';
import { pathProblem } from '../model/path.ts';

export { canonicalPath, canonicalPathKeepingSlashes, encodedSlash } from '../model/path.ts';

const problemTexts: Readonly<Record<PathProblem, string>> = {
  'not-absolute': 'the path does not begin with "/"',
  'raw-byte': 'a character that may not stand in a path unencoded (control, space, non-ASCII, or one of # " < > \\ ?)',
  'empty-segment': 'an empty segment ("//")',
  'dot-segment': 'a dot segment ("." or ".."), plain, encoded or with parameters',
  'malformed-percent': '"%" without two hexadecimal digits behind it',
  'encoded-slash': 'an encoded slash or backslash (%2F, %5C)',
  'encoded-control': 'an encoded control character (%00 to %1F, %7F)',
  'double-encoding': 'an encoded percent sign followed by two hexadecimal digits (%25XX): encoded twice',
  'invalid-utf8': 'encoded bytes that are not UTF-8',
};

/**
 * Says in words why `canonicalPath` refused a path. For logs and commands, off the hot path.
 *
 * @returns the first problem, or `the path is fine`; never a piece of the path itself
 */
export function explainPath(rawPath: string): string {
  const problem = pathProblem(rawPath);
  return problem === null ? 'the path is fine' : problemTexts[problem];
}

const cleanQuery = /^[!$-;=?-~]*$/;

/**
 * Whether a query may be forwarded as it stands: 0x21 to 0x7e without `#`, `"`, `<`, `>`. Browsers send `|{}^[]\` and the
 * back quote raw in queries, so these stay.
 *
 * @param query  what follows the first `?` of the target; a latin1 string, may be empty
 */
export function rawQueryIsClean(query: string): boolean {
  return cleanQuery.test(query);
}
