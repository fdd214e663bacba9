// The kinds of common-key tokens, one row a `typ`. Whatever differs between kinds in making, verifying and placing is asked here.
// What a kind has to claim beside `exp`: pass-claims.ts for passes, core/decision/verifier/judge-session.ts for sessions.
// Rules: gateway/RULES.md "Token types"; RFC 8725 §3.11 (explicit types).

import type { SigningKeyPurpose } from '../model/signing-key.ts';

/**
 * `outside`  made by any holder of the common key
 * `pass`     made by control, or by an edge from control's answer: the answer to a password or to membership, to be shown again
 * `session`  made by control alone: the session of an account on one host
 */
export const tokenTypes = ['outside', 'pass', 'session'] as const;
export type TokenType = (typeof tokenTypes)[number];

interface TokenKind {
  /** The `typ` of its header, exactly, without `application/`. */
  readonly typ: string;
  /** A header without `typ` is of this kind. */
  readonly isDefault: boolean;
  /** The purpose of the keys that make and verify it. A holder of the common key (`content`) must not be able to make a session. */
  readonly purpose: SigningKeyPurpose;
  /** Longest life that latchkey gives one, in seconds; null where others make them and routes say how long they may live. */
  readonly longestSeconds: number | null;
  /** Where it may stand: `anywhere` is Authorization, the path, the query and the pass cookie. */
  readonly standsIn: 'anywhere' | 'session-cookie';
  /** What it is, in the words of refusals. */
  readonly words: string;
}

export const tokenKinds = {
  outside: {
    typ: 'JWT',
    isDefault: true,
    purpose: 'content',
    longestSeconds: null,
    standsIn: 'anywhere',
    words: 'a token of somebody who holds the common key',
  },
  pass: {
    typ: 'lp+jwt',
    isDefault: false,
    purpose: 'content',
    // one that travels inside the path: as long as a long film with its breaks
    longestSeconds: 6 * 3600,
    standsIn: 'anywhere',
    words: 'a pass',
  },
  session: {
    typ: 'ls+jwt',
    isDefault: false,
    purpose: 'internal',
    // it is renewed through control at half of this, and revocations are kept for longer
    longestSeconds: 15 * 60,
    standsIn: 'session-cookie',
    words: 'a session',
  },
} as const satisfies Record<TokenType, TokenKind>;

/** The type that a `typ` member stands for; null for a `typ` of no kind. @param typ  undefined when the header has none */
export function tokenTypeOf(typ: string | undefined): TokenType | null {
  for (const type of tokenTypes) {
    if (typ === undefined ? tokenKinds[type].isDefault : tokenKinds[type].typ === typ) return type;
  }
  return null;
}

/** Something of each kind, by its type. */
export function forEachKind<T>(make: (type: TokenType) => T): Readonly<Record<TokenType, T>> {
  return { outside: make('outside'), pass: make('pass'), session: make('session') };
}
