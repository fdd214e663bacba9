// What `decide` knows about a request: plain data, which is described once and contains no judgement.

/** Where an explicit token stood. */
export type TokenForm = 'bearer' | 'path' | 'query';

/** Where the credential that decided stood; `nowhere` for a request that was let in without one. */
export type CredentialPlace = TokenForm | 'basic' | 'pass-cookie' | 'session-cookie' | 'nowhere';

/** A token that was put into the request on purpose, latchkey's or the site's. */
export interface ExplicitToken {
  readonly form: TokenForm;
  readonly token: string;
}

/** A request, described. Values are as the client sent them unless said otherwise. */
export interface RequestFacts {
  readonly method: string;
  /** Lower case, without port; empty for an HTTP/1.0 request without `Host`. */
  readonly host: string;
  /** Canonical path, without the path token. */
  readonly path: string;
  /** What a route has to accept to take the path, as bits of `pathNeed`; 0 nearly always. `path` is merged already. */
  readonly pathNeeds: number;
  /** The client's address, an IPv4-mapped IPv6 address as IPv4. Behind a trusted proxy it comes from the proxy's header. */
  readonly clientAddress: string;
  /** Whether the path is under the prefix of latchkey's own pages. */
  readonly isReserved: boolean;
  /** The first token in `Authorization: Bearer`, the path, or the query. It may be the site's own token, which decides nothing. */
  readonly explicitToken: string | null;
  readonly explicitForm: TokenForm | null;
  /** How many explicit tokens the request has. A request with more than one token of latchkey's is refused. */
  readonly explicitCount: number;
  /** The other explicit tokens, at most `maxExplicitTokens` with the first; empty nearly always. */
  readonly moreTokens: readonly ExplicitToken[];
  /** The different values of pass cookies in the order sent, at most `maxPassValues`. */
  readonly passCookies: readonly string[];
  /** Value of the session cookie, under the name that counts on this connection; null without one. */
  readonly sessionCookie: string | null;
  /** How many link tokens the query has; 0 where no route takes members. */
  readonly linkTokens: number;
  /** Base64 text of `Authorization: Basic`, or null. */
  readonly basic: string | null;
}

/** The most explicit tokens in one request; a request with more is refused before any of them is looked at. */
export const maxExplicitTokens = 16;

/**
 * The most pass cookies that are judged. A sibling host can set any number of pass cookies, valid passes among them, and a browser keeps
 * fewer than two hundred cookies for a domain: so none of them can push out a good pass that comes later. The cost of a request is
 * bounded by the length of its head, and to judge a pass whose signature holds is the smaller part of the cost.
 */
export const maxPassValues = 256;
