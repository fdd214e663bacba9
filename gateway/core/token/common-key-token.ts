// Tokens under symmetric keys (JWS compact, HS256): outside tokens, passes, sessions. They are made, verified, and checked for times
// and scope here. Pure: keys come from the ring, the time from the caller. A token's text is never kept, and never part of a detail.
// Rules: RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3.1 and §3.11; gateway/RULES.md "Tokens".

import { isUtf8 } from 'node:buffer';
import type { KeyObject } from 'node:crypto';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { anyMatchesHost } from '../model/host-pattern.ts';
import { isOfKind } from '../model/node-id.ts';
import { comparedForm } from '../model/path.ts';
import type { EpochSeconds } from '../model/time.ts';
import { readClaims } from './claim-reader.ts';
import type { TokenClaims } from './claims.ts';
import { parseJoseHeader } from './jose-header.ts';
import type { AcceptedHeader, KeyRing, RingKey } from './key-ring.ts';
import { type PassOrigin, type PassProblem, passOriginOf } from './pass-claims.ts';
import type { CompiledScope } from './scope.ts';
import { compileScope, opensPath } from './scope.ts';
import { type TokenType, tokenKinds, tokenTypeOf, tokenTypes } from './token-kinds.ts';

/** Why a text is no valid token under these keys. Words of `DenyReason`. */
export type TokenRefusalReason =
  | 'token-malformed'
  | 'token-bad-header'
  | 'token-unknown-key'
  | 'token-retired-key'
  | 'token-wrong-type'
  | 'token-bad-signature'
  | 'token-bad-claims';

/** Why a good token does not hold at this time. Words of `DenyReason`. */
export type TokenTimeReason = 'token-expired' | 'token-not-yet-valid' | 'token-issued-ahead' | 'token-lives-too-long';

/** Why a good token does not open this request. Words of `DenyReason`. */
export type TokenScopeReason =
  | 'token-wrong-audience'
  | 'token-unscoped'
  | 'outside-path'
  | 'outside-method'
  | 'outside-host'
  | 'outside-address';

export interface TokenRefusal {
  readonly kind: 'refused';
  readonly reason: TokenRefusalReason;
  /** For logs and `token inspect`: no part of the token but its key id. */
  readonly detail: string;
}

/**
 * A token whose MAC held and whose claims have the right types. Its times and its scope are NOT checked: see `checkTimes` and
 * `checkScope`. The object holds no reference to the token's text.
 */
export class VerifiedToken {
  readonly kind = 'verified';
  readonly type: TokenType;
  readonly keyId: string;
  readonly claims: TokenClaims;
  readonly scope: CompiledScope;
  /** Which answer a pass was made from, or why it opens nothing; `none` for every other type. */
  readonly origin: PassOrigin | PassProblem;
  /** About how many bytes this object keeps in memory, for caches that are bounded in bytes. */
  readonly weight: number;
  // the numbers that each request compares stand side by side in this object: with many tokens in turn, each further object would be a
  // miss in the processor's cache
  readonly exp: EpochSeconds;
  /** 0 for a token without `nbf`. */
  readonly nbf: EpochSeconds;
  /** -1 for a token without `iat`. */
  readonly iat: EpochSeconds;
  /** When the token is to be renewed: after half its life, for passes and sessions that control can renew; infinite for other tokens. */
  readonly renewFrom: EpochSeconds;
  /** When the edge last noted the use of this token. It is kept here so that most requests compare one number and do nothing else. */
  notedAt: EpochSeconds = 0;
  /** The one folder that `paths` opens, in compared form; null when `paths` says anything else. */
  readonly folder: string | null;
  /** Whether the token has none of the limits `aud`, `methods`, `hosts`, `ips`. */
  readonly isPlain: boolean;
  /**
   * The state of the revocation index under which `wasRevoked` was found. Only `RevocationIndex.isRevoked` reads and writes the two.
   */
  judgedUnder: object | null = null;
  wasRevoked = false;
  #writer: ((claims: TokenClaims) => string) | null = null;
  #lines = '';

