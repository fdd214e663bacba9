// What control and an edge say to each other over `edge.sock`.
// HTTP/1.1 on a Unix socket; the feed is newline-delimited JSON in one endless response. Shapes only, no I/O.
//
//   GET  /feed?edge=<id>          the feed: first `snapshot`, then whatever changes, a `heartbeat` each second
//   POST /assertion-keys          AssertionKeyReport        204 once the key is in the JWKS
//   POST /ready                   ReadyReport               204
//   POST /applied                 AppliedReport             204
//   POST /metrics                 MetricsReport             204
//   POST /password                PasswordQuestion          200 PasswordAnswer
//   POST /known                   KnownQuestion             200 KnownAnswer
//   POST /renew-password          RenewPasswordQuestion     200 RenewPasswordAnswer
//   POST /access                  AccessQuestion            200 AccessAnswer | SessionEnded
//   POST /renew-session           RenewSessionQuestion      200 RenewSessionAnswer
//   POST /seen                    SeenReport                204
//   POST /decisions               lines of DecisionRecord   204

import type { webcrypto } from 'node:crypto';
import type { SessionEnded } from '../core/decision/state/access.ts';
import type { Change, LogPosition } from '../core/model/change.ts';
import type { SigningKeyPurpose, SigningKeyState } from '../core/model/signing-key.ts';
import type { EpochSeconds } from '../core/model/time.ts';
import type { Config } from './compiled/config.ts';
import type { TlsMaterial } from './files/upstream-tls.ts';

/** A key on its way to an edge; `secret` is base64url without padding. */
export interface FeedKey {
  readonly id: string;
  readonly algorithm: 'HS256';
  readonly purpose: SigningKeyPurpose;
  readonly state: SigningKeyState;
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

/** Control read the change log, and everything up to this place was sent before. */
export interface LogBeat extends LogPosition {
  /** How long ago, when this was sent. */
  readonly readAgeMs: number;
  /** When this was sent, by the machine's monotonic clock (`machineMs`): a message that waited somewhere is older than it looks. */
  readonly sentAtMs: number;
}

/** Everything that is revoked, as of one place of the log. */
export interface FeedIndex extends LogBeat {
  readonly revocations: readonly Change[];
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
      /** null while control cannot read its store: an edge keeps what it has, as old as that is. */
      readonly index: FeedIndex | null;
    }
  /** Each second, and after each look at the log. `log` is null while control knows nothing about the log. */
  | { readonly kind: 'heartbeat'; readonly seq: number; readonly log: LogBeat | null }
  /** The whole index anew: another epoch, or more happened than the log keeps. */
  | { readonly kind: 'index'; readonly index: FeedIndex }
  /** A whole new key ring in place of the one before, and nothing else: sent before the place of the log that it belongs to. */
  | { readonly kind: 'keys'; readonly keys: readonly FeedKey[] }
  /** What happened since the message before, in the order of the log; `epoch` and `seq` are the place after it. */
  | ({ readonly kind: 'changes'; readonly changes: readonly Change[] } & LogPosition)
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

/** Field of every report and question that says which edge sends it, so that one that is behind is known to run. */
export const edgeField = 'latchkey-edge';

/** The edge acts on the log up to this place. */
export interface AppliedReport extends LogPosition {
  readonly edge: string;
  /** It refuses what is revoked there, and is still ending what is open: said at once, and again until it is done. */
  readonly isEnding?: boolean;
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
      readonly userRecordId: string;
      readonly userRecordVersion: number;
    }
  | { readonly kind: 'refused' }
  | {
      readonly kind: 'busy';
      readonly retryAfterSeconds: number;
      /** Who else would be told the same now; left out when only this name is. */
      readonly strangers?: StrangersWait;
    };

/**
 * Seconds until a guess may be looked at of somebody who never gave the right password from where they are: so a guess for another
 * name need not be asked about either.
 */
export interface StrangersWait {
  /** From the same source. */
  readonly here: number;
  /** From anywhere. */
  readonly everywhere: number;
}

/** Who of these gave the right password from there lately: their guesses wait behind no stranger's. */
export interface KnownQuestion {
  readonly places: readonly { readonly user: string; readonly address: string }[];
}

/** In the order of the question. */
export interface KnownAnswer {
  readonly known: readonly boolean[];
}

/** Places that are asked about at once. */
export const maxPlacesPerQuestion = 64;

/** Whether the record that a pass was issued for still stands as it was. */
export interface RenewPasswordQuestion {
  readonly userRecordId: string;
  readonly version: number;
  readonly sub: string;
}

/** `gone`: removed, or its password changed. */
export type RenewPasswordAnswer = { readonly kind: 'stands' } | { readonly kind: 'gone' };

/** Whether an account may open a path by an access list, a grant or ownership. Who asks has proven the session already. */
export interface AccessQuestion {
  readonly account: string;
  /** Control answers `ended` when it is not live any more: a pass must not outlive the session that it came from. */
  readonly session: string;
  readonly device: string;
  /** Canonical, without port. */
  readonly host: string;
  /** Canonical. */
  readonly path: string;
}

export type { AccessAnswer, AccessClaims, AccessScope, SessionEnded } from '../core/decision/state/access.ts';

export interface RenewSessionQuestion {
  readonly account: string;
  readonly session: string;
  readonly device: string;
  /** The session's audience: the host that the cookie is for. */
  readonly host: string;
}

export type RenewSessionAnswer =
  | { readonly kind: 'renewed'; readonly token: string; readonly maxAgeSeconds: number }
  | SessionEnded;

/** Somebody was let in with this. */
export interface Seen {
  readonly session: string;
  readonly device: string;
  /** The grant that let it in; null where any session was enough. */
  readonly member: string | null;
  /** The last time. */
  readonly at: EpochSeconds;
}

/** At most `maxSeenPerReport`; what did not fit is told in the next one. */
export interface SeenReport {
  readonly edge: string;
  readonly seen: readonly Seen[];
}

export const maxSeenPerReport = 2000;
