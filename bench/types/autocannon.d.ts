// The part of autocannon's interface that the bench uses; the package ships no types of its own.
// Source: the package's README, "API".

declare module 'autocannon' {
  /** One request as it goes out; `onResponse` sees every answer to it. */
  export interface Request {
    readonly method?: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly onResponse?: (status: number, body: string) => void;
  }

  /** One connection. */
  export interface Client {
    setRequests(requests: Request[]): void;
  }

  export interface Options {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    /** Seconds until a request counts as timed out. */
    readonly timeout: number;
    readonly setupClient: (client: Client) => void;
  }

  export interface Result {
    readonly errors: number;
    readonly timeouts: number;
    readonly mismatches: number;
    readonly non2xx: number;
    /** Seconds. */
    readonly duration: number;
    /** `total`: number of requests that were answered. */
    readonly requests: { readonly total: number; readonly sent: number; readonly average: number };
    readonly throughput: { readonly total: number };
    /** Whole milliseconds. */
    readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
    readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>;
  }

  export default function autocannon(options: Options): Promise<Result>;
}