  /** @internal made by `verifyToken` */
  constructor(
    type: TokenType,
    keyId: string,
    claims: TokenClaims,
    scope: CompiledScope,
    origin: PassOrigin | PassProblem,
    weight: number,
  ) {
    this.type = type;
    this.keyId = keyId;
    this.claims = claims;
    this.scope = scope;
    this.origin = origin;
    this.weight = weight;
    this.exp = claims.exp;
    this.nbf = claims.nbf ?? 0;
    this.iat = claims.iat ?? -1;
    const isRenewable =
      this.iat >= 0 &&
      (type === 'session'
        ? claims.sid !== undefined
        : origin === 'password' || (origin === 'member' && !isRepresentation(claims)));
    this.renewFrom = isRenewable ? this.iat + Math.ceil((this.exp - this.iat) / 2) : Number.POSITIVE_INFINITY;
    this.folder = scope.paths?.length === 1 ? (scope.paths[0]?.folder ?? null) : null;
    const { methods, hosts, addresses } = scope;
    this.isPlain = claims.aud === undefined && methods === null && hosts === null && addresses === null;
  }

  /** The identity header lines that a writer (`compileIdentity`) makes of the claims, remembered for the last writer. */
  identityLines(writer: (claims: TokenClaims) => string): string {
    if (this.#writer !== writer) {
      this.#lines = writer(this.claims);
      this.#writer = writer;
    }
    return this.#lines;
  }
}

/**
 * Whether a pass is the representation of a key. It is not renewed: the renewed pass would not hang on the representation any more, and
 * would go on after its hour.
 */
function isRepresentation({ n }: TokenClaims): boolean {
  return n?.some((node) => isOfKind('representation', node)) === true;
}

/** The most characters of a token. */
export const maxTokenLength = 4096;

/** 32 bytes in base64url without padding. */
const macLength = 43;

const shape = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Buffers for the comparison of MACs, so that a verification allocates none. They are used inside one synchronous call only. */
const expectedMac = Buffer.alloc(macLength);
const presentedMac = Buffer.alloc(macLength);

const tooLong = refuse('token-malformed', `longer than ${maxTokenLength} characters`);
const notThreeParts = refuse('token-malformed', 'not three parts of base64url without padding, separated by dots');
const notCanonical = refuse('token-malformed', 'a part has a length or last bits that no base64url encoder makes');
const keyWords = { content: 'a content key', internal: 'an internal key' } as const;
const typs = tokenTypes.map((type) => `"${tokenKinds[type].typ}"`);
const wrongType = refuse(
  'token-wrong-type',
  `typ is neither absent, ${typs.slice(0, -1).join(', ')} nor ${typs.at(-1)}`,
);
const badSignature = refuse('token-bad-signature', 'the signature does not match');

/**
 * Verifies a token's form, header, key and MAC, then reads its claims.
 *
 * @param token  the text as it stood in the request, at any length
 * @returns the token, its times and scope NOT checked; or why it is refused
 */
export function verifyToken(token: string, ring: KeyRing): VerifiedToken | TokenRefusal {
  if (token.length > maxTokenLength) return tooLong;
  if (!shape.test(token)) return notThreeParts;
  const headerEnd = token.indexOf('.');
  const payloadEnd = token.indexOf('.', headerEnd + 1);
  if (
    !hasCanonicalEnd(token, 0, headerEnd) ||
    !hasCanonicalEnd(token, headerEnd + 1, payloadEnd) ||
    !hasCanonicalEnd(token, payloadEnd + 1, token.length)
  ) {
    return notCanonical;
  }

  const headerText = token.slice(0, headerEnd);
  const known = ring.acceptedHeader(headerText);
  const header = known ?? judgeHeader(headerText, ring);
  if (header.kind === 'refused') return header;

  // the MAC is checked before the claims are read, so that the parser sees only bytes that a holder of the key made
  if (!macHolds(token, payloadEnd, header.key.keyObject)) return badSignature;
  if (known === undefined) ring.rememberHeader(headerText, header);

  const payload = Buffer.from(token.slice(headerEnd + 1, payloadEnd), 'base64url');
  if (!isUtf8(payload)) return refuse('token-bad-claims', 'the claims are not UTF-8');
  const reading = readClaims(payload.toString('utf8'));
  if (reading.kind === 'problem') return refuse('token-bad-claims', reading.detail);
  const compiled = compileScope(reading.claims);
  if (compiled.kind === 'problem') return refuse('token-bad-claims', compiled.detail);
  const origin = header.type === 'pass' ? passOriginOf(reading.claims) : 'none';
  const weight = 512 + 4 * payload.length;
  return new VerifiedToken(header.type, header.key.record.id, reading.claims, compiled.scope, origin, weight);
}

