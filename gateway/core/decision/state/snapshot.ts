// What a request is judged by: the compiled configuration, and the live index of keys and revocations.
// Shapes only. A request takes one Snapshot and keeps it to its end, so a reload changes no request in flight.

import type { LogPosition } from '../../model/change.ts';
import type { EpochSeconds } from '../../model/time.ts';
import type { TokenClaims } from '../../token/claims.ts';
import type { TokenRefusal, VerifiedToken } from '../../token/common-key-token.ts';
import type { IpList } from '../../token/ip-list.ts';
import type { CorsPolicy } from '../policy/cors.ts';
import type { PublicTransport } from '../policy/public-transport.ts';
import type { RateLimits } from '../policy/rate-limit.ts';
import type { RequestPolicy } from '../policy/request-policy.ts';
import type { ResponsePolicy } from '../policy/response-policy.ts';
import type { WhoPolicy } from '../policy/who.ts';
import type { RouteTable } from '../route/route-table.ts';
import type { Site } from '../route/site.ts';
import type { AccessAnswer } from './access.ts';
import type { AcceptKind, VerifierKind } from './credential-kinds.ts';

/** One route, compiled. */
export interface RoutePolicy {
  /** The route's index in the metrics. */
  readonly index: number;
  readonly name: string;
  /** Lower-case host, `*.example.org`, or null for any. */
  readonly host: string | null;
  readonly path: string;
  /** Whether the route takes paths with `%2F`, which are forwarded as they are. */
  readonly keepsEncodedSlash: boolean;
  /** What else the route takes in paths beyond every route: bits of `pathNeed` in core/model/path.ts. */
  readonly takesPaths: number;
  /** How the route takes paths with `//` or `/./`, if at all: it judges the merged path, or redirects to it. */
  readonly mergesPaths: 'silently' | 'by-redirect';
  /** Methods that the route takes, with HEAD wherever GET stands; null for all. */
  readonly methods: readonly string[] | null;
  /** Patterns that a pass issued on this route carries: the route's own folder or path. */
  readonly passPaths: readonly string[];
  readonly upstreamName: string;
  /** The upstream's index in the metrics and in the edge's pools. */
  readonly upstreamIndex: number;
  /** The site whose own addresses in answers are rewritten for visitors; null: they stay. */
  readonly site: Site | null;
  /** What the route accepts, as the configuration says it. */
  readonly accept: readonly AcceptKind[];
  /** Whom the route lets in, of those who have what it accepts; null for all of them. */
  readonly allow: WhoPolicy | null;
  /** The verifiers for `accept`, in the order of trial; from `verifiersFor`. */
  readonly verifiers: readonly VerifierKind[];
  /** Whether `accept` has `token`: tokens that any holder of the common key made. Read for each request with a token. */
  readonly takesOutsideTokens: boolean;
  /** Whether session cookies count on this route: `accept` has `session` or `member`. */
  readonly looksAtSessions: boolean;
  /** Whether this is the route of latchkey's own pages: they get latchkey's cookies and Authorization, and only they set these cookies. */
  readonly isOwnPages: boolean;
  readonly unscopedTokens: 'refuse' | 'allow';
  readonly audience: readonly string[];
  readonly maxTokenTtlSeconds: number;
  /** Longest life of a pass on this route: at most `maxTokenTtlSeconds`, and at most the longest life that latchkey gives. */
  readonly maxPassTtlSeconds: number;
  /** Whether revocations count on this route; false: tokens hold until they expire, and no index is needed. */
  readonly isRevocable: boolean;
  /** How old the revocation index may be when a token decides. */
  readonly maxStalenessMs: number;
  readonly forwardsAuthorization: boolean;
  /** Writes the header lines, in latin1, that tell the upstream who the user is. */
  readonly identity: (claims: TokenClaims) => string;
  readonly assertion: boolean;
  /** The protocols that a request may switch to; null for none. */
  readonly upgrade: UpgradePolicy | null;
  /** Changes to the heads of requests; null for none. */
  readonly request: RequestPolicy | null;
  /** Changes to the heads of answers; null for none. */
  readonly response: ResponsePolicy | null;
  /** Whether shared caches may keep answers that a credential opened, if the upstream allows it. */
  readonly sharesCaches: boolean;
  /** Whether the route takes credentials and also answers anyone: then a shared cache has to tell the two kinds of answers apart. */
  readonly variesByCredential: boolean;
  /** Cross-origin rules; null: those of the upstream count. */
  readonly cors: CorsPolicy | null;
  readonly rateLimits: RateLimits | null;
  readonly timeouts: RouteTimeouts;
  readonly limits: RouteLimits;
}

