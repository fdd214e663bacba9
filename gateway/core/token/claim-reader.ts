// Reads the JSON of a token's payload into claims with checked types. Only claims that latchkey knows are kept.
// It is called after the MAC held, and judges neither times nor scope. A claim of a wrong type refuses the token; unknown claims are
// ignored.
// Rules: RFC 7519 §4 (and no duplicate members), RFC 8725 §3.12; which claims become headers: gateway/RULES.md "Identity headers to the upstream".

import { maxTokenNodes, type TokenClaims, type UserRecordReference } from './claims.ts';

interface ReadClaims {
  readonly kind: 'claims';
  readonly claims: TokenClaims;
}

interface ClaimsProblem {
  readonly kind: 'problem';
  /** Names the claim, never its value. */
  readonly detail: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Stands for a missing `exp`; no claim has this value, since times are not negative. */
const noTime = -1;

/** The deepest nesting of claims. No real token needs more, and the bound keeps the walk over the claims shallow. */
const maxDepth = 16;

/** The most characters of a node's id, the same as in the change log. */
const maxNodeLength = 300;

/**
 * Reads the claims.
 *
 * @param json  the decoded payload, valid UTF-8
 */
export function readClaims(json: string): ReadClaims | ClaimsProblem {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return problem('the claims are not JSON');
  }
  if (!isObject(value)) return problem('the claims are not a JSON object');
  // JSON.parse keeps the last of two members of one name, and another verifier may keep the first: so the number of members in the
  // parsed value has to equal the number of names in the text
  const members = countMembers(value, 0);
  if (members < 0) return problem(`the claims are nested deeper than ${maxDepth}`);
  if (members !== countNames(json)) return problem('the claims have a member twice');

  const claims: Mutable<TokenClaims> = { exp: noTime };
  for (const name in value) {
    const claim = value[name];
    // many libraries write null for a claim without a value, so null means the same as an absent claim
    if (claim === null) continue;
    const detail = readClaim(claims, name, claim);
    if (detail !== null) return problem(detail);
  }
  // without `v` no revocation can be told to be later, so none would end the token
  if (claims.n !== undefined && claims.v === undefined) return problem('n stands without v');
  return claims.exp === noTime ? problem('exp is missing') : { kind: 'claims', claims };
}

/** Checks one claim and adds it to `claims`. @returns what is wrong with it; null when nothing is */
function readClaim(claims: Mutable<TokenClaims>, name: string, value: unknown): string | null {
  switch (name) {
    case 'exp':
    case 'nbf':
    case 'iat': {
      if (!isNumericDate(value)) return `${name} is not a number of seconds`;
      // latchkey's clocks count whole seconds, so a time with a fraction counts as the second in which it ends
      const at = Number.isInteger(value) ? value : Math.ceil(value);
      // an assignment to a property that is written out costs a tenth of one to a computed property
      if (name === 'exp') claims.exp = at;
      else if (name === 'iat') claims.iat = at;
      else claims.nbf = at;
      return null;
    }
    case 'iss':
    case 'jti':
    case 'name':
      if (typeof value !== 'string') return `${name} is not a string`;
      if (!isHeaderText(value)) return `${name} holds a control character`;
      claims[name] = value;
      return null;
    case 'sub':
    case 'email':
    case 'preferred_username':
    case 'grant':
    case 'sid':
    case 'did':
      if (typeof value !== 'string') return `${name} is not a string`;
      if (!isHeaderText(value)) return `${name} holds a control character`;
      if (isPadded(value)) return `${name} begins or ends with a space`;
      if (name === 'sub') claims.sub = value;
      else if (name === 'email') claims.email = value;
      else claims[name] = value;
      return null;
    case 'groups':
    case 'amr':
      if (!isStrings(value)) return `${name} is not a list of strings`;
      for (const item of value) {
        if (!isHeaderText(item)) return `${name} holds a control character`;
        if (item.includes(',')) return `${name} holds a comma, which separates entries in the header`;
        if (item === '' || isPadded(item)) return `${name} has an entry that is empty or begins or ends with a space`;
      }
      claims[name] = value;
      return null;
    case 'aud':
      if (typeof value === 'string') claims.aud = [value];
      else if (isStrings(value)) claims.aud = value;
      else return 'aud is neither a string nor a list of strings';
      return null;
    case 'paths':
    case 'hosts':
    case 'ips':
    case 'methods':
      if (!isStrings(value)) return `${name} is not a list of strings`;
      claims[name] = value;
      return null;
    case 'cred': {
      const reference = userRecordReference(value);
      if (reference === null) return 'cred is not an object of a string id and an integer v';
      claims.cred = reference;
      return null;
    }
    case 'n':
      if (!isNodes(value)) return `n is not a list of at most ${maxTokenNodes} node ids`;
      claims.n = value;
      return null;
    case 'v': {
      const place = logPlace(value);
      if (place === null) return 'v is not a list of an epoch and a number';
      claims.v = place;
      return null;
    }
    default:
      return null;
  }
}

function problem(detail: string): ClaimsProblem {
  return { kind: 'problem', detail };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 7519 §2: seconds, possibly with a fraction. Numbers beyond 2^53 are refused: they are not exact, and may be Infinity. */
function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** Whether a text has no control character and no half of a surrogate pair, which cannot be written as UTF-8. */
function isHeaderText(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return text.isWellFormed();
}

/** Whether a text begins or ends with a space. A header field loses such spaces on its way, so `admin ` would arrive as `admin`. */
function isPadded(text: string): boolean {
  return text.startsWith(' ') || text.endsWith(' ');
}

function userRecordReference(value: unknown): UserRecordReference | null {
  if (!isObject(value)) return null;
  const { id, v } = value;
  if (typeof id !== 'string' || !isHeaderText(id) || !Number.isSafeInteger(v)) return null;
  return { id, v: Number(v) };
}

function isNodes(value: unknown): value is readonly string[] {
  if (!isStrings(value) || value.length > maxTokenNodes) return false;
  return value.every((node) => node !== '' && node.length <= maxNodeLength);
}

function logPlace(value: unknown): readonly [string, number] | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [epoch, seq]: readonly unknown[] = value;
  if (typeof epoch !== 'string' || epoch === '' || epoch.length > 64) return null;
  return isCount(seq) ? [epoch, seq] : null;
}

/** How many members the value and all objects inside it have together; negative for a value that is nested too deeply. */
function countMembers(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth >= maxDepth) return Number.NEGATIVE_INFINITY;
  const inner: readonly unknown[] = Object.values(value);
  let count = Array.isArray(value) ? 0 : inner.length;
  for (const item of inner) {
    if (typeof item === 'object') count += countMembers(item, depth + 1);
  }
  return count;
}

/** How many strings with a colon behind them a valid JSON text has: each is the name of a member. */
function countNames(json: string): number {
  let count = 0;
  for (let open = json.indexOf('"'); open >= 0; ) {
    let close = json.indexOf('"', open + 1);
    while (isEscaped(json, close)) close = json.indexOf('"', close + 1);
    let next = close + 1;
    while (isSpace(json.charCodeAt(next))) next++;
    if (json.charCodeAt(next) === 0x3a) count++;
    open = json.indexOf('"', next);
  }
  return count;
}

function isEscaped(json: string, quote: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
