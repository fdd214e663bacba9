// The configuration after loading: every default filled in, every path absolute, every duration and size a number.
// Plain JSON data. The configuration holds no secret but the URLs of the store and of the mail server, which `withoutSecrets` takes out of what
// control sends to the edges, and the headers for a collector of traces, which edges send themselves. All other secrets are in files, and the configuration holds only the paths of those files.

import type { CorsRule } from '../../core/decision/policy/cors.ts';
import type { RateLimitRule } from '../../core/decision/policy/rate-limit.ts';
import type { RequestRule } from '../../core/decision/policy/request-policy.ts';
import type { ResponseRule } from '../../core/decision/policy/response-policy.ts';
import type { WhoRule } from '../../core/decision/policy/who.ts';
import type { AcceptKind } from '../../core/decision/state/credential-kinds.ts';
import type { RouteLimits, RouteTimeouts } from '../../core/decision/state/snapshot.ts';
import type { SigningKeyState } from '../../core/model/signing-key.ts';
import type { AccessFormat } from '../../telemetry/access-log.ts';
import type { LogTarget } from '../../telemetry/log-file.ts';
import type { OtlpConfig } from '../../telemetry/span-export.ts';
import type { ControlConfig } from './control-config.ts';
import type { UpstreamConfig } from './upstream-config.ts';

/** A TCP address to listen on. Port 0 asks the system for a free one. */
export interface ListenAddress {
  /** Where the value stands in the file, e.g. `listeners[0].address`; for messages. */
  readonly at: string;
  readonly host: string;
  readonly port: number;
}

/** A certificate and its key, as PEM files; absolute paths. */
export interface CertificateConfig {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Which hosts ask for a client certificate, and what happens to a visitor without a client certificate. */
export interface ClientCertificateConfig {
  /** Absolute path of a PEM bundle. */
  readonly caFile: string;
  /** `required`: a request without a client certificate gets 403. `optional`: the upstream is told of a certificate when the visitor sent one. */
  readonly mode: 'optional' | 'required';
  /** Hosts and wildcards that ask for a certificate, as in routes; null for every host of the listener. */
  readonly hosts: readonly string[] | null;
}

export interface TlsConfig {
  /** The first certificate is for clients whose server name matches no certificate. */
  readonly certificates: readonly CertificateConfig[];
  readonly minVersion: '1.2' | '1.3';
  readonly clientCertificates: ClientCertificateConfig | null;
}

/** A listener for visitors. Whether the listener speaks TLS is fixed at the start; the settings in `tls` are taken at each reload. */
export interface ListenerConfig extends ListenAddress {
  /** null: plain HTTP. */
  readonly tls: TlsConfig | null;
  /** Port of the https address that every request is redirected to; null: requests are served. Never beside `tls`. */
  readonly redirectPort: number | null;
  /** CIDR blocks that send a PROXY protocol header; no other client may connect. null: no client sends a PROXY protocol header. */
  readonly proxyFrom: readonly string[] | null;
}

interface CommonKeyConfig {
  readonly id: string;
  /** Absolute path. The file's bytes are the key, one final newline dropped. */
  readonly secretFile: string;
  readonly state: SigningKeyState;
}

/** Claim names that a custom identity preset may map to header names. */
type IdentityClaim = 'sub' | 'email' | 'groups' | 'name' | 'preferred_username';

export type IdentityConfig =
  /** `user`: what the header of the user holds, the id of the account or its mail address. */
  | { readonly preset: 'oauth2-proxy' | 'authelia'; readonly user: 'id' | 'email' }
  | { readonly preset: 'custom'; readonly headers: Readonly<Partial<Record<IdentityClaim, string>>> };

/** `routes[].paths`. */
export interface RoutePathsConfig {
  /** `//` and `/./`: 400, decided on and forwarded without them, or 308 to the path without them. */
  readonly slashes: 'refuse' | 'merge' | 'redirect';
  /** Encoded bytes that are no UTF-8, like `%FC`: 400, or forwarded as they are. */
  readonly notUtf8: 'refuse' | 'keep';
  /** An encoded percent sign in front of two hexadecimal digits, like `%2541`: 400, or forwarded as it is. */
  readonly encodedPercent: 'refuse' | 'keep';
  /** Letters beyond ASCII that came without being encoded: 400, or encoded as UTF-8. */
  readonly rawUtf8: 'refuse' | 'encode';
}

/** What a route changes in requests and answers, and which clients it slows down. */
export interface PolicyConfig {
  readonly request: RequestRule;
  readonly response: ResponseRule;
  readonly cors: CorsRule | null;
  /** Empty for none. */
  readonly rateLimits: readonly RateLimitRule[];
}

export interface RouteConfig extends PolicyConfig {
  readonly name: string;
  /** Lower-case host, `*.example.org`, or null for a route without a host. */
  readonly host: string | null;
  /** Canonical path; a folder when it ends in `/`, one exact path otherwise. */
  readonly path: string;
  /** What happens to paths with `%2F`. Default `refuse`. */
  readonly encodedSlash: 'refuse' | 'keep';
  /** What happens to paths that servers read in two ways. Default: all refused. */
  readonly paths: RoutePathsConfig;
  /** Methods that the route takes; null for all but CONNECT and TRACE. */
  readonly methods: readonly string[] | null;
  readonly upstream: string;
  readonly accept: readonly AcceptKind[];
  /** Whom the route lets in; null for everybody who has what `accept` takes. */
  readonly allow: WhoRule | null;
  readonly identity: IdentityConfig;
  readonly assertion: boolean;
  /** Empty: tokens that carry `aud` are refused. */
  readonly audience: readonly string[];
  readonly unscopedTokens: 'refuse' | 'allow';
  readonly maxTokenTtlSeconds: number;
  /** Whether revocations are checked; with `none`, tokens hold until they expire. Default `checked`. */
  readonly revocation: 'checked' | 'none';
  /** How old the knowledge of revocations may be. Default 10 000. */
  readonly maxStalenessMs: number;
  /** Pass the accepted `Authorization` on to the upstream. */
  readonly forwardAuthorization: boolean;
  /** The site's own addresses in answers become the visitor's. Default yes. */
  readonly rewritesLocations: boolean;
  /** Protocols that `Upgrade` may ask for, lower case; empty for none. Default `websocket`. */
  readonly upgrade: readonly string[];
  /** Origins beside the route's own whose pages may open a tunnel with a cookie. Default none. */
  readonly webSocketOrigins: readonly string[];
  readonly timeouts: RouteTimeouts;
  readonly limits: RouteLimits;
}

interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly access: LogTarget;
  readonly decisions: LogTarget;
  /** Of access lines. Default `json`. */
  readonly format: AccessFormat;
  /** `once`: where both logs go to one place, no decision line is written and the access line says the reason. Default `once`. */
  readonly refusals: 'once' | 'twice';
}