/** Milliseconds; defaults: config/README.md, "All settings". */
export interface RouteTimeouts {
  readonly requestBodyIdleMs: number;
  readonly upstreamConnectMs: number;
  readonly upstreamFirstByteMs: number;
  readonly upstreamIdleMs: number;
  readonly clientWriteIdleMs: number;
  /** How long a tunnel may carry no bytes in either direction. Default 3 600 000. */
  readonly tunnelIdleMs: number;
}

/** Limits on one request. */
export interface RouteLimits {
  /** The most bytes of a request body, without chunk framing. Default 1 GiB; `Number.MAX_SAFE_INTEGER` for no limit. */
  readonly maxBodyBytes: number;
  /** The fewest bytes a second of a body that a client has to send. Default 100; 0 for no minimum. */
  readonly minRequestRate: number;
  /** The fewest bytes a second that a client has to read while some wait for it. Default 0, no minimum. */
  readonly minResponseRate: number;
}

/** The rule of a route about `Upgrade`. */
export interface UpgradePolicy {
  /** Lower-case names of the protocols, at least one. */
  readonly protocols: readonly string[];
  /** Canonical origins, beside the request's own, whose pages may open a tunnel with the visitor's cookie. */
  readonly origins: readonly string[];
}

/** The compiled configuration. It never changes. */
export interface Snapshot {
  readonly seq: number;
  readonly routes: RouteTable<RoutePolicy>;
  /** What some route takes in paths, as bits of `pathNeed`, `%2F` included. */
  readonly takesPaths: number;
  /** The route of latchkey's own pages below `reservedPrefix`, which anyone may open. */
  readonly reserved: RoutePolicy;
  /** The path prefix of latchkey's own pages; begins and ends with `/`. */
  readonly reservedPrefix: string;
  /** The portal's host, origin (`https://portal.example.org`), name, and the address of whoever helps people; null for an installation without a portal. */
  readonly portal: {
    readonly host: string;
    readonly url: string;
    readonly name: string;
    readonly hasLogo: boolean;
    readonly contact: string | null;
  } | null;
  /** Whether visitors come by https. */
  readonly transport: PublicTransport;
  /** The path prefix of tokens in the path form; begins and ends with `/`. */
  readonly tokenPathPrefix: string;
  readonly tokenParameter: string;
  /** Name of the query parameter with a link's token; null where no route takes members, so that no query is searched for it. */
  readonly linkParameter: string | null;
  readonly clockSkewSeconds: number;
  /** The longest life of a token on any route, sessions included. */
  readonly maxTokenTtlSeconds: number;
  readonly passTtlSeconds: number;
  readonly issuer: string;
  /** The proxies whose forwarding headers are believed; null for none. */
  readonly trustedProxies: IpList | null;
  /** Whether some route has a rule that comes before the decision: an answer to preflights, a limit by address. */
  readonly hasEarlyRules: boolean;
  /** Folded names of request fields that some route sets or removes. */
  readonly requestFields: ReadonlySet<string>;
  /** Lower-case names of response fields that some route's policy acts on. */
  readonly responseFields: readonly string[];
  /** Lower-case name of the header in which trusted proxies send the client's address; null for none. */
  readonly clientAddressHeader: string | null;
  /** Whether requests to upstreams get `Via`. */
  readonly saysVia: boolean;
  /** Whether requests to upstreams get a `traceparent` of latchkey's. */
  readonly tracesRequests: boolean;
  /** Folded names of the identity headers that the configuration defines. */
  readonly customIdentityNames: ReadonlySet<string>;
}

/** The state that changes more often than the configuration: keys and revocations. */
export interface LiveIndex {
  /** Signature, type and shape of a token; its times and its scope are NOT checked. May answer from memory. */
  verify(token: string): VerifiedToken | TokenRefusal;
  /** Whether a known revocation ends this token. Callers also check `indexAgeMs`, in the same turn of the event loop. */
  isRevoked(token: VerifiedToken): boolean;
  /** By how many places of the log a pass is ahead of the index; 0 for nearly every pass. */
  placesAhead(token: VerifiedToken): number;
  /** Whether a gateway with another store made the pass, so that this log holds no revocations for it. */
  isForeign(token: VerifiedToken): boolean;
  /** Whether a text names a key of latchkey's. Then it is meant for latchkey, even if it is no valid token. */
  isOurs(token: string): boolean;
  /** The place of the log up to which revocations are known; null before the index was loaded. */
  readonly position: LogPosition | null;
  /** Whether a revocation after this place of the log ends an answer that was read there and hangs on these nodes. */
  hasRevoked(nodes: readonly string[], position: LogPosition): boolean;
  /** Age of the index: milliseconds since the log is known to have been read up to `position`; infinite before the index was loaded. */
  readonly indexAgeMs: number;
  /** Control's earlier answer about access, if it still holds; null when control has to be asked. */
  findAccess(account: string, host: string, path: string, now: EpochSeconds): AccessAnswer | null;
}
