// The path and the query of a request target, as far as the decision needs them.
// The canonical form itself is core/model/path.ts, because token patterns are held to it as well.
// The query is never rewritten: what a browser sends there raw stays as it is.

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
 * Whether a query may be forwarded as it stands: no control, no blank, no `#`. Browsers send `|{}^[]\` and the back quote raw,
 * programs `"`, `<`, `>` and raw UTF-8; none of them ends a target to anybody, so all of them stay.
 *
 * @param query  what follows the first `?` of the target; a latin1 string, may be empty
 */
export function rawQueryIsClean(query: string): boolean {
  return cleanQuery.test(query);
}

/**
 * A query for an address that a browser is sent to: what may stand in no header of ours, or ends an attribute, is encoded, as
 * the browser would do itself (URL Standard, query percent-encode set).
 *
 * @param query  as sent, a latin1 string
 */
export function asciiQuery(query: string): string {
  return query.replace(
    /["<>\x80-\xff]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