interface TelemetryConfig {
  /** Requests go on with a `traceparent`. Default no; where spans are exported, always. */
  readonly tracesRequests: boolean;
  /** null: no spans are exported. */
  readonly otlp: OtlpConfig | null;
}

interface TokenConfig {
  /** Query parameter that may carry a token. Default `token`. */
  readonly parameter: string;
  /** Default `/.t/`; begins and ends with a slash. */
  readonly pathPrefix: string;
  /** Default 5, at most 30. */
  readonly clockSkewSeconds: number;
  /** Lifetime of a pass that is issued for credentials. Default 3600. */
  readonly passTtlSeconds: number;
  /** `iss` of passes and assertions. Default `latchkey`. */
  readonly issuer: string;
}

export interface Limits {
  /** How long a client may take to send a whole request head. Default 10 000. */
  readonly headMs: number;
  readonly clientKeepAliveMs: number;
  readonly upstreamKeepAliveMs: number;
  /** Open client connections at most, per edge. Default 16 384. */
  readonly maxConnections: number;
  /** Open connections at most of one client address, or of one /64 of IPv6 addresses, per edge. Default null, no limit. */
  readonly maxConnectionsPerAddress: number | null;
  /** How late the event loop may run before requests are refused. Default 500. */
  readonly maxEventLoopDelayMs: number;
  /** How long a drain waits for running requests. Default 10 000. */
  readonly drainMs: number;
  /** The time over which the minimum rates of requests and answers are averaged. Default 30 000. */
  readonly rateWindowMs: number;
}

/** The whole configuration. Edges get the configuration without the secrets, which `withoutSecrets` takes out. */
export interface Config extends ControlConfig {
  readonly listeners: readonly ListenerConfig[];
  readonly operations: ListenAddress;
  readonly dataDir: string;
  readonly edges: number;
  readonly commonKeys: readonly CommonKeyConfig[];
  readonly usersFile: string | null;
  readonly upstreams: readonly UpstreamConfig[];
  readonly routes: readonly RouteConfig[];
  /** CIDR blocks whose forwarded headers are believed. Default none. */
  readonly trustedProxies: readonly string[];
  /** Header in which trusted proxies name the client's address; null for `X-Forwarded-For`. */
  readonly clientAddressHeader: string | null;
  /** Requests to upstreams carry `Via`. Default no. */
  readonly saysVia: boolean;
  readonly reservedPrefix: string;
  readonly tokens: TokenConfig;
  readonly logs: LogConfig;
  readonly telemetry: TelemetryConfig;
  readonly limits: Limits;
  /** Whether the files are watched, and how often they are looked at. Default yes, 1000 ms. */
  readonly reload: { readonly watch: boolean; readonly intervalMs: number };
  /** Entries and bytes of verified tokens kept, per edge; 0 entries switches the cache off. Defaults 65 536 and 64 MiB. */
  readonly decisionCache: { readonly entries: number; readonly bytes: number };
  /** Which decisions are recorded for `explain`; `all`: outside tokens and open routes too. Default `on`. */
  readonly explain: 'off' | 'on' | 'all';
  /** Password checks that control starts per second at most. Default 20. */
  readonly passwordChecksPerSecond: number;
}

/** The configuration as it goes to the edges, which have no use for the store and for mail. */
export function withoutSecrets(config: Config): Config {
  return { ...config, store: { kind: 'sqlite', file: '' }, mail: null };
}