/**
 * Whether the token holds now. A token holds while now < exp + skew.
 *
 * @param skewSeconds    how far two clocks may differ
 * @param maxTtlSeconds  longest life that the route accepts, counted from `iat`, or from now for a token without `iat`
 */
export function checkTimes(
  token: VerifiedToken,
  now: EpochSeconds,
  skewSeconds: number,
  maxTtlSeconds: number,
): TokenTimeReason | null {
  const { exp, nbf, iat } = token;
  if (exp + skewSeconds <= now) return 'token-expired';
  if (nbf > now + skewSeconds) return 'token-not-yet-valid';
  if (iat < 0) return exp - now > maxTtlSeconds + skewSeconds ? 'token-lives-too-long' : null;
  if (iat > now + skewSeconds) return 'token-issued-ahead';
  return exp - iat > maxTtlSeconds ? 'token-lives-too-long' : null;
}

/** What a route says about the scope of tokens. */
export interface ScopeRules {
  readonly unscopedTokens: 'refuse' | 'allow';
  /** Empty: tokens with `aud` are refused. Otherwise `aud` must hold one of these names. */
  readonly audience: readonly string[];
}

/** The request, as far as the scope of a token is compared with it. */
export interface ScopeFacts {
  /** The method as sent; methods are case-sensitive. */
  readonly method: string;
  /** From `canonicalHost`. */
  readonly host: string;
  /** From `canonicalPath`. */
  readonly path: string;
  readonly clientAddress: string;
}

/** Whether the token opens this request on this route. The audience is checked first, since a token for another service is nothing here. */
export function checkScope(token: VerifiedToken, route: ScopeRules, facts: ScopeFacts): TokenScopeReason | null {
  const isBelowFolder = token.folder !== null && facts.path.startsWith(token.folder);
  if (isBelowFolder && token.isPlain && route.audience.length === 0) return null;
  const { aud } = token.claims;
  if (route.audience.length === 0) {
    if (aud !== undefined) return 'token-wrong-audience';
  } else if (aud === undefined || !shareOne(aud, route.audience)) {
    return 'token-wrong-audience';
  }
  const { paths, methods, hosts, addresses } = token.scope;
  if (paths === null) {
    if (route.unscopedTokens !== 'allow') return 'token-unscoped';
  } else if (!opensPath(paths, comparedForm(facts.path))) {
    return 'outside-path';
  }
  if (methods !== null && !methods.includes(facts.method)) return 'outside-method';
  if (hosts !== null && !anyMatchesHost(hosts, facts.host)) return 'outside-host';
  if (addresses !== null && !addresses.contains(facts.clientAddress)) return 'outside-address';
  return null;
}

/**
 * Makes a token.
 *
 * @param claims  plain JSON data; checked by the same rules as the claims of a token that arrives
 * @throws Error when this gateway would refuse the token, or the key may not sign
 */
