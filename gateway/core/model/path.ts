// The one canonical form of a request path: what policy, token patterns and the upstream all see.
// Pure text work. It refuses what two servers could read in two ways, and never repairs it.
// Rules: RFC 3986 §6.2.2 (unreserved decoded, hex upper-cased, once), §3.3; RFC 3629 for the decoded bytes.

/** Why a path has no canonical form. */
export type PathProblem =
  | 'not-absolute'
  | 'raw-byte'
  | 'empty-segment'
  | 'dot-segment'
  | 'malformed-percent'
  | 'encoded-slash'
  | 'encoded-control'
  | 'double-encoding'
  | 'invalid-utf8';

const PLAIN = 0;
const REFUSED = 1;
const PERCENT = 2;

const SLASH = 0x2f;

/** What each byte means to the slow way; a path is latin1, anything above 0xff reads as undefined and is refused. */
const classes = new Uint8Array(256).fill(REFUSED);
for (let code = 0x21; code <= 0x7e; code++) classes[code] = PLAIN;
for (const refused of '#"<>\\?') classes[refused.charCodeAt(0)] = REFUSED;
classes[0x25] = PERCENT;

const hexValues = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value++) {
  hexValues[value.toString(16).charCodeAt(0)] = value;
  hexValues[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

const escapeOf = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);

/** What stands for a decoded byte in the canonical form: itself when unreserved (RFC 3986 §2.3), else `%XX`. */
const canonicalOf = escapeOf.map((escaped, byte) => {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9._~-]/.test(character) ? character : escaped;
});

/**
 * A path that is canonical as it stands, which nearly every one is: segments of plain characters, none empty, none a dot
 * segment, no `%`. Linear, since no segment character is a slash. Measured on 90 characters sliced from a head: 190 ns, where a
 * loop over the class table took 740; and nothing is allocated.
 */
const cleanPath = /^(?=\/)(?:\/(?!\.{1,2}(?:[/;]|$))[!$&'()*+,\-.0-9:;=@A-Z[\]^_`a-z{|}~]+)*\/?$/;

/**
 * The canonical form of a target's path.
 *
 * @param rawPath  the path part of the request target, without `?` and query; a latin1 string of any length
 * @returns the canonical path, the very same string when it was canonical already; null when it must be refused with 400
 */
export function canonicalPath(rawPath: string): string | null {
  if (cleanPath.test(rawPath)) return rawPath;
  const result = rewrite(rawPath, 'refuse');
  return result.kind === 'path' ? result.path : null;
}

/**
 * The canonical form where `%2F` may stand inside a segment (`/projects/group%2Fname`). It stays `%2F` and is never decoded;
 * but since the next server may decode it, it parts segments for the rules: none beside it is empty or a dot segment.
 * `%5C` stays refused. Whether a route takes such a path is chooseRoute's to say.
 *
 * @returns as `canonicalPath`
 */
export function canonicalPathKeepingSlashes(rawPath: string): string | null {
  if (cleanPath.test(rawPath)) return rawPath;
  const result = rewrite(rawPath, 'keep');
  return result.kind === 'path' ? result.path : null;
}

/** The encoded slash of canonical paths. */
export const encodedSlash = '%2F';

/** The first problem of a path, or null when it has a canonical form. For messages: it costs far more than `canonicalPath`. */
export function pathProblem(rawPath: string): PathProblem | null {
  const result = rewrite(rawPath, 'refuse');
  return result.kind === 'path' ? null : result.problem;
}

type Rewritten =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'refused'; readonly problem: PathProblem };

function refused(problem: PathProblem): Rewritten {
  return { kind: 'refused', problem };
}

/** Decodes and checks everything, in one pass over the raw path and one over the result. */
function rewrite(raw: string, slashes: 'refuse' | 'keep'): Rewritten {
  if (raw.charCodeAt(0) !== SLASH) return refused('not-absolute');
  let path = '';
  let copiedTo = 0;
  // UTF-8 state: how many continuation bytes are owed, and the range that the next one must lie in.
  let owed = 0;
  let low = 0x80;
  let high = 0xbf;
  for (let index = 0; index < raw.length; index++) {
    const kind = classes[raw.charCodeAt(index)];
    if (kind !== PERCENT) {
      if (kind === undefined || kind === REFUSED) return refused('raw-byte');
      if (owed > 0) return refused('invalid-utf8');
      continue;
    }
    const left = hexValues[raw.charCodeAt(index + 1)] ?? -1;
    const right = hexValues[raw.charCodeAt(index + 2)] ?? -1;
    if (left < 0 || right < 0) return refused('malformed-percent');
    const byte = left * 16 + right;
    if (byte < 0x80) {
      if (owed > 0) return refused('invalid-utf8');
      if (byte < 0x20 || byte === 0x7f) return refused('encoded-control');
      if (byte === 0x5c || (byte === SLASH && slashes === 'refuse')) return refused('encoded-slash');
    } else if (owed > 0) {
      if (byte < low || byte > high) return refused('invalid-utf8');
      owed--;
      low = 0x80;
      high = 0xbf;
    } else {
      // RFC 3629 §4: no C0, C1 (overlong), no E0 80–9F, no ED A0–BF (surrogates), no F0 80–8F, nothing above F4 8F.
      if (byte < 0xc2 || byte > 0xf4) return refused('invalid-utf8');
      owed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
      if (byte === 0xe0) low = 0xa0;
      else if (byte === 0xed) high = 0x9f;
      else if (byte === 0xf0) low = 0x90;
      else if (byte === 0xf4) high = 0x8f;
    }
    path += raw.slice(copiedTo, index) + (canonicalOf[byte] ?? '');
    index += 2;
    copiedTo = index + 1;
  }
  if (owed > 0) return refused('invalid-utf8');
  path += raw.slice(copiedTo);
  return structureProblem(path) ?? { kind: 'path', path };
}

/**
 * Segments and double encoding are judged on the decoded form: `%2e%2e` is a dot segment, and `%25%32%66` has become
 * `%252f`, which one more decoder would turn into a slash.
 */
function structureProblem(path: string): Rewritten | null {
  for (let index = 0; index < path.length; index++) {
    const code = path.charCodeAt(index);
    if (code === SLASH || isEncodedSlash(path, index)) {
      const next = code === SLASH ? index + 1 : index + encodedSlash.length;
      if (path.charCodeAt(next) === SLASH || isEncodedSlash(path, next)) return refused('empty-segment');
      if (isDotSegment(path, next)) return refused('dot-segment');
    } else if (code === 0x25 && path.startsWith('25', index + 1)) {
      const left = hexValues[path.charCodeAt(index + 3)] ?? -1;
      const right = hexValues[path.charCodeAt(index + 4)] ?? -1;
      if (left >= 0 && right >= 0) return refused('double-encoding');
    }
  }
  return null;
}

/** Whether the segment that begins at `start` is `.` or `..`, alone or with parameters (`..;x`, which some servers drop). */
function isDotSegment(path: string, start: number): boolean {
  if (path.charCodeAt(start) !== 0x2e) return false;
  const end = path.charCodeAt(start + 1) === 0x2e ? start + 2 : start + 1;
  if (end === path.length) return true;
  const next = path.charCodeAt(end);
  return next === SLASH || next === 0x3b || path.startsWith('%3B', end) || isEncodedSlash(path, end);
}

function isEncodedSlash(path: string, at: number): boolean {
  return path.charCodeAt(at) === 0x25 && path.startsWith(encodedSlash, at);
}
