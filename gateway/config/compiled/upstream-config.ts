// Upstreams as they are after loading: the servers, how a server is chosen, when a server is left out, TLS.
// Plain JSON data without secrets: it holds the paths of certificate and key files, and control sends the contents of those files.

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
  /** Share of the requests among the servers, 1 to 100. Default 1. */
  readonly weight: number;
}

/** How a server is chosen for a request. */
export type Balance =
  | { readonly kind: 'least-connections' }
  /** Equal canonical paths go to one server. */
  | { readonly kind: 'path' }
  /** Equal values of a header field go to one server; the name is lower-case. */
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string };

/** After which failures a server gets no requests for a while. */
export interface Ejection {
  /** Failures in a row. Default 5. */
  readonly failures: number;
  /** How long the server gets no requests the first time; each next time is twice as long, up to five minutes. Default 10 000. */
  readonly forMs: number;
}

/** A request that an edge makes now and then to see whether a server is well. */
export interface HealthCheck {
  readonly path: string;
  /** `Host` of the request; null: the server's authority. */
  readonly host: string | null;
  /** Time between two checks, a tenth more or less. Default 5000. */
  readonly intervalMs: number;
  /** Time limit for connection and answer together. Default 2000. */
  readonly timeoutMs: number;
  /** Statuses that count as healthy, as first and last of each range. Default 200 to 399. */
  readonly expect: readonly (readonly [number, number])[];
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

/** TLS settings for `https://` servers. */
export interface UpstreamTls {
  /** Absolute path of PEM certificates; null: the roots of the system. */
  readonly caFile: string | null;
  /** Server name for SNI and for the check of the certificate; null: the server's host. */
  readonly serverName: string | null;
  readonly verify: boolean;
  /** Absolute paths of PEM files; both are set or neither. */
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
  /** Requests at most that are on their way together on one connection. Default 1: one at a time. */
  readonly pipelining: number;
  /** Answers of this upstream may begin with `ICY` in place of `HTTP/1.0`; absent: they may not. */
  readonly statusLine?: 'icy';
  readonly balance: Balance;
  /** Null: no server is ever left out. Always null for a single server. */
  readonly ejection: Ejection | null;
  readonly healthCheck: HealthCheck | null;
  /** Null when no server has an `https://` URL. */
  readonly tls: UpstreamTls | null;
}
