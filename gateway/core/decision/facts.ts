// What `decide` knows about a request: plain data, described once, without a judgement.

/** Where an explicit token stood. */
export type TokenForm = 'bearer' | 'path' | 'query';

/** A request, described. Values are as the client sent them unless said otherwise. */
export interface RequestFacts {
  readonly method: string;
  /** Lower case, without port; empty for a 1.0 client that sent no `Host`. */
  readonly host: string;
  /** Canonical path, without the path token. */
  readonly path: string;
  /** The client's address, IPv4-mapped IPv6 folded; from a trusted proxy's header where one stands in front. */
  readonly clientAddress: string;
  /** The path names latchkey's own pages. */
  readonly isReserved: boolean;
  /** A token in `Authorization: Bearer`, the path, or the query; the first one found. */
  readonly explicitToken: string | null;
  readonly explicitForm: TokenForm | null;
  /** How many explicit tokens there were; more than one is refused. */
  readonly explicitCount: number;
  /** Values of pass cookies in the order sent, at most `maxPassCookies`. */
  readonly passCookies: readonly string[];
  /** Value of the session cookie, under the name that this connection has it by; null without one. */
  readonly sessionCookie: string | null;
  /** Link tokens in the query; 0 where no route takes members. */
  readonly linkTokens: number;
  /** Base64 text of `Authorization: Basic`, or null. */
  readonly basic: string | null;
}

/** Pass cookies looked at; nested collections legitimately send two. */
export const maxPassCookies = 4;
