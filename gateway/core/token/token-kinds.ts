// The kinds of tokens under symmetric keys, one row a `typ`. Whatever differs between kinds in making, verifying, placing and
// revoking is asked here. The rows are data: claim-reader.ts and judge-session.ts refuse what lacks a required claim.
// Rules: gateway/RULES.md "Token types"; RFC 8725 §3.11 (explicit types).

import type { SigningKeyPurpose } from '../model/signing-key.ts';
import type { TokenClaims } from './claims.ts';

/**
 * `outside`  made by any holder of the common key
 * `pass`     made by control, or by an edge from control's answer: the answer to a password or to membership, to be shown again
 * `session`  made by control alone: the session of an account on one host
 */
export const tokenTypes = ['outside', 'pass', 'session'] as const;
export type TokenType = (typeof tokenTypes)[number];

/**
 * Who makes tokens.
 *
 * `key-holder`  any program that has the common key; in `gateway/` the command line, which reads it from the operator's files
 * `control`     gateway/control/
 * `edge`        gateway/edge/
 */
type TokenMinter = 'key-holder' | 'control' | 'edge';

interface TokenKind {
  /** The `typ` of its header, exactly, without `application/`. */
  readonly typ: string;
  /** Whether a header without `typ` is of this kind. */
  readonly isDefault: boolean;
  /** The purpose of the keys for tokens of this kind. A holder of the common key (`content`) must not be able to make a session. */
  readonly purpose: SigningKeyPurpose;
  /**
   * The only makers of tokens of this kind that latchkey's own code has: test/core/token/token-kinds.test.ts walks the callers of
   * `mintToken`. Only the purpose of the key keeps strangers from making one.
   */
  readonly mintedBy: readonly TokenMinter[];
  /**
   * Claims without which a token of this kind is refused, whatever else it says; beyond them any claim may be absent. What a pass
   * has to say beside the answer that it names: pass-claims.ts.
   */
  readonly requiredClaims: readonly (keyof TokenClaims)[];
  /**
   * Ends with what its own claims name (session, device, account, membership, user record), whether `n` lists them or not. An outside
   * token ends by `jti`, `sub` or `kid` alone.
   */
  readonly hangsOnItsClaims: boolean;
  /** The longest life that latchkey gives such a token, in seconds; null for tokens of others, whose longest life routes set. */
  readonly longestSeconds: number | null;
  /** Where a token of this kind may stand: `anywhere` is Authorization, the path, the query and the pass cookie. */
  readonly standsIn: 'anywhere' | 'session-cookie';
  /** The name of this kind in refusals. */
  readonly words: string;
}

export const tokenKinds = {
  outside: {
    typ: 'JWT',
    isDefault: true,
    purpose: 'content',
    mintedBy: ['key-holder'],
    requiredClaims: ['exp'],
    hangsOnItsClaims: false,
    longestSeconds: null,
    standsIn: 'anywhere',
    words: 'a token of somebody who holds the common key',
  },
  pass: {
    typ: 'lp+jwt',
    isDefault: false,
    purpose: 'content',
    mintedBy: ['control', 'edge'],
    requiredClaims: ['exp'],
    hangsOnItsClaims: true,
    // a pass inside the path of a link for another device: as long as a long film with its breaks
    longestSeconds: 6 * 3600,
    standsIn: 'anywhere',
    words: 'a pass',
  },
  session: {
    typ: 'ls+jwt',
    isDefault: false,
    purpose: 'internal',
    mintedBy: ['control'],
    requiredClaims: ['exp', 'sub', 'sid', 'did', 'aud'],
    hangsOnItsClaims: true,
    // a session is renewed through control at half of this, and revocations are kept for longer
    longestSeconds: 15 * 60,
    standsIn: 'session-cookie',
    words: 'a session',
  },
} as const satisfies Record<TokenType, TokenKind>;

/** Claims of a token of one kind, with those that the kind requires: who makes the token cannot leave one out. */
export type ClaimsOf<T extends TokenType> = TokenClaims &
  Required<Pick<TokenClaims, (typeof tokenKinds)[T]['requiredClaims'][number]>>;

/** The token type that a `typ` member names; null for an unknown `typ`. @param typ  undefined for a header without `typ` */
export function tokenTypeOf(typ: string | undefined): TokenType | null {
  for (const type of tokenTypes) {
    if (typ === undefined ? tokenKinds[type].isDefault : tokenKinds[type].typ === typ) return type;
  }
  return null;
}

/** One value for each kind, by token type. */
export function forEachKind<T>(make: (type: TokenType) => T): Readonly<Record<TokenType, T>> {
  return { outside: make('outside'), pass: make('pass'), session: make('session') };
}