export function mintToken(claims: object, options: { readonly key: RingKey; readonly type: TokenType }): string {
  const { record, keyObject } = options.key;
  const { purpose } = tokenKinds[options.type];
  if (record.purpose !== purpose) throw new Error(`key "${record.id}" is not ${keyWords[purpose]}`);
  if (record.state !== 'signing') throw new Error(`key "${record.id}" is ${record.state}, it does not sign`);
  const payload = JSON.stringify(claims);
  const reading = readClaims(payload);
  if (reading.kind === 'problem') throw new Error(`cannot make this token: ${reading.detail}`);
  const compiled = compileScope(reading.claims);
  if (compiled.kind === 'problem') throw new Error(`cannot make this token: ${compiled.detail}`);
  const header = options.key.headers[options.type];
  const signed = `${header}.${Buffer.from(payload).toString('base64url')}`;
  const token = `${signed}.${createHmac('sha256', keyObject).update(signed).digest('base64url')}`;
  if (token.length > maxTokenLength) {
    throw new Error(`cannot make this token: ${token.length} characters, at most ${maxTokenLength}`);
  }
  return token;
}

/**
 * Header and claims of a token with nothing verified, for `token inspect` only. @returns null for a text that is not two parts of JSON and
 * a third part
 */
export function decodeUnverified(token: string): { readonly header: unknown; readonly claims: unknown } | null {
  const parts = token.split('.');
  const [header, claims] = parts;
  if (parts.length !== 3 || header === undefined || claims === undefined) return null;
  try {
    return { header: decodePart(header), claims: decodePart(claims) };
  } catch {
    return null;
  }
}

function decodePart(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
}

/** Judges a header that was not accepted before. The key record says the algorithm; the header can only repeat it. */
function judgeHeader(text: string, ring: KeyRing): AcceptedHeader | TokenRefusal {
  const header = parseJoseHeader(Buffer.from(text, 'base64url').toString('latin1'));
  if (header.kind === 'problem') return refuse('token-bad-header', header.detail);
  if (header.alg !== 'HS256') return refuse('token-bad-header', 'alg is not HS256');
  if (header.kid === undefined) return refuse('token-bad-header', 'kid is missing');
  const type = tokenTypeOf(header.typ);
  if (type === null) return wrongType;
  const key = ring.find(header.kid);
  if (key === undefined) return refuse('token-unknown-key', `no key "${header.kid.slice(0, 64)}"`);
  // a type under a key of another purpose is refused: a holder of the common key must not be able to make a session
  const { purpose } = tokenKinds[type];
  if (key.record.purpose !== purpose) {
    return refuse('token-wrong-type', `key "${key.record.id}" is not ${keyWords[purpose]}`);
  }
  if (key.record.state === 'retired') return refuse('token-retired-key', `key "${key.record.id}" is retired`);
  return { kind: 'accepted', key, type };
}

/**
 * Compares the MACs in base64url form, which is canonical on both sides, so equal texts are equal digests. Measured:
 * digest('base64url') and two writes to the buffers take 6.2 µs, digest() and a decoded copy 8.3. No buffer is allocated.
 */
function macHolds(token: string, payloadEnd: number, key: KeyObject): boolean {
  if (token.length - payloadEnd - 1 !== macLength) return false;
  expectedMac.write(
    createHmac('sha256', key).update(token.slice(0, payloadEnd), 'latin1').digest('base64url'),
    'latin1',
  );
  presentedMac.write(token.slice(payloadEnd + 1), 'latin1');
  return timingSafeEqual(expectedMac, presentedMac);
}

/** Whether a part has a length and unused bits in its last character that an encoder can make (RFC 4648 §3.5). */
function hasCanonicalEnd(token: string, start: number, end: number): boolean {
  switch ((end - start) % 4) {
    case 1:
      return false;
    case 2:
      return 'AQgw'.includes(token.charAt(end - 1));
    case 3:
      return 'AEIMQUYcgkosw048'.includes(token.charAt(end - 1));
    default:
      return true;
  }
}

function shareOne(left: readonly string[], right: readonly string[]): boolean {
  for (const item of left) {
    if (right.includes(item)) return true;
  }
  return false;
}

function refuse(reason: TokenRefusalReason, detail: string): TokenRefusal {
  return { kind: 'refused', reason, detail };
}
