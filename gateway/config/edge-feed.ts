// What control and an edge say to each other over `edge.sock`.
// HTTP/1.1 on a Unix socket; the feed is newline-delimited JSON in one endless response. Shapes only, no I/O.
//
//   GET  /feed?edge=<id>          the feed: first `snapshot`, then whatever changes, a `heartbeat` each second
//   POST /assertion-keys          AssertionKeyReport        204 once the key is in the JWKS
//   POST /ready                   ReadyReport               204
//   POST /metrics                 MetricsReport             204
//   POST /password                PasswordQuestion          200 PasswordAnswer

import type { webcrypto } from 'node:crypto';
import type { KeyPurpose, KeyState } from '../core/model/key.ts';
import type { Config } from './config.ts';
import type { TlsMaterial } from './upstream-tls.ts';

/** A key on its way to an edge; `secret` is base64url without padding. */
export interface FeedKey {
  readonly id: string;
  readonly algorithm: 'HS256';
  readonly purpose: KeyPurpose;
  readonly state: KeyState;
  readonly secret: string;
}

/** What is in the PEM files of an upstream's TLS. `key` is a secret: it is never logged and never written anywhere. */
export interface FeedUpstreamTls extends TlsMaterial {
  /** Name of the upstream. */
  readonly name: string;
}

/** What a listener that ends TLS needs beside its configuration, as PEM texts. The keys are secrets. */
export interface FeedTls {
  /** In the order of the configuration. `cert` may hold a chain. */
  readonly certificates: readonly { readonly cert: string; readonly key: string }[];
  /** Who may sign client certificates; null when nobody is asked for one. */
  readonly clientCa: string | null;
}

export type FeedMessage =
  /** The whole state; sent first, and again after each reload. `publicSocket` is the path that the reserved prefix is proxied to. */
  | {
      readonly kind: 'snapshot';
      readonly seq: number;
      readonly config: Config;
      readonly keys: readonly FeedKey[];
      readonly upstreamTls: readonly FeedUpstreamTls[];
      /** By position in `config.listeners`; null for a plain one. */
      readonly tls: readonly (FeedTls | null)[];
      /** 32 bytes, base64url: what all edges make the keys of their session tickets from, so that each resumes the others'. */
      readonly ticketSecret: string;
      readonly publicSocket: string;
    }
  | { readonly kind: 'heartbeat'; readonly seq: number }
  /** A new secret for session tickets; those under the one before are not resumed any more. */
  | { readonly kind: 'tickets'; readonly ticketSecret: string }
  /** Asks for a MetricsReport with this id. */
  | { readonly kind: 'collect'; readonly id: number };

export interface AssertionKeyReport {
  readonly edge: string;
  /** Public Ed25519 key with `kid`, `alg`, `use`. */
  readonly jwk: webcrypto.JsonWebKey & { readonly kid: string; readonly alg: string; readonly use: string };
}

export interface ReadyReport {
  readonly edge: string;
  readonly listening: readonly { readonly host: string; readonly port: number }[];
}

export interface MetricsReport {
  readonly edge: string;
  /** The `collect` id this answers; 0 for the last report of an edge that ends. */
  readonly id: number;
  /** prom-client's `getMetricsAsJSON()`. */
  readonly metrics: unknown;
}

export interface PasswordQuestion {
  readonly route: string;
  readonly user: string;
  readonly password: string;
  /** Address the guess came from, for the throttle. */
  readonly address: string;
}

export type PasswordAnswer =
  | {
      readonly kind: 'verified';
      readonly sub: string;
      readonly credentialId: string;
      readonly credentialVersion: number;
    }
  | { readonly kind: 'refused' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };
