// What a request is decided against: the compiled configuration, and the live index of keys.
// Shapes only. A request takes one Snapshot and keeps it to its end, so a reload never changes a request in flight.

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
import type { RouteTable } from '../route/route-table.ts';
import type { Site } from '../route/site.ts';
import type { AccessAnswer } from './access.ts';
import type { AcceptKind, VerifierKind } from './credential-kinds.ts';

/** One route, compiled. */
export interface RoutePolicy {
  /** Slot of the route in the metrics. */
  readonly index: number;
  readonly name: string;
  /** Lower-case host, `*.example.org`, or null for any. */
  readonly host: string | null;
  readonly path: string;
  /** Paths with `%2F` in them are taken, and forwarded so. */
  readonly keepsEncodedSlash: boolean;
  /** What else it takes in a path that not every route does: bits of `pathNeed` in core/model/path.ts. */
  readonly takesPaths: number;
  /** What happens to paths with `//` or `/./`, where it takes them at all: decided on without, or led to the path without. */
  readonly mergesPaths: 'silently' | 'by-redirect';
  /** Methods that the route takes, with HEAD wherever GET stands; null for all. */
  readonly methods: readonly string[] | null;
  /** Patterns that a pass issued on this route carries: the route's own folder or path. */
  readonly passPaths: readonly string[];
  readonly upstreamName: string;
  /** Slot of the upstream in the metrics and in the edge's pools. */
  readonly upstreamIndex: number;
  /** Whose own addresses in answers become the visitor's; null: they stay. */
  readonly site: Site | null;
  /** What the route accepts, as the configuration says it. */
  readonly accept: readonly AcceptKind[];
  /** The verifiers of what it accepts, in the order of trial; from `verifiersFor`. */
  readonly verifiers: readonly VerifierKind[];
  /** `accept` has `token`: whatever a holder of the common key made. Asked for each request with a token. */
  readonly takesOutsideTokens: boolean;
  /** Session cookies say something here: `accept` has `session` or `member`. */
  readonly looksAtSessions: boolean;
  /** Latchkey's own pages: our cookies and Authorization go there, and it alone may set our cookies. */
  readonly isOwnPages: boolean;
  readonly unscopedTokens: 'refuse' | 'allow';
  readonly audience: readonly string[];
  readonly maxTokenTtlSeconds: number;
  /** Longest life of a pass here: no longer than any token's, and than the longest that latchkey gives. */
  readonly maxPassTtlSeconds: number;
  /** Whether revocations are looked at; false: tokens hold until they expire, and no index is needed. */
  readonly isRevocable: boolean;
  /** How old the knowledge of revocations may be when a token decides. */
  readonly maxStalenessMs: number;
  readonly forwardsAuthorization: boolean;
  /** Header lines, latin1, that tell the upstream who asks. */
  readonly identity: (claims: TokenClaims) => string;
  readonly assertion: boolean;
  /** What a request may switch to; null for nothing. */
  readonly upgrade: UpgradePolicy | null;
  /** What changes in the heads of requests; null for nothing. */
  readonly request: RequestPolicy | null;
  /** What changes in the heads of answers; null for nothing. */
  readonly response: ResponsePolicy | null;
  /** What a credential opened may be kept by shared caches, as the upstream says. */
  readonly sharesCaches: boolean;
  /** The route gives anyone an answer and takes credentials too: a shared cache has to tell the two apart. */
  readonly variesByCredential: boolean;
  /** Cross-origin rules; null for those of the upstream. */
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
  /** Nothing in either direction of a tunnel. Default 3 600 000. */
  readonly tunnelIdleMs: number;
}

/** What one request may be. */
export interface RouteLimits {
  /** Longest request body, without its chunk framing. Default 1 GiB; `Number.MAX_SAFE_INTEGER` for no limit. */
  readonly maxBodyBytes: number;
  /** Bytes a second of a request's body that the client has to send. Default 100; 0 for no minimum. */
  readonly minRequestRate: number;
  /** Bytes a second that the client has to take while it has some to take. Default 0, no minimum. */
  readonly minResponseRate: number;
}

/** What `Upgrade` may lead to on a route. */
export interface UpgradePolicy {
  /** Lower case, at least one. */
  readonly protocols: readonly string[];
  /** Canonical origins beside the request's own whose pages may open a tunnel with the visitor's cookie. */
  readonly origins: readonly string[];
}

/** The compiled configuration. Never changed once made. */
export interface Snapshot {
  readonly seq: number;
  readonly routes: RouteTable<RoutePolicy>;
  /** What any route takes in a path, as bits of `pathNeed`, `%2F` among them. */
  readonly takesPaths: number;
  /** What `/.latchkey/` is sent to: latchkey's own pages, open to anyone. */
  readonly reserved: RoutePolicy;
  /** Begins and ends with `/`. */
  readonly reservedPrefix: string;
  /** Latchkey's own host and its origin (`https://portal.example.org`); null where nobody signs in. */
  readonly portal: { readonly host: string; readonly url: string } | null;
  /** How visitors come. */
  readonly transport: PublicTransport;
  /** Begins and ends with `/`. */
  readonly tokenPathPrefix: string;
  readonly tokenParameter: string;
  /** Query parameter of a link's token; null where no route takes members, so that nobody looks for it. */
  readonly linkParameter: string | null;
  readonly clockSkewSeconds: number;
  /** Longest life of a token that any route takes, sessions among them. */
  readonly maxTokenTtlSeconds: number;
  readonly passTtlSeconds: number;
  readonly issuer: string;
  /** Neighbours whose forwarded headers are believed; null for none. */
  readonly trustedProxies: IpList | null;
  /** Any route has a rule that comes before the decision: a preflight answered here, a limit by address. */
  readonly hasEarlyRules: boolean;
  /** Folded names of request fields that some route sets or removes. */
  readonly requestFields: ReadonlySet<string>;
  /** Lower-case names of response fields that some route's policy acts on. */
  readonly responseFields: readonly string[];
  /** Lower-case name of the header in which trusted proxies say the client's address, or null. */
  readonly clientAddressHeader: string | null;
  /** Requests to upstreams carry `Via`. */
  readonly saysVia: boolean;
  /** Folded names of identity headers that the configuration made up. */
  readonly customIdentityNames: ReadonlySet<string>;
}

/** What changes more often than the configuration: keys and revocations. */
export interface LiveIndex {
  /** Signature, type and shape of a token; its times and its scope are NOT checked. May answer from memory. */
  verify(token: string): VerifiedToken | TokenRefusal;
  /** Whether a revocation ends this token. Asks in the same turn as `indexAgeMs`: alone it says nothing about what is not known yet. */
  isRevoked(token: VerifiedToken): boolean;
  /** By how many places of the log a pass is ahead of what is known; 0 for nearly every one. */
  placesAhead(token: VerifiedToken): number;
  /** Whether a pass was made by a gateway with another store, of which the log here says nothing. */
  isForeign(token: VerifiedToken): boolean;
  /** Whether a text names a key of ours, so that it is meant for us whatever else is wrong with it. */
  isOurs(token: string): boolean;
  /** The place of the log up to which revocations are known; null before the index was loaded. */
  readonly position: LogPosition | null;
  /** The same of an answer that was read at a place of the log and hangs on these nodes. */
  hasRevoked(nodes: readonly string[], position: LogPosition): boolean;
  /** Milliseconds since the change log, as far as the index holds it, is known to have been read; infinite before it was loaded. */
  readonly indexAgeMs: number;
  /** What control answered about access before, when that still holds; null when it has to be asked. */
  findAccess(account: string, host: string, path: string, now: EpochSeconds): AccessAnswer | null;
}
