// Upstreams as they are after loading: servers, how one is chosen, when one is left out, TLS.
// Plain JSON data without secrets: of certificates and keys it holds the paths, and control sends what is in them.

/** Where a server listens. */
type ServerAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** Absolute path of a Unix socket, at most 107 bytes. */
  | { readonly kind: 'unix'; readonly path: string };

/** One server of an upstream. */
export interface UpstreamServer {
  readonly address: ServerAddress;
  readonly isTls: boolean;
  /** For messages and logs: `host[:port]`, or `unix:` and the path. */
  readonly authority: string;
  /** Share among the servers, 1 to 100. Default 1. */
  readonly weight: number;
}

/** What decides between the servers. */
export type Balance =
  | { readonly kind: 'least-connections' }
  /** Equal canonical paths go to one server. */
  | { readonly kind: 'path' }
  /** Equal values of a header field go to one server; the name is lower-case. */
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string };

/** When a server is left alone for a while. */
export interface Ejection {
  /** Failures in a row. Default 5. */
  readonly failures: number;
  /** The first time; twice as long each next one, up to five minutes. Default 10 000. */
  readonly forMs: number;
}

/** A request that an edge makes now and then to see whether a server is well. */
export interface HealthCheck {
  readonly path: string;
  /** `Host` of the request; null: the server's authority. */
  readonly host: string | null;
  /** Between checks, a tenth more or less. Default 5000. */
  readonly intervalMs: number;
  /** For connection and answer together. Default 2000. */
  readonly timeoutMs: number;
  /** Statuses, first and last of each range. Default 200 to 399. */
  readonly expect: readonly (readonly [number, number])[];
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

/** How `https://` servers are spoken to. */
export interface UpstreamTls {
  /** Absolute path of PEM certificates; null: the roots of the system. */
  readonly caFile: string | null;
  /** Name for SNI and for the check of the certificate; null: the server's host. */
  readonly serverName: string | null;
  readonly verify: boolean;
  /** Absolute paths of PEM files; both or none. */
  readonly clientCertificateFile: string | null;
  readonly clientKeyFile: string | null;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

export interface UpstreamConfig {
  readonly name: string;
  readonly servers: readonly UpstreamServer[];
  /** Connections at most to each server, from one edge. Default 512. */
  readonly maxConnections: number;
  /** Connections kept idle at most to each server, from one edge. Default 64. */
  readonly maxIdleConnections: number;
  /** How long a connection may be idle; null: `limits.upstreamKeepAliveMs`. */
  readonly keepAliveMs: number | null;
  /** Requests at most that go out together on one connection. Default 1: none do. */
  readonly pipelining: number;
  /** Its answers may begin with `ICY` in place of `HTTP/1.0`; absent: they may not. */
  readonly statusLine?: 'icy';
  readonly balance: Balance;
  /** Null: never. Always null for a single server. */
  readonly ejection: Ejection | null;
  readonly healthCheck: HealthCheck | null;
  /** Null when no server is `https://`. */
  readonly tls: UpstreamTls | null;
}
