// What `decide` knows about a request: plain data, described once, without a judgement.

/** Where an explicit token stood. */
export type TokenForm = 'bearer' | 'path' | 'query';

/** Where the credential stood that decided; `nowhere` for what anyone may open. */
export type CredentialPlace = TokenForm | 'basic' | 'pass-cookie' | 'session-cookie' | 'nowhere';

/** A token that was put into the request on purpose, ours or not. */
export interface ExplicitToken {
  readonly form: TokenForm;
  readonly token: string;
}

/** A request, described. Values are as the client sent them unless said otherwise. */
export interface RequestFacts {
  readonly method: string;
  /** Lower case, without port; empty for a 1.0 client that sent no `Host`. */
  readonly host: string;
  /** Canonical path, without the path token. */
  readonly path: string;
  /** What the path asks of its route, as bits of `pathNeed`; 0 nearly always. Merging is done already. */
  readonly pathNeeds: number;
  /** The client's address, IPv4-mapped IPv6 folded; from a trusted proxy's header where one stands in front. */
  readonly clientAddress: string;
  /** The path names latchkey's own pages. */
  readonly isReserved: boolean;
  /** A token in `Authorization: Bearer`, the path, or the query; the first one found. It may be the site's, and decide nothing. */
  readonly explicitToken: string | null;
  readonly explicitForm: TokenForm | null;
  /** How many explicit tokens there were. More than one of ours is refused. */
  readonly explicitCount: number;
  /** The explicit tokens behind the first, at most `maxExplicitTokens` in all; empty nearly always. */
  readonly moreTokens: readonly ExplicitToken[];
  /** Different values of pass cookies in the order sent, at most `maxPassValues`. */
  readonly passCookies: readonly string[];
  /** Value of the session cookie, under the name that this connection has it by; null without one. */
  readonly sessionCookie: string | null;
  /** Link tokens in the query; 0 where no route takes members. */
  readonly linkTokens: number;
  /** Base64 text of `Authorization: Basic`, or null. */
  readonly basic: string | null;
}

/** Explicit tokens in one request that are told apart; with more it is refused before any of them is looked at. */
export const maxExplicitTokens = 16;

/**
 * Pass cookies that are judged. A sibling of the host can set any number of them, passes of its own among them, and a browser keeps
 * fewer than two hundred for a domain: none of those may push out the good one behind them. What a request costs is bounded by the
 * length of its head: to judge one whose signature holds is the smaller part of it.
 */
export const maxPassValues = 256;
