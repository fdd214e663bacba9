// The path and the query of a request target, as far as the decision needs them.
// The canonical form itself is in core/model/path.ts, because token patterns use it too.
// A query is never rewritten: characters that a browser sends in it without encoding stay as they are.

import type { PathProblem } from '../../model/path.ts';
import { pathProblem } from '../../model/path.ts';

export {
  canonicalPath,
  canonicalPathAllowing,
  canonicalPathKeepingSlashes,
  comparedForm,
  encodedSlash,
  pathNeed,
} from '../../model/path.ts';

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

const cleanQuery = /^[!"$-~\x80-\xff]*$/;

/**
 * Whether a query may be forwarded as it is: it has no control character, no blank and no `#`. Browsers send `|{}^[]\` and the back
 * quote without encoding, programs also `"`, `<`, `>` and UTF-8. No server ends a target at one of these, so they stay.
 *
 * @param query  the text behind the first `?` of the target; a latin1 string, may be empty
 */
export function rawQueryIsClean(query: string): boolean {
  return cleanQuery.test(query);
}

/**
 * A query for an address that a browser is redirected to. Characters that a header may not hold, or that end an attribute, are encoded,
 * as a browser does (URL Standard, query percent-encode set).
 *
 * @param query  as sent, a latin1 string
 */
export function asciiQuery(query: string): string {
  return query.replace(
    /["<>\x80-\xff]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
