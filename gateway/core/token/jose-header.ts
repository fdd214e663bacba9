// The protected header of a token under a symmetric key: `alg`, `kid`, `typ` and nothing else, each at most once.
// The header has its own parser, because JSON.parse would hide duplicate members. This file decides nothing about keys.
// Rules: RFC 7515 §4 and §5.2, RFC 8725 §3.1 and §3.11.

import { type TokenType, tokenKinds } from './token-kinds.ts';

/** The members of a header: strings of printable ASCII, NOT yet compared with anything. */
interface JoseHeader {
  readonly kind: 'header';
  readonly alg: string | undefined;
  readonly kid: string | undefined;
  readonly typ: string | undefined;
}

interface JoseHeaderProblem {
  readonly kind: 'problem';
  readonly detail: string;
}

/** A key id that a header can hold: printable ASCII without the double quote and the backslash, at most 128 characters. */
const keyIdPattern = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

/** Whether a header can hold this key id. */
export function isKeyId(id: string): boolean {
  return keyIdPattern.test(id);
}

/** The base64url header of the tokens that latchkey makes. */
export function encodeJoseHeader(kid: string, type: TokenType): string {
  const header = { alg: 'HS256', kid, typ: tokenKinds[type].typ };
  return Buffer.from(JSON.stringify(header)).toString('base64url');
}

/**
 * Reads a header: one flat JSON object, string values without escapes, white space allowed between the parts.
 *
 * @param json  the decoded header as latin1 text
 */
export function parseJoseHeader(json: string): JoseHeader | JoseHeaderProblem {
  const members: { alg?: string; kid?: string; typ?: string } = {};
  let at = afterSpace(json, 0);
  if (json[at] !== '{') return problem('the header is not a JSON object');
  at = afterSpace(json, at + 1);
  while (json[at] !== '}') {
    const nameEnd = stringEnd(json, at);
    if (nameEnd < 0) return problem('the header is not JSON, or holds an escaped or non-ASCII name');
    const name = json.slice(at + 1, nameEnd);
    if (name !== 'alg' && name !== 'kid' && name !== 'typ') {
      return problem('the header has a member other than alg, kid and typ');
    }
    if (members[name] !== undefined) return problem(`the header has ${name} twice`);
    at = afterSpace(json, nameEnd + 1);
    if (json[at] !== ':') return problem('the header is not JSON');
    at = afterSpace(json, at + 1);
    const valueEnd = stringEnd(json, at);
    if (valueEnd < 0) return problem(`the header's ${name} is not a plain ASCII string`);
    members[name] = json.slice(at + 1, valueEnd);
    at = afterSpace(json, valueEnd + 1);
    if (json[at] === '}') break;
    if (json[at] !== ',') return problem('the header is not JSON');
    at = afterSpace(json, at + 1);
    if (json[at] === '}') return problem('the header is not JSON');
  }
  if (afterSpace(json, at + 1) !== json.length) return problem('the header has something after its object');
  return { kind: 'header', alg: members.alg, kid: members.kid, typ: members.typ };
}

/**
 * All key ids that some reader may find in a header: the one that JSON.parse finds, and every `"kid"` in the text, since other readers
 * may take the first of two equal members. It also reads headers that `parseJoseHeader` refuses.
 */
export function keyIdsIn(json: string): readonly string[] {
  const found = [...json.matchAll(/"kid"[ \t\r\n]*:[ \t\r\n]*"([^"]*)"/g)].map((match) => match[1] ?? '');
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && 'kid' in value && typeof value.kid === 'string') {
      found.push(value.kid);
    }
  } catch {
    // the header is no JSON, so only the ids in its text are found
  }
  return found;
}

function problem(detail: string): JoseHeaderProblem {
  return { kind: 'problem', detail };
}

function afterSpace(json: string, start: number): number {
  let at = start;
  while (at < json.length && ' \t\r\n'.includes(json.charAt(at))) at++;
  return at;
}

/** The index of the quote that closes the string opened at `start`; -1 for a string that does not end or is not printable ASCII. */
function stringEnd(json: string, start: number): number {
  if (json[start] !== '"') return -1;
  for (let at = start + 1; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === 0x22) return at;
    if (code < 0x20 || code > 0x7e || code === 0x5c) return -1;
  }
  return -1;
}
